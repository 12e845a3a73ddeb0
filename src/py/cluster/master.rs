//! `_engine.ClusterMaster`: a master's workers seen from Python, and what its thread hands over.

#![allow(clippy::needless_pass_by_value, reason = "Python's arguments arrive by value")]

use std::collections::BTreeMap;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use pyo3::exceptions::PyOSError;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyDictMethods};

use super::values;
use crate::clock::now;
use crate::cluster::master::{
    self, Event, Fleet, Level, Master, Node, Pairs, Phase, Queue, Share, State, Timing, Wish,
};
use crate::cluster::message;
use crate::cluster::transport::Settings;
use crate::py::hub::hub;
use crate::py::stats::StatsTable;

/// Listens for workers from its creation until it is closed.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct ClusterMaster {
    master: Master,
}

#[pymethods]
impl ClusterMaster {
    /// `OSError` where it cannot listen, `ValueError` for a key that is none.
    #[new]
    #[pyo3(signature = (table, host, port, *, key=None))]
    fn new(py: Python<'_>, table: &Bound<'_, StatsTable>, host: &str, port: u16, key: Option<&str>) -> PyResult<Self> {
        let settings = Settings { key: super::key(key)?, ..Settings::default() };
        let fleet = Arc::new(Fleet::new(Arc::clone(table.get().table())));
        let master = py.detach(|| Master::bind(host, port, settings, fleet)).map_err(|error| {
            let text = error.to_string();
            // With its number, where it has one: that the port is taken has words of its own.
            error
                .raw_os_error()
                .map_or_else(|| PyOSError::new_err(text.clone()), |code| PyOSError::new_err((code, text.clone())))
        })?;
        Ok(Self { master })
    }

    #[getter]
    fn port(&self) -> u16 {
        self.master.port()
    }

    /// Park until there is something for Python to do; `None` when there will be no more. One greenlet may wait.
    fn next(&self, py: Python<'_>) -> PyResult<Option<ClusterEvent>> {
        Self::next_of(py, self.fleet().queue())
    }

    /// As `next()`, of the messages that nodes of ours send each other: they wait behind no listener.
    fn next_own(&self, py: Python<'_>) -> PyResult<Option<ClusterEvent>> {
        Self::next_of(py, self.fleet().own_queue())
    }

    /// Send to each of these nodes. `TypeError` for what `MessagePack` cannot hold.
    fn send(&self, kind: &str, data: &Bound<'_, PyAny>, nodes: Vec<String>) -> PyResult<()> {
        let data = encoded(data)?;
        if kind == "stop" {
            let mut known = self.fleet().nodes();
            for node in &nodes {
                known.change(node, Node::asked_to_stop);
            }
        }
        let message = |node: String| {
            let message = message::encode_raw(kind, &data, &node);
            (node, message)
        };
        self.master.send(nodes.into_iter().map(message).collect());
        Ok(())
    }

    /// Send to a node data that have been encoded by `pack_data`.
    fn send_packed(&self, kind: &str, data: &[u8], node: String) {
        let message = message::encode_raw(kind, data, &node);
        self.master.send(vec![(node, message)]);
    }

    /// Tell each node how many users of each class to run. `common` is what the messages have beside time and counts,
    /// `ours` what nodes of ours are told beside that. `TypeError` for what `MessagePack` cannot hold.
    fn spawn(&self, shares: &Bound<'_, PyDict>, common: &Bound<'_, PyDict>, ours: &Bound<'_, PyDict>) -> PyResult<()> {
        let shares = shares.iter().map(|(node, counts)| share(&node, &counts)).collect::<PyResult<Vec<_>>>()?;
        let wish = Wish { common: pairs(common)?, ours: pairs(ours)? };
        let mut nodes = self.fleet().nodes();
        // Who has just come may be one of ours; a worker of Locust's does not look at what it does not know.
        let is_ours = |id: &str| nodes.get(id).is_none_or(|node| node.is_ours || !node.has_beaten);
        let messages = master::messages(&shares, &wish, is_ours, &mut self.fleet().clock(), now());
        for (node, message) in &messages {
            nodes.change(node, |node| node.asked_to_spawn(message.clone()));
        }
        drop(nodes);
        self.master.send(messages);
        Ok(())
    }

    /// Count from now on in this table.
    fn set_table(&self, table: &Bound<'_, StatsTable>) {
        self.fleet().set_table(Arc::clone(table.get().table()));
    }

    /// Seconds between two looks at who is silent, how many of them a worker is allowed, when it is forgotten, and seconds
    /// between two reports.
    fn set_timing(&self, interval: f64, liveness: i64, dead: i64, reports: f64) {
        let duration = |seconds| Duration::try_from_secs_f64(seconds).unwrap_or_default().max(Duration::from_millis(1));
        let (interval, reports) = (duration(interval), duration(reports));
        self.fleet().set_timing(Timing { interval, liveness, dead, reports });
    }

    /// Everyone who has a part in this test's figures, as JSON: `src/web/workers.rs` has the fields.
    fn participants(&self) -> String {
        let workers = self.fleet().participants();
        workers.iter().map(crate::web::worker_json).collect::<serde_json::Value>().to_string()
    }

    /// The state of the test.
    fn set_state(&self, state: &str) {
        self.fleet().set_phase(match state {
            "stopping" => Phase::Stopping,
            "stopped" => Phase::Stopped,
            _ => Phase::Other,
        });
    }

    /// Whether somebody listens to reports, and to heartbeats.
    fn hear(&self, reports: bool, heartbeats: bool) {
        self.fleet().hear(reports, heartbeats);
    }

    /// A test begins: what each node has reported is counted anew.
    fn begin_test(&self) {
        self.fleet().reports().began();
    }

    /// Have who waits for a change look again.
    fn wake(&self) {
        self.fleet().note_change();
    }

    /// Counts what workers say of themselves: a number that is another one after each change.
    #[getter]
    fn changes(&self) -> u64 {
        *self.fleet().changes().borrow()
    }

    /// Park until `changes` is another number.
    fn wait_past(&self, py: Python<'_>, changes: u64) -> PyResult<()> {
        let mut receiver = self.fleet().changes();
        // On the heap: what a channel links into its list of who waits must stay where it is when this greenlet parks.
        let mut changed = Box::pin(async move { receiver.wait_for(|now| *now != changes).await.is_ok() });
        hub(py)?.wait_for(py, changed.as_mut()).map(drop)
    }

    /// Of all workers, by what they said last.
    #[getter]
    fn user_count(&self) -> u64 {
        self.fleet().nodes().user_count()
    }

    /// Of the workers that can run users.
    fn user_classes_count(&self) -> BTreeMap<String, u64> {
        self.fleet().nodes().users().into_iter().map(|(name, count)| (name.to_string(), count)).collect()
    }

    /// How many workers are ready, spawning, running, missing, and in a state of their own.
    fn tally(&self) -> (usize, usize, usize, usize, usize) {
        let tally = self.fleet().nodes().tally();
        (tally.ready, tally.spawning, tally.running, tally.missing, tally.other)
    }

    /// Whether no worker is active; or, where the test is being stopped, all are ready.
    fn is_at_rest(&self, is_stopping: bool) -> bool {
        self.fleet().is_at_rest(is_stopping)
    }

    /// How many messages were none.
    #[getter]
    fn refused(&self) -> u64 {
        self.fleet().refused()
    }

    /// How often its socket refused: strangers, keys, violations, clashes of names, messages to full queues.
    fn refused_connections(&self) -> (u64, u64, u64, u64, u64) {
        self.master.refused().into()
    }

    /// Whether one more line about a worker's message may be in the log; what is left out is told by itself.
    fn may_say(&self) -> bool {
        self.fleet().may_say()
    }

    /// A node's index; a new one, where it was never heard of.
    fn index(&self, node: &str) -> u64 {
        self.fleet().nodes().index(node)
    }

    /// The indexes of all that were ever heard of.
    fn indexes(&self) -> BTreeMap<String, u64> {
        self.fleet().nodes().indexes().map(|(id, index)| (id.to_string(), index)).collect()
    }

    /// State, liveness, CPU (%), memory (bytes), whether the CPU was warned of, and whether it is one of ours; `None`
    /// where there is no such node.
    fn node(&self, node: &str) -> Option<(String, i64, f64, u64, bool, bool)> {
        let nodes = self.fleet().nodes();
        let node = nodes.get(node)?;
        let state = node.state.name().to_owned();
        Some((state, node.liveness, node.cpu, node.memory, node.is_cpu_warned, node.is_ours))
    }

    /// Users of each class of a node; `None` where there is no such node.
    fn users_of(&self, node: &str) -> Option<BTreeMap<String, u64>> {
        let nodes = self.fleet().nodes();
        let users = &nodes.get(node)?.users;
        Some(users.iter().map(|(name, count)| (name.to_string(), *count)).collect())
    }

    /// Say of a node what it has not said itself. Does nothing where there is no such node.
    #[pyo3(signature = (node, *, state=None, liveness=None, users=None))]
    fn set_node(&self, node: &str, state: Option<&str>, liveness: Option<i64>, users: Option<BTreeMap<String, u64>>) {
        let mut nodes = self.fleet().nodes();
        if let Some(state) = state {
            nodes.set_state(node, State::from(state));
        }
        if let Some(liveness) = liveness {
            nodes.change(node, |node: &mut Node| node.liveness = liveness);
        }
        if let Some(users) = users {
            let users = users.into_iter().map(|(name, count)| (name.into(), count)).collect();
            nodes.set_users(node, users);
        }
        drop(nodes);
        self.fleet().note_change();
    }

    /// Forget a node; `False` where there is none.
    fn remove(&self, node: &str) -> bool {
        let was_there = self.fleet().nodes().remove(node).is_some();
        self.fleet().note_change();
        was_there
    }

    /// Send what is still to be sent, and listen no more.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.master.close());
    }
}

impl ClusterMaster {
    pub fn fleet(&self) -> &Arc<Fleet> {
        self.master.fleet()
    }

    fn next_of(py: Python<'_>, queue: &Queue) -> PyResult<Option<ClusterEvent>> {
        let mut next = pin!(poll_fn(|context| queue.poll_next(context)));
        Ok(hub(py)?.wait_for(py, next.as_mut())?.map(ClusterEvent::new))
    }
}

fn encoded(value: &Bound<'_, PyAny>) -> PyResult<Vec<u8>> {
    values::encoded(value)
}

fn pairs(map: &Bound<'_, PyDict>) -> PyResult<Pairs> {
    let mut bytes = Vec::new();
    for (name, value) in map.iter() {
        bytes.extend(encoded(&name)?);
        bytes.extend(encoded(&value)?);
    }
    Ok(Pairs { bytes, count: u32::try_from(map.len()).unwrap_or(u32::MAX) })
}

fn share(node: &Bound<'_, PyAny>, counts: &Bound<'_, PyAny>) -> PyResult<Share> {
    let counts = counts.cast::<PyDict>()?;
    let count = |(name, count): (Bound<'_, PyAny>, Bound<'_, PyAny>)| Ok((name.extract()?, count.extract()?));
    Ok((node.extract()?, counts.iter().map(count).collect::<PyResult<_>>()?))
}

/// Something for Python to do or to say.
#[pyclass(frozen, module = "gregaria._engine")]
#[derive(Default)]
pub struct ClusterEvent {
    /// What has happened.
    #[pyo3(get)]
    kind: &'static str,
    /// The node that it is about, or nothing.
    #[pyo3(get)]
    node: String,
    /// Its index.
    #[pyo3(get)]
    index: u64,
    /// How many workers can run users then.
    #[pyo3(get)]
    workers: usize,
    /// How many of them are ready.
    #[pyo3(get)]
    ready: usize,
    /// Whether the node was known before.
    #[pyo3(get)]
    was_known: bool,
    /// When, in seconds of the epoch.
    #[pyo3(get)]
    at: f64,
    /// A state, a kind of message, a reason, a line of the log.
    #[pyo3(get)]
    text: String,
    /// All nodes that it is about, where they are several.
    #[pyo3(get)]
    nodes: Vec<String>,
    data: Bytes,
}

#[pymethods]
impl ClusterEvent {
    /// The data of the message, each time anew.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        values::decoded(py, &self.data)
    }
}

impl ClusterEvent {
    fn new(event: Event) -> Self {
        let of = |kind, node: Arc<str>| Self { kind, node: node.to_string(), ..Self::default() };
        match event {
            Event::Ready { id, index, version: data, was_known, workers } => {
                Self { index, workers, was_known, data, ..of("client_ready", id) }
            }
            Event::TooOld { id } => of("too_old", id),
            Event::Stopped { id, index } => Self { index, ..of("client_stopped", id) },
            Event::Quit { id, index, ready, workers } => Self { index, workers, ready, ..of("quit", id) },
            Event::Missing { id, workers } => Self { workers, ..of("missing", id) },
            Event::Forgotten { ids } => {
                let nodes = ids.iter().map(ToString::to_string).collect();
                Self { kind: "forgotten", nodes, ..Self::default() }
            }
            Event::Healed { id, state } => Self { text: state.to_string(), ..of("healed", id) },
            Event::Stranger { id, kind } => Self { text: kind.into(), ..of("stranger", id) },
            Event::Hot { id, index } => Self { index, ..of("hot", id) },
            Event::Beaten { id, at } => Self { at, ..of("heartbeat", id) },
            Event::Reported { id, data } => Self { data, ..of("stats", id) },
            Event::Discarded { id } => of("discarded", id),
            Event::Unmerged { id, why: text } => Self { text, ..of("unmerged", id) },
            Event::Logs { data } => Self { kind: "logs", data, ..Self::default() },
            Event::Locustfile { id, node_id, data } => Self { text: node_id.to_string(), data, ..of("locustfile", id) },
            Event::Custom { kind, id, data } => Self { text: kind.into(), data, ..of("custom", id) },
            Event::AtRest => Self { kind: "at_rest", ..Self::default() },
            Event::Line { level: Level::Warning, text } => Self { kind: "warning", text, ..Self::default() },
            Event::Line { level: Level::Error, text } => Self { kind: "error", text, ..Self::default() },
        }
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ClusterMaster>()?;
    module.add_class::<ClusterEvent>()
}
