//! A thread that does the same thing now and then, and once more at its end: how files are written whatever Python does.

use std::io;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

/// Where somebody hears what went wrong.
pub type Complain = Box<dyn Fn(String) + Send>;

/// The thread. Dropping it ends it as [`Background::close`] does.
#[derive(Debug)]
pub struct Background {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Background {
    /// `pass` is called at once, then every `interval`, and a last time when it is closed.
    pub fn start(name: &str, interval: Duration, mut pass: impl FnMut() + Send + 'static) -> io::Result<Self> {
        let (stop, stopped) = mpsc::channel();
        let work = move || {
            let mut due = Instant::now();
            loop {
                pass();
                due = (due + interval).max(Instant::now());
                if stopped.recv_timeout(due.saturating_duration_since(Instant::now())) != Err(RecvTimeoutError::Timeout)
                {
                    break;
                }
            }
            pass();
        };
        let thread = std::thread::Builder::new().name(name.into()).spawn(work)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }

    /// Have the last pass done, and wait until it is.
    pub fn close(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic in there has been reported by its own hook; there is nothing to add.
            let _ = thread.join();
        }
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.close();
    }
}
