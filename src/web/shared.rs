//! What the server's thread and Python share.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use bytes::Bytes;

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
            cached: Mutex::default(),
        }
    }

    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    pub fn handover(&self) -> &Handover {
        &self.handover
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
