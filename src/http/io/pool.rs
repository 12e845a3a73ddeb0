//! Starting the I/O threads, and dealing sessions out among them.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use tokio::runtime::LocalOptions;

use super::inbox::Inbox;
use super::{Command, Operation, Thread};
use crate::bridge::Completions;

/// Name look-ups block, so they have threads of their own; this many, however many users start at once.
const RESOLVER_THREADS: usize = 4;

/// The threads, as the main thread sees them.
#[derive(Debug)]
pub struct Pool {
    inboxes: Vec<Arc<Inbox>>,
}

/// Start `threads` I/O threads that report to `completions`. They run until the process ends.
pub fn start(threads: usize, completions: &Arc<Completions<Box<Operation>>>) -> io::Result<Pool> {
    let inboxes = (0..threads.max(1)).map(|number| spawn(number, Arc::clone(completions))).collect::<Result<_, _>>()?;
    Ok(Pool { inboxes })
}

fn spawn(number: usize, completions: Arc<Completions<Box<Operation>>>) -> io::Result<Arc<Inbox>> {
    let inbox = Arc::new(Inbox::default());
    let for_thread = Arc::clone(&inbox);
    // A local runtime may not change threads, so it is built where it runs; whether it could be is told back.
    let (built, is_built) = std::sync::mpsc::channel();
    std::thread::Builder::new().name(format!("gregaria-io-{number}")).spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .max_blocking_threads(RESOLVER_THREADS)
            .build_local(LocalOptions::default());
        match runtime {
            Ok(runtime) => {
                let _ = built.send(Ok(()));
                runtime.block_on(Rc::new(Thread::new(completions)).run(for_thread));
            }
            Err(error) => drop(built.send(Err(error))),
        }
    })?;
    is_built.recv().map_err(io::Error::other)??;
    Ok(inbox)
}

impl Pool {
    pub fn send(&self, session: u64, command: Command) {
        self.inboxes[(session % self.inboxes.len() as u64) as usize].send(command);
    }
}
