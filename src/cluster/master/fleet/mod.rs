//! The workers of a master, and what its thread and Python share of them.

mod messages;

use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;

use super::Logs;
use super::allowance::Allowance;
use super::nodes::{Missing, Nodes};
use super::queue::{Event, Level, Queue};
use super::spawning::Clock;
use crate::cluster::report::{Gone, Reports};
use crate::stats::Table;
use crate::sync::held;

/// When a worker is missing, and when it is forgotten.
#[derive(Debug, Clone, Copy)]
pub struct Timing {
    /// Between two looks.
    pub interval: Duration,
    /// How many intervals of silence a worker is allowed.
    pub liveness: i64,
    /// At this liveness a missing worker is forgotten.
    pub dead: i64,
    /// Between two reports of a worker.
    pub reports: Duration,
}

impl Timing {
    /// On the way, and for who is not quite on time.
    const LATE: f64 = 1.0;

    /// How many seconds it takes at most until the table has what happened.
    fn delay(self) -> f64 {
        self.reports.as_secs_f64() + Self::LATE
    }
}

impl Default for Timing {
    fn default() -> Self {
        Self { interval: Duration::from_secs(1), liveness: 3, dead: -60, reports: Duration::from_secs(3) }
    }
}

/// How far the test has got, as far as it matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Phase {
    Other,
    Stopping,
    Stopped,
}

/// A message to a worker.
pub type Answer = (String, Bytes);

/// Where is counted; and the count of users in it, which needs no lock of the table.
#[derive(Debug)]
struct Counted {
    table: Arc<Mutex<Table>>,
    users: Arc<AtomicU64>,
}

impl Counted {
    fn new(table: Arc<Mutex<Table>>) -> Self {
        let users = held(&table).users();
        Self { table, users }
    }
}

/// The workers of a master, and all that its thread and Python share.
#[derive(Debug)]
pub struct Fleet {
    nodes: Mutex<Nodes>,
    reports: Mutex<Reports>,
    logs: Mutex<Logs>,
    table: Mutex<Counted>,
    queue: Queue,
    /// What nodes of ours tell each other waits behind no listener of a locustfile.
    own_queue: Queue,
    /// Tells this master from one that was here before it.
    instance: String,
    clock: Mutex<Clock>,
    timing: Mutex<Timing>,
    phase: AtomicU8,
    hears_reports: AtomicBool,
    hears_heartbeats: AtomicBool,
    refused: AtomicU64,
    /// Of lines of the log that messages cause.
    lines: Mutex<Allowance>,
    /// Counts changes of what the nodes say, for who waits for one.
    changes: watch::Sender<u64>,
}

impl Fleet {
    pub fn new(table: Arc<Mutex<Table>>) -> Self {
        held(&table).set_delay(Some(Timing::default().delay()));
        Self {
            nodes: Mutex::default(),
            reports: Mutex::default(),
            logs: Mutex::default(),
            table: Mutex::new(Counted::new(table)),
            queue: Queue::default(),
            own_queue: Queue::default(),
            instance: instance(),
            clock: Mutex::default(),
            timing: Mutex::default(),
            phase: AtomicU8::new(Phase::Other as u8),
            hears_reports: AtomicBool::new(false),
            hears_heartbeats: AtomicBool::new(false),
            refused: AtomicU64::new(0),
            lines: Mutex::default(),
            changes: watch::Sender::new(0),
        }
    }

    pub fn nodes(&self) -> MutexGuard<'_, Nodes> {
        held(&self.nodes)
    }

    pub fn reports(&self) -> MutexGuard<'_, Reports> {
        held(&self.reports)
    }

    /// Of the workers.
    pub fn logs(&self) -> MutexGuard<'_, Logs> {
        held(&self.logs)
    }

    pub fn queue(&self) -> &Queue {
        &self.queue
    }

    /// Of messages between nodes of ours.
    pub fn own_queue(&self) -> &Queue {
        &self.own_queue
    }

    pub fn clock(&self) -> MutexGuard<'_, Clock> {
        held(&self.clock)
    }

    pub fn timing(&self) -> Timing {
        *held(&self.timing)
    }

    pub fn set_timing(&self, timing: Timing) {
        *held(&self.timing) = timing;
        held(&self.table()).set_delay(Some(timing.delay()));
    }

    pub fn table(&self) -> Arc<Mutex<Table>> {
        Arc::clone(&held(&self.table).table)
    }

    /// Count from now on in this table.
    pub fn set_table(&self, table: Arc<Mutex<Table>>) {
        held(&table).set_delay(Some(self.timing().delay()));
        *held(&self.table) = Counted::new(table);
        self.note_change();
    }

    /// Whether somebody listens to reports, and to heartbeats. Each is looked at by itself, at some time after this.
    pub fn hear(&self, reports: bool, heartbeats: bool) {
        self.hears_reports.store(reports, Ordering::Relaxed);
        self.hears_heartbeats.store(heartbeats, Ordering::Relaxed);
    }

    pub fn set_phase(&self, phase: Phase) {
        // Read by the thread at its next message, which comes after whatever it was set for.
        self.phase.store(phase as u8, Ordering::Relaxed);
    }

    /// How many messages were none.
    pub fn refused(&self) -> u64 {
        self.refused.load(Ordering::Relaxed)
    }

    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Whether one more line about a message may be in the log. The next interval's end tells what was left out.
    pub fn may_say(&self) -> bool {
        held(&self.lines).ask()
    }

    pub fn say(&self, level: Level, text: String) {
        self.queue.push(Event::Line { level, text });
    }

    /// An interval has passed.
    #[must_use = "these messages are to be sent"]
    pub fn tick(&self, now: f64) -> Vec<Answer> {
        let left_out = held(&self.lines).refill(now);
        if left_out > 0 {
            self.say(Level::Warning, format!("{left_out} further lines about messages of workers were left out"));
        }
        let mut nodes = self.nodes();
        let ticked = nodes.tick(self.timing().dead);
        let left = nodes.tally().active();
        drop(nodes);
        let again = ticked.again.into_iter().map(|(id, message)| (id.as_ref().into(), message)).collect();
        if ticked.missing.is_empty() && ticked.forgotten.is_empty() {
            return again;
        }
        self.note_change();
        self.tell_missing(ticked.missing, left, now);
        if !ticked.forgotten.is_empty() {
            self.queue.push(Event::Forgotten { ids: ticked.forgotten });
        }
        again
    }

    fn tell_missing(&self, missing: Vec<Missing>, left: usize, now: f64) {
        let (count, mut loses) = (missing.len(), false);
        for (place, Missing { id, may_have_counted }) in missing.into_iter().enumerate() {
            // One after the other, so that only the last one is the last one.
            let workers = left + count - 1 - place;
            self.queue.push(Event::Missing { id: Arc::clone(&id), workers });
            loses |= self.say_what_is_lost(&id, Gone::Missing { may_have_counted }, now);
        }
        // Once for all that went together: it is a walk over everybody.
        if loses {
            self.note_losses();
        }
    }

    /// Whether anything is.
    #[must_use = "then losses are to be noted"]
    fn say_what_is_lost(&self, node: &str, gone: Gone, now: f64) -> bool {
        let lost = self.reports().lost(node, gone, now);
        lost.map(|text| self.say(Level::Warning, text)).is_some()
    }

    fn note_losses(&self) {
        let losses = self.reports().losses();
        held(&self.table()).set_losses(losses);
    }

    /// Tell Python where the test may have stopped: every worker is ready again, or nobody is left.
    fn look_for_rest(&self) {
        let phase = self.phase.load(Ordering::Relaxed);
        if phase != Phase::Stopped as u8 && self.is_at_rest(phase == Phase::Stopping as u8) {
            self.queue.push(Event::AtRest);
        }
    }

    /// Whether no worker is active; or, where the test is being stopped, all that are there are ready.
    pub fn is_at_rest(&self, is_stopping: bool) -> bool {
        let tally = self.nodes().tally();
        // Nobody waits a minute for who is missing, as Locust does: it is told to stop when it is back.
        tally.active() == 0 || (is_stopping && tally.ready + tally.missing == tally.all())
    }

    /// Something of the nodes has changed: who waits for it is woken, and the table shows it.
    pub fn note_change(&self) {
        let users = self.nodes().user_count();
        // A figure to show: nothing is ordered by it.
        held(&self.table).users.store(users, Ordering::Relaxed);
        self.changes.send_modify(|count| *count = count.wrapping_add(1));
    }
}

/// As good as unique: workers compare it with that of the master before.
fn instance() -> String {
    use std::hash::{BuildHasher, RandomState};
    format!("{:016x}", RandomState::new().hash_one(std::process::id()))
}
