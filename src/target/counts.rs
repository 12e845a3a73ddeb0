//! The witness's memory: what arrived and what became of it, to the last request.
//!
//! Every serving thread has a shard of its own, so counting meets no other thread; a reader adds the shards up. What
//! `/witness/…` is asked is not counted, nor a connection that begins with such a request: it is the reader's own.
//!
//! At any moment `requests = finished + aborted + cut + those being answered`, each since the last reset.

use std::sync::{Mutex, MutexGuard};

use rustc_hash::FxHashMap;
use serde_json::{Map, Value, json};

use crate::sync::held;

/// How many different targets are remembered with their queries, and again as many without; beyond that they share a row.
const MOST_ROWS: usize = 100_000;

/// What became of a request.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The whole answer was handed to the system.
    Finished { status: u16 },
    /// The client went away, or broke off its own request, before that.
    Aborted,
    /// We did not answer, or not properly, because the route is there for that.
    Cut,
}

/// One thread's counts.
#[derive(Default)]
pub struct Shard(Mutex<Tally>);

#[derive(Default)]
struct Tally {
    /// Raised by every reset: what began before one is not counted after it.
    epoch: u64,
    requests: u64,
    finished: u64,
    aborted: u64,
    cut: u64,
    malformed: u64,
    connections_opened: u64,
    connections_open: u64,
    statuses: FxHashMap<u16, u64>,
    by_full: FxHashMap<Box<str>, u64>,
    key: String,
}

impl Shard {
    fn lock(&self) -> MutexGuard<'_, Tally> {
        held(&self.0)
    }

    /// A connection was accepted.
    pub fn opened(&self) -> OpenConnection<'_> {
        let mut tally = self.lock();
        tally.connections_opened += 1;
        tally.connections_open += 1;
        OpenConnection { shard: self, epoch: tally.epoch, counted: true }
    }

    /// A request's head is here.
    pub fn arrived(&self, method: &str, target: &str) -> Arrival<'_> {
        let mut tally = self.lock();
        tally.requests += 1;
        tally.count_row(method, target);
        Arrival { shard: self, epoch: tally.epoch, outcome: None }
    }

    /// Something arrived that is no request.
    pub fn malformed(&self) {
        self.lock().malformed += 1;
    }

    pub fn reset(&self) {
        let mut tally = self.lock();
        *tally = Tally { epoch: tally.epoch + 1, connections_open: tally.connections_open, ..Tally::default() };
    }
}

impl Tally {
    fn count_row(&mut self, method: &str, target: &str) {
        let mut key = std::mem::take(&mut self.key);
        write_key(&mut key, method, target);
        if let Some(count) = self.by_full.get_mut(key.as_str()) {
            *count += 1;
        } else {
            if self.by_full.len() >= MOST_ROWS {
                write_key(&mut key, method, path_of(target));
                key.push_str("?(others)");
            }
            if self.by_full.len() >= 2 * MOST_ROWS && !self.by_full.contains_key(key.as_str()) {
                "(others)".clone_into(&mut key);
            }
            *self.by_full.entry(key.as_str().into()).or_default() += 1;
        }
        self.key = key;
    }

    fn count(&mut self, outcome: Outcome, step: i64) {
        let counter = match outcome {
            Outcome::Finished { status } => {
                add(self.statuses.entry(status).or_default(), step);
                &mut self.finished
            }
            Outcome::Aborted => &mut self.aborted,
            Outcome::Cut => &mut self.cut,
        };
        add(counter, step);
    }
}

fn write_key(key: &mut String, method: &str, target: &str) {
    key.clear();
    key.push_str(method);
    key.push(' ');
    key.push_str(target);
}

fn path_of(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

fn add(counter: &mut u64, step: i64) {
    *counter = counter.wrapping_add_signed(step);
}

/// A connection being served; closing it is dropping this.
pub struct OpenConnection<'a> {
    shard: &'a Shard,
    epoch: u64,
    counted: bool,
}

impl OpenConnection<'_> {
    /// It is the reader's own: as if it had never been.
    pub fn uncount(&mut self) {
        let mut tally = self.shard.lock();
        if std::mem::take(&mut self.counted) {
            tally.connections_open -= 1;
            if tally.epoch == self.epoch {
                tally.connections_opened -= 1;
            }
        }
    }
}

impl Drop for OpenConnection<'_> {
    fn drop(&mut self) {
        if self.counted {
            self.shard.lock().connections_open -= 1;
        }
    }
}

/// A request on its way to its outcome; dropped without one it was aborted.
pub struct Arrival<'a> {
    shard: &'a Shard,
    epoch: u64,
    outcome: Option<Outcome>,
}

impl Arrival<'_> {
    /// Count the outcome, taking back an earlier one.
    ///
    /// An answer is counted just before its last byte is written, and taken back should the write fail: whoever has
    /// read an answer finds it counted.
    pub fn settle(&mut self, outcome: Outcome) {
        let mut tally = self.shard.lock();
        if tally.epoch != self.epoch || self.outcome == Some(outcome) {
            return;
        }
        if let Some(earlier) = self.outcome.replace(outcome) {
            tally.count(earlier, -1);
        }
        tally.count(outcome, 1);
    }
}

impl Drop for Arrival<'_> {
    fn drop(&mut self) {
        if self.outcome.is_none() {
            self.settle(Outcome::Aborted);
        }
    }
}

/// All shards added up, as `/witness/counts` gives it.
pub fn report(shards: &[Shard]) -> Value {
    let mut sum = Tally::default();
    for shard in shards {
        sum.absorb(&shard.lock());
    }
    let mut by: FxHashMap<&str, u64> = FxHashMap::default();
    for (target, count) in &sum.by_full {
        *by.entry(path_of(target)).or_default() += count;
    }
    json!({
        "requests": sum.requests,
        "requests_finished": sum.finished,
        "requests_aborted": sum.aborted,
        "requests_cut": sum.cut,
        "requests_open": sum.requests - sum.finished - sum.aborted - sum.cut,
        "malformed": sum.malformed,
        "connections_opened": sum.connections_opened,
        "connections_open": sum.connections_open,
        "statuses": sorted(sum.statuses.iter().map(|(status, &count)| (status.to_string(), count))),
        "by": sorted(by.into_iter().map(|(target, count)| (target.to_owned(), count))),
        "by_full": sorted(sum.by_full.iter().map(|(target, &count)| (target.to_string(), count))),
    })
}

impl Tally {
    fn absorb(&mut self, other: &Tally) {
        self.requests += other.requests;
        self.finished += other.finished;
        self.aborted += other.aborted;
        self.cut += other.cut;
        self.malformed += other.malformed;
        self.connections_opened += other.connections_opened;
        self.connections_open += other.connections_open;
        for (status, count) in &other.statuses {
            *self.statuses.entry(*status).or_default() += count;
        }
        for (target, count) in &other.by_full {
            *self.by_full.entry(target.clone()).or_default() += count;
        }
    }
}

/// Zero counts are left out: they are answers that were taken back.
fn sorted(rows: impl Iterator<Item = (String, u64)>) -> Map<String, Value> {
    let mut rows: Vec<_> = rows.filter(|(_, count)| *count > 0).collect();
    rows.sort();
    rows.into_iter().map(|(key, count)| (key, count.into())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_that_could_not_be_written_is_taken_back() {
        let shards = [Shard::default()];
        let mut arrival = shards[0].arrived("GET", "/json");
        arrival.settle(Outcome::Finished { status: 200 });
        arrival.settle(Outcome::Aborted);
        drop(arrival);
        let counts = report(&shards);
        assert_eq!(counts["requests_finished"], 0);
        assert_eq!(counts["requests_aborted"], 1);
        assert_eq!(counts["statuses"], json!({}));
    }

    #[test]
    fn rows_add_up_over_threads_and_queries() {
        let shards = [Shard::default(), Shard::default()];
        drop(shards[0].arrived("GET", "/a?x=1"));
        drop(shards[1].arrived("GET", "/a?x=2"));
        drop(shards[1].arrived("GET", "/a?x=2"));
        let counts = report(&shards);
        assert_eq!(counts["by"], json!({"GET /a": 3}));
        assert_eq!(counts["by_full"], json!({"GET /a?x=1": 1, "GET /a?x=2": 2}));
    }

    #[test]
    fn what_began_before_a_reset_is_not_counted_after_it() {
        let shards = [Shard::default()];
        let arrival = shards[0].arrived("GET", "/");
        let mut reader = shards[0].opened();
        let kept = shards[0].opened();
        shards[0].reset();
        drop(arrival);
        reader.uncount();
        let counts = report(&shards);
        assert_eq!(counts["requests_aborted"], 0);
        assert_eq!(counts["connections_opened"], 0);
        assert_eq!(counts["connections_open"], 1);
        drop(kept);
    }

    #[test]
    fn the_table_of_targets_does_not_grow_without_end() {
        let shard = Shard::default();
        for n in 0..2 * MOST_ROWS + 10 {
            drop(shard.arrived("GET", &format!("/search?q={n}")));
        }
        assert_eq!(shard.lock().by_full.len(), MOST_ROWS + 1);
        assert_eq!(report(&[shard])["by"]["GET /search"], 2 * MOST_ROWS + 10);
    }
}
