//! A process that ends with its parent, however that ends: the parent alone holds the other end of a pipe.

use std::io::{self, PipeReader, PipeWriter, Read};
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};

/// Made by the parent before it forks. It lives as long as one process holds this and has not called [`Lifeline::hold`].
#[derive(Debug)]
pub struct Lifeline {
    end: PipeReader,
    _other_end: PipeWriter,
}

impl Lifeline {
    pub fn new() -> io::Result<Self> {
        let (end, other_end) = io::pipe()?;
        Ok(Self { end, _other_end: other_end })
    }

    /// In a child: end from now on when the parent has ended, asked to by SIGTERM, and after `patience` by SIGKILL. A
    /// thread of its own watches: Python may be busy.
    pub fn hold(self, patience: Duration) -> io::Result<()> {
        let Self { mut end, .. } = self;
        std::thread::Builder::new().name("lifeline".into()).spawn(move || {
            // Nobody writes there: reading ends when it is closed.
            while !matches!(end.read(&mut [0]), Ok(0)) {}
            for signal in [Signal::TERM, Signal::KILL] {
                // A process may signal itself.
                let _ = kill_process(getpid(), signal);
                std::thread::sleep(patience);
            }
        })?;
        Ok(())
    }
}
