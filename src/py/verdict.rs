//! `_engine.Verdict`: the timeline of a run and what is concluded from it, seen from Python.

#![allow(clippy::needless_pass_by_value, reason = "Python's arguments arrive by value")]

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use serde_json::{Map, Value};

use super::stats::StatsTable;
use crate::bridge::WakeFd;
use crate::report::record::{Parts, run_record};
use crate::report::verdict;
use crate::stats::utc;
use crate::sync::held;
use crate::verdict::session::Settled;
use crate::verdict::{Check, Judge, Knee, Session};

/// Watches runs from its creation until it is closed, and judges them.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct Verdict {
    session: Arc<Session>,
    alarm: Arc<Alarm>,
    settled: Mutex<Option<Settled>>,
    /// Whether it has to wait for the first run.
    waits: bool,
    /// Whether a run before the present one did not keep to its checks.
    has_failed: AtomicBool,
}

/// How the thread of the timeline tells Python that a check is broken.
struct Alarm {
    broken: Mutex<Option<String>>,
    wake: WakeFd,
}

#[pymethods]
impl Verdict {
    /// `ValueError`, with a caret under the place, for a check that cannot be understood. One that `waits` records
    /// nothing before `begin_run`.
    #[new]
    #[pyo3(signature = (table, checks=Vec::new(), interval=1.0, waits=false))]
    fn new(table: &StatsTable, checks: Vec<String>, interval: f64, waits: bool) -> PyResult<Self> {
        let checks = parsed(&checks)?;
        let alarm = Arc::new(Alarm { broken: Mutex::default(), wake: WakeFd::new()? });
        let interval = Duration::try_from_secs_f64(interval).unwrap_or(Duration::from_secs(1));
        let alarmed = Arc::clone(&alarm);
        let broken = move |text| {
            if held(&alarmed.broken).replace(text).is_none() {
                alarmed.wake.wake();
            }
        };
        let session = Arc::new(Session::start(Arc::clone(table.table()), checks, interval, waits, broken)?);
        Ok(Self { session, alarm, settled: Mutex::default(), waits, has_failed: AtomicBool::default() })
    }

    /// A test begins, whose statistics have been emptied. Gives its number: 1 for the first.
    #[pyo3(signature = (profile=None))]
    fn begin_run(&self, py: Python<'_>, profile: Option<String>) -> u64 {
        if self.passed() == Some(false) {
            // Read by this thread alone.
            self.has_failed.store(true, Ordering::Relaxed);
        }
        *held(&self.settled) = None;
        *held(&self.alarm.broken) = None;
        self.alarm.wake.clear();
        py.detach(|| self.session.begin(profile))
    }

    /// The test has ended, and is judged: nothing more is recorded until the next one begins.
    fn end_run(&self, py: Python<'_>) {
        py.detach(|| {
            self.session.end();
            *held(&self.settled) = Some(self.session.settle());
        });
    }

    /// Whether it is this table that it judges by.
    fn watches(&self, table: &StatsTable) -> bool {
        Arc::ptr_eq(self.session.table(), table.table())
    }

    /// Readable once a check over a window is broken.
    fn fileno(&self) -> i32 {
        self.alarm.wake.raw()
    }

    /// The check over a window that is broken, and what was measured; `None` while all hold.
    fn broken(&self) -> Option<String> {
        held(&self.alarm.broken).clone()
    }

    /// End the timeline, and judge what was measured. Only the first call does anything.
    fn close(&self, py: Python<'_>) {
        py.detach(|| {
            let is_first = self.session.recorder().close();
            if is_first && !(self.waits && self.session.run() == 0) {
                *held(&self.settled) = Some(self.session.settle());
            }
        });
    }

    /// `True` or `False` once the run is closed; `None` where there were no checks.
    fn passed(&self) -> Option<bool> {
        let settled = self.settled();
        (!settled.outcomes.is_empty()).then(|| settled.outcomes.iter().all(|outcome| outcome.passed))
    }

    /// Whether any run, as far as they are closed, did not keep to its checks.
    fn failed(&self) -> bool {
        self.has_failed.load(Ordering::Relaxed) || self.passed() == Some(false)
    }

    /// The lines of the table of checks; none without checks.
    fn check_lines(&self) -> Vec<String> {
        verdict::check_table(&self.settled().outcomes)
    }

    /// The run in a few sentences.
    fn word_lines(&self, columns: usize) -> Vec<String> {
        verdict::word_lines(&self.settled().words, columns)
    }

    /// Everything that a report shows beside the statistics, as JSON: as it is now, while the run is not closed. `options`
    /// is a JSON object.
    #[pyo3(signature = (options="{}", seed=None))]
    fn record(&self, py: Python<'_>, options: &str, seed: Option<u64>) -> PyResult<String> {
        let options: Map<String, Value> =
            serde_json::from_str(options).map_err(|error| PyValueError::new_err(error.to_string()))?;
        Ok(py.detach(|| {
            let settled = held(&self.settled).clone().unwrap_or_else(|| self.session.settle());
            let timeline = self.session.recorder().timeline();
            let knee = Knee::of(timeline.intervals());
            let (outcomes, words) = (settled.outcomes.as_slice(), settled.words.as_slice());
            run_record(Parts { outcomes, words, knee: &knee, timeline: &timeline, options, seed }).to_string()
        }))
    }

    fn junit(&self) -> String {
        let timeline = self.session.recorder().timeline();
        let seconds = timeline.intervals().last().map_or(0.0, |interval| interval.end);
        verdict::junit(&self.settled().outcomes, seconds, &utc(timeline.started()))
    }

    fn markdown(&self) -> String {
        let settled = self.settled();
        verdict::markdown(&settled.outcomes, &settled.words)
    }

    /// Method, name and time slices, as JSON, of every entry: what a comparison of two runs reads.
    fn slices(&self) -> Vec<(String, String, String)> {
        let timeline = self.session.recorder().timeline();
        let slices = timeline.entries_slices().into_iter();
        slices.map(|(entry, slices)| (entry.method.to_string(), entry.name.to_string(), slices.to_string())).collect()
    }
}

impl Verdict {
    /// Nothing before the run is closed.
    fn settled(&self) -> Settled {
        held(&self.settled).clone().unwrap_or_default()
    }

    /// The runs, for whoever shows them without Python.
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }
}

/// Refuses checks that cannot be understood: `ValueError`, with a caret under the place.
#[pyfunction]
fn check_checks(checks: Vec<String>) -> PyResult<()> {
    parsed(&checks).map(drop)
}

/// Whether any of these is over a window.
#[pyfunction]
fn has_windows(checks: Vec<String>) -> PyResult<bool> {
    Ok(Judge::new(parsed(&checks)?).has_windows())
}

fn parsed(checks: &[String]) -> PyResult<Vec<Check>> {
    let mistake = |mistake: crate::verdict::Mistake| PyValueError::new_err(mistake.to_string());
    checks.iter().map(|check| Check::parse(check).map_err(mistake)).collect()
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Verdict>()?;
    module.add_function(wrap_pyfunction!(check_checks, module)?)?;
    module.add_function(wrap_pyfunction!(has_windows, module)?)
}
