//! What locustfiles raised, grouped by traceback.

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

/// All exceptions with the same traceback.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExceptionRecord {
    pub count: u64,
    /// Of the first of them.
    pub message: String,
    pub traceback: String,
    /// The nodes where it was raised: `local`, or workers' ids.
    pub nodes: BTreeSet<String>,
}

/// Every record, in order of first occurrence.
#[derive(Debug, Clone, Default)]
pub struct Exceptions {
    records: Vec<ExceptionRecord>,
    by_traceback: FxHashMap<String, usize>,
}

impl Exceptions {
    pub fn record(&mut self, node: &str, message: &str, traceback: &str) {
        let index = self.by_traceback.get(traceback).copied().unwrap_or_else(|| self.add(message, traceback));
        let record = &mut self.records[index];
        record.count += 1;
        if !record.nodes.contains(node) {
            record.nodes.insert(node.into());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = &ExceptionRecord> {
        self.records.iter()
    }

    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }

    fn add(&mut self, message: &str, traceback: &str) -> usize {
        self.by_traceback.insert(traceback.into(), self.records.len());
        self.records.push(ExceptionRecord {
            count: 0,
            message: message.into(),
            traceback: traceback.into(),
            nodes: BTreeSet::new(),
        });
        self.records.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_traceback_is_one_record() {
        let mut exceptions = Exceptions::default();
        exceptions.record("local", "first", "at a");
        exceptions.record("w1", "second", "at a");
        exceptions.record("local", "other", "at b");
        let records: Vec<_> = exceptions.iter().map(|r| (r.count, r.message.as_str(), r.nodes.len())).collect();
        assert_eq!(records, [(2, "first", 2), (1, "other", 1)]);
    }
}
