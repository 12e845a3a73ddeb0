//! Starting the I/O threads, and dealing sessions out among them.

use std::io;
use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};

use tokio::runtime::LocalOptions;

use super::inbox::Inbox;
use super::{Command, Completion, Thread};
use crate::bridge::Completions;

/// Name look-ups block, so they have threads of their own; this many, however many users start at once.
const RESOLVER_THREADS: usize = 4;

/// The threads, as the main thread sees them.
#[derive(Debug)]
pub struct Pool {
    inboxes: Vec<Arc<Inbox>>,
    /// The threads take no more commands: they were told to end, or left behind by a fork. Then not even a lock that they
    /// share may be touched: who held it is gone.
    gone: AtomicBool,
}

/// All pools of this process: each Python thread that makes requests has one, and that is nearly always a single thread.
static POOLS: Mutex<Vec<Weak<Pool>>> = Mutex::new(Vec::new());

/// The session is gone: have its connections closed, wherever it has some. Who notices may be on a thread that has none,
/// as when the garbage is collected there. A running request finishes first.
pub fn forget(session: u64) {
    for pool in pools().iter().filter_map(Weak::upgrade) {
        pool.send(session, Command::Forget { session });
    }
}

fn pools() -> MutexGuard<'static, Vec<Weak<Pool>>> {
    POOLS.lock().expect("nothing panics under this lock")
}

/// Start `threads` I/O threads that report to `completions`. They run until the process ends, or [`Pool::end`].
pub fn start(threads: usize, completions: &Arc<Completions<Completion>>) -> io::Result<Arc<Pool>> {
    let inboxes = (0..threads.max(1)).map(|number| spawn(number, Arc::clone(completions))).collect::<Result<_, _>>()?;
    let pool = Arc::new(Pool { inboxes, gone: AtomicBool::new(false) });
    let mut pools = pools();
    pools.retain(|pool| pool.strong_count() > 0);
    pools.push(Arc::downgrade(&pool));
    Ok(pool)
}

fn spawn(number: usize, completions: Arc<Completions<Completion>>) -> io::Result<Arc<Inbox>> {
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
                // A name look-up may take its time; nobody waits for it any more.
                runtime.shutdown_background();
            }
            Err(error) => drop(built.send(Err(error))),
        }
    })?;
    is_built.recv().map_err(io::Error::other)??;
    Ok(inbox)
}

impl Pool {
    pub fn send(&self, session: u64, command: Command) {
        if !self.gone.load(Ordering::Relaxed) {
            self.inboxes[(session % self.inboxes.len() as u64) as usize].send(command);
        }
    }

    /// Let the threads end; what they are doing is dropped, with its connections. Does not wait for them.
    pub fn end(&self) {
        if !self.gone.swap(true, Ordering::Relaxed) {
            self.inboxes.iter().for_each(|inbox| inbox.send(Command::End));
        }
    }

    /// The threads do not exist in this process, the child of a fork.
    pub fn disown(&self) {
        self.gone.store(true, Ordering::Relaxed);
    }
}
