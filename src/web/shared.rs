//! What the server's thread and Python share.

use std::collections::VecDeque;
use std::fmt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

use super::answer::Asked;
use super::ready::Ready;
use super::routes::{Kind, Route};
use super::{Handover, Status};
use crate::stats::{Table, Timeline};

/// What stays as it is while the server runs.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// In front of every path of ours: `/lo`, or nothing.
    pub base: String,
    /// The quantiles that `/stats/requests` has for each entry.
    pub statistics: Vec<f64>,
    /// Those that it has of the last seconds.
    pub chart: Vec<f64>,
    /// How many seconds these are.
    pub window: i64,
    /// Those of the CSV files.
    pub report: Vec<f64>,
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

/// What is measured: by what the page is filled.
#[derive(Clone)]
pub struct Source {
    pub table: Arc<Mutex<Table>>,
    /// The run over time, where somebody records it.
    pub timeline: Option<Arc<Mutex<Timeline>>>,
}

impl fmt::Debug for Source {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Source").finish_non_exhaustive()
    }
}

impl Source {
    pub fn of(table: Arc<Mutex<Table>>) -> Self {
        Self { table, timeline: None }
    }
}

#[derive(Debug)]
pub struct Shared {
    settings: Settings,
    source: Mutex<Source>,
    status: Mutex<Status>,
    log: Mutex<VecDeque<String>>,
    handover: Handover,
    /// Whether Python wants to answer what the server could: the routes that Locust has, and those that are ours.
    hands_over: [AtomicBool; 2],
    /// What went wrong in the server's thread, for whoever logs it.
    complaints: Mutex<Vec<String>>,
    /// The last answer to `/stats/requests`, and when it was made.
    pub(super) cached: Mutex<Option<(Instant, Bytes)>>,
}

impl Shared {
    /// As many lines as Locust keeps.
    const LINES: usize = 500;

    pub fn new(settings: Settings, source: Source) -> Self {
        Self {
            settings,
            source: Mutex::new(source),
            status: Mutex::default(),
            log: Mutex::default(),
            handover: Handover::default(),
            hands_over: Default::default(),
            complaints: Mutex::default(),
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

    pub fn source(&self) -> Source {
        held(&self.source).clone()
    }

    /// Show these figures from now on.
    pub fn follow(&self, source: Source) {
        *held(&self.source) = source;
        self.forget_cached();
    }

    pub fn status(&self) -> Status {
        held(&self.status).clone()
    }

    pub fn set_status(&self, status: Status) {
        *held(&self.status) = status;
    }

    /// Make the next answer to `/stats/requests` anew.
    pub fn forget_cached(&self) {
        *held(&self.cached) = None;
    }

    /// Note lines of the log, oldest first.
    pub fn log(&self, lines: impl IntoIterator<Item = String>) {
        let mut log = held(&self.log);
        for line in lines {
            if log.len() == Self::LINES {
                log.pop_front();
            }
            log.push_back(line);
        }
    }

    pub fn lines(&self) -> Vec<String> {
        held(&self.log).iter().cloned().collect()
    }
}

pub(super) fn held<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
