//! The workers as whoever watches a test sees them.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use super::Fleet;
use crate::cluster::report::Figures;

/// What is known of one.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Worker {
    pub id: Arc<str>,
    pub index: u64,
    pub state: String,
    pub users: u64,
    /// Percent of a core.
    pub cpu: f64,
    /// Bytes.
    pub memory: u64,
    /// Whether it is one of gregaria's; the others say less.
    pub is_ours: bool,
    /// How long its Python has been busy with one thing, in seconds.
    pub busy: f64,
    pub figures: Figures,
}

impl Worker {
    pub fn is_able(&self) -> bool {
        matches!(self.state.as_str(), "ready" | "spawning" | "running")
    }
}

impl Fleet {
    /// All that have a part in this test's figures, or could have; those that have left with the state `gone`.
    pub fn participants(&self) -> Vec<Worker> {
        let mut workers = self.workers();
        let known: FxHashSet<Arc<str>> = workers.iter().map(|worker| Arc::clone(&worker.id)).collect();
        let indexes: FxHashMap<Arc<str>, u64> =
            self.nodes().indexes().map(|(id, index)| (Arc::clone(id), index)).collect();
        let reports = self.reports();
        workers.extend(reports.reporters().filter(|id| !known.contains(*id)).map(|id| Worker {
            id: id.into(),
            index: indexes.get(id).copied().unwrap_or(u64::MAX),
            state: "gone".into(),
            figures: reports.figures(id).unwrap_or_default(),
            ..Worker::default()
        }));
        drop(reports);
        workers.sort_by(|a, b| (a.index, &a.id).cmp(&(b.index, &b.id)));
        workers
    }

    /// All that are known now, by their indexes.
    pub fn workers(&self) -> Vec<Worker> {
        let mut workers = self.states();
        for worker in &mut workers {
            // Each under the lock by itself: reports and heartbeats wait for no more than one worker's figures.
            worker.figures = self.reports().figures(&worker.id).unwrap_or_default();
        }
        workers
    }

    /// The same without figures, for who is asked often and shows none.
    pub fn states(&self) -> Vec<Worker> {
        let nodes = self.nodes();
        let worker = |(id, node): (&Arc<str>, &super::Node)| Worker {
            id: Arc::clone(id),
            index: node.index,
            state: node.state.name().to_owned(),
            users: node.user_count(),
            cpu: node.cpu,
            memory: node.memory,
            is_ours: node.is_ours,
            busy: node.busy,
            figures: Figures::default(),
        };
        let mut workers: Vec<_> = nodes.iter().map(worker).collect();
        drop(nodes);
        workers.sort_by_key(|worker| worker.index);
        workers
    }
}
