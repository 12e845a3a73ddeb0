//! A worker's side of the wire: its handshake, heartbeats, reports, and its watch over the master, on a thread named
//! `cluster`. What only Python can do is handed over in order.

pub mod asking;
mod conversation;
mod kept;
mod link;

use std::io;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc as std_mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{mpsc, oneshot};

pub use self::conversation::Intervals;
use super::inbox::Inbox;
use super::report::{Master, Reporter};
use super::{message, transport};
use crate::clock::now;
use crate::stats::Table;
use crate::sync::held;

/// Where the master is, and who this worker is.
#[derive(Debug, Clone)]
pub struct Settings {
    pub host: String,
    pub port: u16,
    pub id: String,
    /// What it says when it calls: Locust's masters warn of one that is not their own.
    pub version: String,
    pub transport: transport::Settings,
}

/// What a worker's heartbeat says of its users.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    Ready,
    Spawning,
    Running,
}

impl State {
    const ALL: [Self; 3] = [Self::Ready, Self::Spawning, Self::Running];

    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Spawning => "spawning",
            Self::Running => "running",
        }
    }

    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// What Python is told.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// The master knows this worker. `rejoined`: it had forgotten it, or is another one.
    Acknowledged { index: Option<i64>, rejoined: bool },
    /// So many calls found no answer.
    Unanswered(u32),
    /// The master answered a heartbeat at this time, in seconds of the epoch.
    Heartbeat { at: f64, node_id: Option<String> },
    /// A report is due that Python's listeners have a part in.
    ReportDue,
    /// A message that is Python's to handle; its data as they came.
    Message { kind: String, data: Bytes, node_id: Option<String> },
    /// The master has been silent for too long.
    Silence,
    /// A message that is none.
    Malformed(String),
    /// What the connection has to say. `is_final`: it will never be another.
    Notice { text: String, is_final: bool },
}

impl Event {
    /// Whether it is a message that only our own nodes send each other: none of them waits behind a user's listener.
    fn is_ours(&self) -> bool {
        matches!(self, Self::Message { kind, .. } if kind.starts_with("gregaria:"))
    }
}

/// Who has a say in what the thread does, beside the master.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Listeners {
    /// Reports pass through Python.
    pub reports: bool,
    /// Somebody wants to know of the master's heartbeats.
    pub heartbeats: bool,
}

enum Command {
    Send(Bytes),
    /// Send this call for the master.
    Call(Bytes),
    /// Send the report of this number; 0 is one that nobody counted.
    SendReport(u64, Bytes),
    /// Write a report, and say when it is written.
    Report(oneshot::Sender<()>),
    Reopen,
    FallSilent,
    /// Send what is left, for so long at most, and end.
    Close(Duration, oneshot::Sender<bool>),
}

/// What the thread and Python share.
struct Shared {
    settings: Settings,
    table: Arc<Mutex<Table>>,
    inbox: Inbox<Event>,
    /// Messages that only our own nodes send each other.
    ours: Inbox<Event>,
    state: AtomicU8,
    users: Mutex<Vec<(String, u64)>>,
    rhythm: Mutex<(Intervals, Listeners)>,
    reporter: Mutex<Reporter>,
    master: Mutex<Master>,
    came_round: Mutex<Instant>,
    /// When the master last answered a heartbeat, in seconds of the epoch.
    heard: Mutex<Option<f64>>,
    /// How often the master has told this worker to stop and it has not stopped yet, and how many spawn messages are to
    /// be answered when it has.
    stopping: Mutex<(u32, u32)>,
    /// It has said farewell: its master does not know it any more.
    has_quit: AtomicBool,
    /// The number of the report that Python took and has not sent yet; 0 is none.
    taken: AtomicU64,
    /// Messages that found no room: the master has not taken any for too long.
    unsent: AtomicU64,
}

impl Shared {
    fn state(&self) -> State {
        // Nothing is ordered by it.
        State::ALL[usize::from(self.state.load(Ordering::Relaxed))]
    }

    /// What was counted since the last report, which it empties: its number, and the data of a `stats` message.
    fn report(&self) -> (u64, Vec<u8>) {
        let users = held(&self.users).clone();
        held(&self.reporter).write(&self.table, &users, now(), *held(&self.master))
    }

    /// Whether Python is ending users, and will say by itself when it is ready again, or never.
    fn is_stopping(&self) -> bool {
        // It is on its way out whether this is seen a heartbeat earlier or later.
        self.has_quit.load(Ordering::Relaxed) || held(&self.stopping).0 > 0
    }

    /// How long Python has not come round.
    fn busy(&self) -> Duration {
        held(&self.came_round).elapsed()
    }
}

/// The worker's end of the connection. It ends when this is dropped.
pub struct Worker {
    shared: Arc<Shared>,
    commands: mpsc::UnboundedSender<Command>,
    /// Whose thread it is: that of a process, and not of its forks.
    process: u32,
}

impl Worker {
    /// Begin to call for the master. An error where that cannot even be tried.
    pub fn start(settings: Settings, table: Arc<Mutex<Table>>) -> io::Result<Self> {
        let (commands, orders) = mpsc::unbounded_channel();
        let shared = Arc::new(Shared {
            settings,
            table,
            inbox: Inbox::default(),
            ours: Inbox::default(),
            state: AtomicU8::new(State::Ready as u8),
            users: Mutex::default(),
            rhythm: Mutex::default(),
            reporter: Mutex::new(Reporter::new()),
            master: Mutex::new(Master::Locusts),
            came_round: Mutex::new(Instant::now()),
            heard: Mutex::default(),
            stopping: Mutex::default(),
            has_quit: AtomicBool::new(false),
            taken: AtomicU64::new(0),
            unsent: AtomicU64::new(0),
        });
        let (began, begun) = std_mpsc::channel();
        let theirs = Arc::clone(&shared);
        std::thread::Builder::new().name("cluster".into()).spawn(move || link::run(theirs, orders, &began))?;
        begun.recv().unwrap_or_else(|_| Err(io::Error::other("the thread `cluster` ended at once")))?;
        Ok(Self { shared, commands, process: std::process::id() })
    }

    /// What Python is told next; `None` when there will be no more.
    pub fn poll_next(&self, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Event>> {
        self.shared.inbox.poll_next(context)
    }

    /// As [`Worker::poll_next`], of the messages that only our own nodes send each other.
    pub fn poll_next_of_ours(&self, context: &mut std::task::Context<'_>) -> std::task::Poll<Option<Event>> {
        self.shared.ours.poll_next(context)
    }

    /// Whether the master is a gregaria, too.
    pub fn master_is_ours(&self) -> bool {
        *held(&self.shared.master) == Master::Ours
    }

    /// When the master last answered a heartbeat, in seconds of the epoch.
    pub fn heard_at(&self) -> Option<f64> {
        *held(&self.shared.heard)
    }

    /// How many messages could not be sent, since this was last asked.
    pub fn take_unsent(&self) -> u64 {
        self.shared.unsent.swap(0, Ordering::Relaxed)
    }

    /// Send a message. `data` are `MessagePack`.
    pub fn send(&self, kind: &str, data: &[u8]) {
        if kind == "quit" {
            self.shared.has_quit.store(true, Ordering::Relaxed);
        }
        let message = message::encode_raw(kind, data, &self.shared.settings.id);
        self.order(match kind {
            "client_ready" => Command::Call(message),
            "stats" => Command::SendReport(self.shared.taken.swap(0, Ordering::Relaxed), message),
            _ => Command::Send(message),
        });
    }

    /// Report what was counted since the last report, after what was sent before. Returns when it has been written, by the
    /// thread: so reports are sent in the order in which they were written.
    pub fn report(&self) {
        let (written, writing) = oneshot::channel();
        if self.is_mine() {
            self.order(Command::Report(written));
            // There is nothing to wait for where the thread has ended.
            let _ = writing.blocking_recv();
        }
    }

    /// The data of such a report, for who sends it himself.
    pub fn take_report(&self) -> Vec<u8> {
        let (sequence, data) = self.shared.report();
        // Read by the thread that sends it, which is this one.
        self.shared.taken.store(sequence, Ordering::Relaxed);
        data
    }

    /// Connect anew.
    pub fn reopen(&self) {
        self.order(Command::Reopen);
    }

    /// Send nothing any more but what is asked for: no heartbeat, no report.
    pub fn fall_silent(&self) {
        self.order(Command::FallSilent);
    }

    pub fn set_state(&self, state: State) {
        self.shared.state.store(state as u8, Ordering::Relaxed);
    }

    /// How many users of each class run; who is not named keeps his place, with none.
    pub fn set_users(&self, users: Vec<(String, u64)>) {
        *held(&self.shared.users) = users;
    }

    /// A user of this class has begun, or ended.
    pub fn count_user(&self, class: &str, has_begun: bool) {
        let mut users = held(&self.shared.users);
        let place = users.iter().position(|(name, _)| name == class).unwrap_or_else(|| {
            users.push((class.to_owned(), 0));
            users.len() - 1
        });
        let count = &mut users[place].1;
        *count = if has_begun { *count + 1 } else { count.saturating_sub(1) };
    }

    /// It has done what a stop message asked for. Spawn messages that have come meanwhile are answered now, as a worker
    /// does that reads one message after the other.
    pub fn stopped(&self) {
        let answers = {
            let (stops, spawns) = &mut *held(&self.shared.stopping);
            *stops = stops.saturating_sub(1);
            if *stops == 0 { std::mem::take(spawns) } else { 0 }
        };
        (0..answers).for_each(|_| self.send("spawning", NIL));
    }

    /// Python has come round.
    pub fn come_round(&self, intervals: Intervals, listeners: Listeners) {
        *held(&self.shared.rhythm) = (intervals, listeners);
        *held(&self.shared.came_round) = Instant::now();
    }

    /// Send what is left, for so long at most, and end. True where all of it went out.
    pub fn close(&self, patience: Duration) -> bool {
        if !self.is_mine() {
            return false;
        }
        let (closed, closing) = oneshot::channel();
        self.order(Command::Close(patience, closed));
        closing.blocking_recv().unwrap_or(false)
    }

    /// A fork has the parent's worker, but not its thread.
    fn is_mine(&self) -> bool {
        std::process::id() == self.process
    }

    fn order(&self, command: Command) {
        // The thread has ended where nobody listens: there is nothing left to send to.
        let _ = self.commands.send(command);
    }
}

/// Nothing, as `MessagePack`.
const NIL: &[u8] = &[0xc0];
