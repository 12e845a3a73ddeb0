//! The thread that ends the intervals, whatever Python is doing.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Timeline;
use crate::stats::Table;

/// Who looks at the timeline at the end of each interval.
pub type Watch = Box<dyn FnMut(&Timeline) + Send>;

/// A timeline that grows until it is closed.
#[derive(Debug)]
pub struct Recorder {
    timeline: Arc<Mutex<Timeline>>,
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    pub fn start(table: Arc<Mutex<Table>>, interval: Duration, mut watch: Watch) -> std::io::Result<Self> {
        let began = Instant::now();
        let timeline = Arc::new(Mutex::new(Timeline::new(now(), 0.0, interval.as_secs_f64())));
        let (stop, stopped) = mpsc::channel();
        let shared = Arc::clone(&timeline);
        let work = move || {
            let mut due = began;
            loop {
                let interval = Duration::from_secs_f64(lock(&shared).interval());
                due = (due + interval).max(Instant::now());
                let wait = stopped.recv_timeout(due.saturating_duration_since(Instant::now()));
                let mut timeline = lock(&shared);
                timeline.observe(&table, now(), began.elapsed().as_secs_f64());
                watch(&timeline);
                drop(timeline);
                if wait != Err(RecvTimeoutError::Timeout) {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("timeline".into()).spawn(work)?;
        Ok(Self { timeline, stop: Some(stop), thread: Some(thread) })
    }

    pub fn timeline(&self) -> MutexGuard<'_, Timeline> {
        lock(&self.timeline)
    }

    /// End the last interval now, so that the timeline agrees with the table, and wait until that is done. `false` if it
    /// was done before.
    pub fn close(&mut self) -> bool {
        drop(self.stop.take());
        let Some(thread) = self.thread.take() else { return false };
        // A panic in there has been reported by its own hook; there is nothing to add.
        let _ = thread.join();
        true
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.close();
    }
}

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}

fn lock(timeline: &Mutex<Timeline>) -> MutexGuard<'_, Timeline> {
    timeline.lock().unwrap_or_else(PoisonError::into_inner)
}
