//! What the server's thread and Python share.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde_json::Value;
use tokio::sync::watch;

use super::answer::Asked;
use super::ready::Ready;
use super::routes::{Kind, Route};
use super::{Handover, Status};
use crate::cluster::master::{Fleet, Logs};
use crate::stats::PERCENTILES_TO_REPORT;
use crate::sync::held;
use crate::verdict::Session;

/// What stays as it is while the server runs.
#[derive(Debug, Clone)]
pub struct Settings {
    /// In front of every path of ours: `/lo`, or nothing.
    pub base: String,
    /// Over how many of the last seconds the chart's percentiles are.
    pub window: i64,
    /// How long an answer to `/stats/requests` is good for everybody.
    pub kept: Duration,
    /// Names that this server is asked for by, beside those that can mean no other machine.
    pub hosts: Vec<String>,
    /// Whoever has to log in is not fooled by a name: cookies belong to it.
    pub takes_every_host: bool,
    /// A front end that comes before ours, where it has a file.
    pub build_path: Option<PathBuf>,
    /// The file that the history is written to, where it is.
    pub history_file: Option<PathBuf>,
    /// Certificate and key, to speak TLS.
    pub tls: Option<(String, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            base: String::new(),
            window: 10,
            kept: Duration::from_secs(2),
            hosts: Vec::new(),
            takes_every_host: false,
            build_path: None,
            history_file: None,
            tls: None,
        }
    }
}

/// The quantiles that are shown; a locustfile may choose others.
#[derive(Debug, Clone, PartialEq)]
pub struct Percentiles {
    /// Of each entry.
    pub statistics: Vec<f64>,
    /// Of the last seconds.
    pub chart: Vec<f64>,
    /// In CSV files.
    pub report: Vec<f64>,
}

impl Default for Percentiles {
    fn default() -> Self {
        Self { statistics: vec![0.95, 0.99], chart: vec![0.5, 0.95], report: PERCENTILES_TO_REPORT.to_vec() }
    }
}

/// The last lines of the log, and how many there were before them.
#[derive(Debug, Clone, Default)]
struct Log {
    gone: u64,
    lines: VecDeque<String>,
}

pub struct Shared {
    settings: Settings,
    session: Mutex<Arc<Session>>,
    percentiles: Mutex<Percentiles>,
    status: Mutex<Arc<Status>>,
    /// Of a master.
    fleet: Mutex<Option<Arc<Fleet>>>,
    log: Mutex<Log>,
    /// What Python tells of workers' logs where this is no master; a master hears of them itself.
    told: Mutex<Logs>,
    handover: Handover,
    /// Whether Python wants to answer what the server could: the routes that Locust has, and those that are ours.
    hands_over: [AtomicBool; 2],
    /// What went wrong in the server's thread, for whoever logs it.
    complaints: Mutex<Vec<String>>,
    /// Counts what streams are to look at before their second is over.
    changes: watch::Sender<u64>,
    /// The last answer to `/stats/requests`, and when it was made.
    pub(super) cached: Mutex<Option<(Instant, Bytes)>>,
}

impl fmt::Debug for Shared {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Shared").field("settings", &self.settings).finish_non_exhaustive()
    }
}

impl Shared {
    /// As many lines as Locust keeps.
    const LINES: usize = 500;

    pub fn new(settings: Settings, session: Arc<Session>) -> Self {
        Self {
            settings,
            session: Mutex::new(session),
            percentiles: Mutex::default(),
            status: Mutex::default(),
            fleet: Mutex::default(),
            log: Mutex::default(),
            told: Mutex::default(),
            handover: Handover::default(),
            hands_over: Default::default(),
            complaints: Mutex::default(),
            changes: watch::Sender::new(0),
            cached: Mutex::default(),
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn handover(&self) -> &Handover {
        &self.handover
    }

    /// Have Python answer the routes that Locust has, and those that are ours.
    pub fn hand_over(&self, locusts: bool, ours: bool) {
        // Each is looked at by itself, at some time after this.
        self.hands_over[0].store(locusts, Ordering::Relaxed);
        self.hands_over[1].store(ours, Ordering::Relaxed);
    }

    pub fn is_handed_over(&self, route: &Route) -> bool {
        let [locusts, ours] = &self.hands_over;
        match route.kind() {
            Kind::Open => false,
            Kind::Locusts => locusts.load(Ordering::Relaxed),
            Kind::Ours => ours.load(Ordering::Relaxed),
        }
    }

    /// Keep a sentence for the log.
    pub fn complain(&self, sentence: String) {
        let mut complaints = held(&self.complaints);
        if complaints.len() < Self::LINES {
            complaints.push(sentence);
        }
    }

    pub fn take_complaints(&self) -> Vec<String> {
        std::mem::take(&mut *held(&self.complaints))
    }

    /// What the server answers to a GET of this path below the base path; `None` where it does not, or not at once.
    pub fn builtin(&self, path: &str, query: &str, headers: &[(String, String)]) -> Option<Ready> {
        let route = Route::of(path).filter(|route| *route != Route::Stream)?;
        Some(route.answer(self, &Asked::of_get(path, query, headers)))
    }

    pub fn session(&self) -> Arc<Session> {
        Arc::clone(&held(&self.session))
    }

    /// Show these figures from now on.
    pub fn follow(&self, session: Arc<Session>) {
        *held(&self.session) = session;
        self.forget_cached();
        self.change();
    }

    pub fn percentiles(&self) -> Percentiles {
        held(&self.percentiles).clone()
    }

    pub fn set_percentiles(&self, percentiles: Percentiles) {
        *held(&self.percentiles) = percentiles;
    }

    /// With the number of workers as it is now, whatever Python is doing.
    pub fn status(&self) -> Arc<Status> {
        let status = Arc::clone(&held(&self.status));
        let worker_count = self.fleet().map(|fleet| fleet.nodes().tally().active());
        if worker_count == status.worker_count {
            return status;
        }
        Arc::new(Status { worker_count, ..(*status).clone() })
    }

    /// The workers of a master.
    pub fn fleet(&self) -> Option<Arc<Fleet>> {
        held(&self.fleet).clone()
    }

    /// Show these workers from now on.
    pub fn follow_fleet(&self, fleet: Arc<Fleet>) {
        *held(&self.fleet) = Some(fleet);
        self.forget_cached();
        self.change();
    }

    pub fn set_status(&self, status: Status) {
        let before = std::mem::replace(&mut *held(&self.status), Arc::new(status.clone()));
        if *before != status {
            self.change();
        }
    }

    fn change(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    /// Whoever waits for an answer of Python's gets none any more, and streams end.
    pub fn close(&self) {
        self.handover.close();
        self.change();
    }

    pub fn is_closing(&self) -> bool {
        self.handover.is_closed()
    }

    /// Hears of what streams are to look at at once.
    pub fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Make the next answer to `/stats/requests` anew.
    pub fn forget_cached(&self) {
        *held(&self.cached) = None;
    }

    /// Note lines of the log, oldest first.
    pub fn log(&self, lines: impl IntoIterator<Item = String>) {
        let mut log = held(&self.log);
        for line in lines {
            if log.lines.len() == Self::LINES {
                log.lines.pop_front();
                log.gone += 1;
            }
            log.lines.push_back(line);
        }
    }

    pub fn lines(&self) -> Vec<String> {
        self.lines_since(0).1
    }

    /// The last lines of the workers' logs, by their ids.
    pub fn worker_logs(&self) -> Value {
        self.fleet().map_or_else(|| held(&self.told).to_json(), |fleet| fleet.logs().to_json())
    }

    /// Another one after each change of them.
    pub fn worker_logs_version(&self) -> u64 {
        self.fleet().map_or_else(|| held(&self.told).version(), |fleet| fleet.logs().version())
    }

    /// What Python knows of workers' logs.
    pub fn set_worker_logs(&self, lines: BTreeMap<String, Vec<String>>) {
        held(&self.told).replace(lines);
    }

    /// The lines after the first `seen` that there ever were, and how many there were ever.
    pub fn lines_since(&self, seen: u64) -> (u64, Vec<String>) {
        let log = held(&self.log);
        let known = usize::try_from(seen.saturating_sub(log.gone)).unwrap_or(usize::MAX);
        (log.gone + log.lines.len() as u64, log.lines.iter().skip(known).cloned().collect())
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::stats::Table;

    /// A server's, whose run has counted this.
    pub fn shared_of(table: Table) -> Arc<Shared> {
        let table = Arc::new(Mutex::new(table));
        let session = Session::start(table, Vec::new(), Duration::from_hours(1), true, |_| {}).unwrap();
        Arc::new(Shared::new(Settings::default(), Arc::new(session)))
    }

    #[test]
    fn the_last_lines_are_kept_and_those_that_are_new_are_known() {
        let shared = shared_of(Table::new(0.0, true));
        shared.log((0..600).map(|line| line.to_string()));
        assert_eq!((shared.lines().len(), shared.lines()[0].as_str()), (500, "100"));
        assert_eq!(shared.lines_since(598), (600, vec!["598".into(), "599".into()]));
        assert_eq!((shared.lines_since(600).1.len(), shared.lines_since(3).1.len()), (0, 500));
    }

    #[test]
    fn only_what_is_new_is_a_change() {
        let shared = shared_of(Table::new(0.0, true));
        let mut changes = shared.changes();
        let status = Status { state: "running".into(), ..Status::default() };
        shared.set_status(status.clone());
        assert!(changes.has_changed().unwrap());
        changes.mark_unchanged();
        shared.set_status(status);
        assert!(!changes.has_changed().unwrap());
    }
}
