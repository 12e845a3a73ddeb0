//! The thread that ends the intervals, whatever Python is doing.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::Timeline;
use crate::clock::now;
use crate::stats::Table;
use crate::sync::held;

/// Who looks at the timeline at the end of each interval.
pub type Watch = Box<dyn FnMut(&Timeline) + Send>;

/// A timeline that grows until it is closed, while a test runs.
#[derive(Debug)]
pub struct Recorder {
    shared: Arc<Shared>,
    interval: f64,
    work: Mutex<Work>,
}

#[derive(Debug)]
struct Shared {
    table: Arc<Mutex<Table>>,
    /// What the timeline's clock counts from.
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    timeline: Timeline,
    /// Between two tests nothing is recorded: what nobody asked for is no part of a run.
    is_paused: bool,
    /// When the run ended of which a master's workers have not told everything yet, by the recorder's clock.
    ended: Option<f64>,
}

#[derive(Debug)]
struct Work {
    stop: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// The timeline while nobody else changes it.
pub struct Held<'a>(MutexGuard<'a, State>);

impl std::ops::Deref for Held<'_> {
    type Target = Timeline;

    fn deref(&self) -> &Timeline {
        &self.0.timeline
    }
}

impl Shared {
    fn hold(&self) -> MutexGuard<'_, State> {
        held(&self.state)
    }

    fn at(&self) -> f64 {
        self.began.elapsed().as_secs_f64()
    }

    /// `true` where that was of a run, not of what came after it. With `is_last`, nothing is waited for.
    fn observe(&self, state: &mut State, is_last: bool) -> bool {
        let (at, delay) = (self.at(), self.delay());
        let was_open = !state.is_paused || state.ended.is_some();
        match (state.ended, delay) {
            (Some(ended), Some(delay)) => {
                state.timeline.observe_fed(&self.table, now(), at, ended.min(at - delay));
                if is_last || at - delay >= ended {
                    state.timeline.close_all(ended);
                    state.ended = None;
                }
            }
            _ if state.is_paused => state.timeline.catch_up(&self.table),
            _ => {
                state.timeline.observe(&self.table, now(), at);
                if is_last && delay.is_some() {
                    state.timeline.close_all(at);
                }
            }
        }
        was_open
    }

    fn delay(&self) -> Option<f64> {
        held(&self.table).delay()
    }
}

impl Recorder {
    /// With `is_paused`, nothing is recorded before [`Recorder::begin`].
    pub fn start(
        table: Arc<Mutex<Table>>,
        interval: Duration,
        is_paused: bool,
        mut watch: Watch,
    ) -> std::io::Result<Self> {
        let interval = interval.as_secs_f64();
        let state = Mutex::new(State { timeline: Timeline::new(now(), 0.0, interval), is_paused, ended: None });
        let shared = Arc::new(Shared { table, began: Instant::now(), state });
        let (stop, stopped) = mpsc::channel();
        let working = Arc::clone(&shared);
        let work = move || {
            let mut due = working.began;
            loop {
                let interval = Duration::from_secs_f64(working.hold().timeline.interval());
                due = (due + interval).max(Instant::now());
                let wait = stopped.recv_timeout(due.saturating_duration_since(Instant::now()));
                let is_last = wait != Err(RecvTimeoutError::Timeout);
                let mut state = working.hold();
                if working.observe(&mut state, is_last) {
                    watch(&state.timeline);
                }
                drop(state);
                if is_last {
                    break;
                }
            }
        };
        let thread = std::thread::Builder::new().name("timeline".into()).spawn(work)?;
        Ok(Self { shared, interval, work: Mutex::new(Work { stop: Some(stop), thread: Some(thread) }) })
    }

    pub fn timeline(&self) -> Held<'_> {
        Held(self.shared.hold())
    }

    pub fn is_paused(&self) -> bool {
        self.shared.hold().is_paused
    }

    /// Record a new run from now on. Gives what was recorded of the one before.
    pub fn begin(&self) -> Timeline {
        let mut state = self.shared.hold();
        let begun = Timeline::new(now(), self.shared.at(), self.interval);
        state.is_paused = false;
        if let Some(ended) = state.ended.take() {
            state.timeline.close_all(ended);
        }
        std::mem::replace(&mut state.timeline, begun)
    }

    /// End the last interval now, and record no more until the next run begins. What a master's workers have yet to say of
    /// this one is waited for.
    pub fn pause(&self) {
        let mut state = self.shared.hold();
        self.shared.observe(&mut state, false);
        if !state.is_paused && self.shared.delay().is_some() {
            state.ended = Some(self.shared.at());
        }
        state.is_paused = true;
    }

    /// End the last interval now, so that the timeline agrees with the table, and wait until that is done. `false` if it
    /// was done before.
    pub fn close(&self) -> bool {
        let mut work = held(&self.work);
        drop(work.stop.take());
        let Some(thread) = work.thread.take() else { return false };
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
