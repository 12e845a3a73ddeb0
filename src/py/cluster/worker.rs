//! `_engine.ClusterWorker`: a worker's end of the connection to its master.

#![allow(clippy::needless_pass_by_value, reason = "Python's arguments arrive by value")]

use std::future::poll_fn;
use std::pin::pin;
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use super::values::{decoded, encoded};
use crate::cluster::transport::{self, Key};
use crate::cluster::worker::{Event, Intervals, Listeners, Settings, State, Worker};
use crate::py::hub::hub;
use crate::py::stats::StatsTable;

/// Calls for its master from its creation on. It ends when it is closed.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct ClusterWorker(Worker);

#[pymethods]
impl ClusterWorker {
    /// `OSError` where there can be no such worker, `ValueError` for a key that is none.
    #[new]
    #[pyo3(signature = (table, host, port, client_id, version, *, key=None))]
    fn new(
        py: Python<'_>,
        table: &StatsTable,
        host: String,
        port: u16,
        client_id: String,
        version: String,
        key: Option<&str>,
    ) -> PyResult<Self> {
        let settings = settings(host, port, client_id, version, super::key(key)?);
        let table = std::sync::Arc::clone(table.table());
        Ok(Self(py.detach(|| Worker::start(settings, table))?))
    }

    /// Park until there is something to do, and return what and with what; `None` when there will be no more. One
    /// greenlet may wait.
    fn next<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let mut next = pin!(poll_fn(|context| self.0.poll_next(context)));
        hub(py)?.wait_for(py, next.as_mut())?.map(|event| told(py, event)).transpose()
    }

    /// The same, of the messages that only our own nodes send each other: kind, data, node id.
    fn next_of_ours<'py>(&self, py: Python<'py>) -> PyResult<Option<Bound<'py, PyTuple>>> {
        let mut next = pin!(poll_fn(|context| self.0.poll_next_of_ours(context)));
        hub(py)?.wait_for(py, next.as_mut())?.map(|event| told(py, event)).transpose()
    }

    /// Send a message. `TypeError`, `ValueError` or `OverflowError` for data that no message can have.
    fn send(&self, kind: &str, data: &Bound<'_, PyAny>) -> PyResult<()> {
        self.0.send(kind, &encoded(data)?);
        Ok(())
    }

    /// Report what was counted since the last report, after what was sent before.
    fn report(&self, py: Python<'_>) {
        py.detach(|| self.0.report());
    }

    /// The data of such a report, packed, which who takes them has to send.
    fn take_report<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let report = py.detach(|| self.0.take_report());
        PyBytes::new(py, &report)
    }

    /// How many messages found no room, since this was last asked: the master takes none.
    fn take_unsent(&self) -> u64 {
        self.0.take_unsent()
    }

    /// Connect anew.
    fn reopen(&self) {
        self.0.reopen();
    }

    /// Send nothing any more but what is asked for.
    fn fall_silent(&self) {
        self.0.fall_silent();
    }

    /// It has done what a stop message asked for.
    fn stopped(&self) {
        self.0.stopped();
    }

    /// `ready`, `spawning` or `running`.
    fn set_state(&self, state: &str) -> PyResult<()> {
        let state = State::from_name(state);
        self.0.set_state(state.ok_or_else(|| PyValueError::new_err("a worker is `ready`, `spawning` or `running`"))?);
        Ok(())
    }

    /// How many users of each class run, in the order in which they are reported.
    fn set_users(&self, users: Vec<(String, u64)>) {
        self.0.set_users(users);
    }

    /// A user of this class has begun, or has ended.
    fn count_user(&self, class_name: &str, has_begun: bool) {
        self.0.count_user(class_name, has_begun);
    }

    /// Show that Python is not busy. Intervals in seconds; how many calls after the first may find no answer; whether Python has a part in reports, and is told heartbeats.
    #[pyo3(signature = (*, answer, heartbeat, report, usage, silence, calls, reports_to_python, heartbeats_to_python))]
    #[allow(clippy::too_many_arguments, reason = "Python names them")]
    fn come_round(
        &self,
        answer: f64,
        heartbeat: f64,
        report: f64,
        usage: f64,
        silence: f64,
        calls: u32,
        reports_to_python: bool,
        heartbeats_to_python: bool,
    ) {
        let [answer, heartbeat, report, usage, silence] = [answer, heartbeat, report, usage, silence].map(interval);
        let listeners = Listeners { reports: reports_to_python, heartbeats: heartbeats_to_python };
        self.0.come_round(Intervals { answer, heartbeat, report, usage, silence, calls }, listeners);
    }

    /// Whether the master is a gregaria, too.
    #[getter]
    fn master_is_ours(&self) -> bool {
        self.0.master_is_ours()
    }

    /// When the master last answered a heartbeat, in seconds of the epoch; `None` before it has.
    #[getter]
    fn heard_at(&self) -> Option<f64> {
        self.0.heard_at()
    }

    /// Send what is left, for so many seconds at most, and end. `True` where all of it went out.
    fn close(&self, py: Python<'_>, patience: f64) -> bool {
        py.detach(|| self.0.close(Duration::try_from_secs_f64(patience).unwrap_or_default()))
    }
}

pub(super) fn settings(host: String, port: u16, id: String, version: String, key: Option<Key>) -> Settings {
    Settings { host, port, id, version, transport: transport::Settings { key, ..transport::Settings::default() } }
}

/// Not so short that nothing else would be done, not so long that it would never come.
fn interval(seconds: f64) -> Duration {
    Duration::from_secs_f64(seconds.clamp(0.01, 1e8))
}

/// An event as Python takes it: its name, and what belongs to it.
fn told(py: Python<'_>, event: Event) -> PyResult<Bound<'_, PyTuple>> {
    match event {
        Event::Acknowledged { index, rejoined } => ("acknowledged", index, rejoined).into_pyobject(py),
        Event::Unanswered(calls) => ("unanswered", calls).into_pyobject(py),
        Event::Heartbeat { at, node_id } => ("heartbeat", at, node_id).into_pyobject(py),
        Event::ReportDue => ("report",).into_pyobject(py),
        Event::Silence => ("silence",).into_pyobject(py),
        Event::Malformed(why) => ("malformed", why).into_pyobject(py),
        Event::Notice { text, is_final } => ("notice", text, is_final).into_pyobject(py),
        Event::Message { kind, data, node_id } => match decoded(py, &data) {
            Ok(data) => ("message", kind, data, node_id).into_pyobject(py),
            Err(why) => ("malformed", format!("`{kind}`: {why}")).into_pyobject(py),
        },
    }
}
