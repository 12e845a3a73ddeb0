//! A worker's side: what it writes, and what it knows of its master's clock.

use std::sync::Mutex;

use rmpv::Value;

use super::clock::Offset;
use super::{KEY, Stamp, write};
use crate::cluster::message::field;
use crate::stats::Table;
use crate::sync::held;

/// To whom it reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Master {
    /// Only what Locust's workers say.
    Locusts,
    /// Whole histograms, too.
    Ours,
}

/// One for the life of a worker.
#[derive(Debug)]
pub struct Reporter {
    instance: u64,
    sequence: u64,
    /// The test of the last report, and how many of its requests are in reports.
    test: u64,
    reported: u64,
    offset: Offset,
}

impl Default for Reporter {
    fn default() -> Self {
        Self::new()
    }
}

impl Reporter {
    pub fn new() -> Self {
        // What a hash map keeps its hashes from being guessed with: different in each process.
        let instance = std::hash::BuildHasher::hash_one(&std::hash::RandomState::new(), std::process::id());
        Self { instance, sequence: 0, test: 0, reported: 0, offset: Offset::default() }
    }

    /// The number and the data of a `stats` message, which empties the table. `users` of each class run; `now` is seconds
    /// of the epoch.
    ///
    /// The lock is held while rows are put aside; they are written afterwards.
    pub fn write(&mut self, table: &Mutex<Table>, users: &[(String, u64)], now: f64, to: Master) -> (u64, Vec<u8>) {
        let taken = held(table).take(now);
        if taken.age != self.test {
            (self.test, self.reported) = (taken.age, 0);
        }
        self.sequence += 1;
        self.reported += taken.total.parts().num_requests;
        let stamp = self.stamp(self.test, self.reported, now);
        (self.sequence, write::write(&taken, users, (to == Master::Ours).then_some(&stamp)))
    }

    /// What a heartbeat has under [`KEY`]: a map, to which more may be added.
    pub fn heartbeat(&self, table: &Mutex<Table>, now: f64) -> Value {
        let (test, unreported) = {
            let table = held(table);
            (table.ages().0, table.total().parts().num_requests)
        };
        let reported = if test == self.test { self.reported } else { 0 };
        self.stamp(test, reported + unreported, now).to_value()
    }

    /// Our master's answer to a heartbeat: what it says of its clock. Locust's says nothing.
    pub fn answered(&mut self, data: &Value, now: f64) {
        let number = |key| field(field(data, KEY)?, key)?.as_f64();
        if let Some((sent, there)) = number("clock").zip(number("now")) {
            self.offset.measure(sent, there, now);
        }
    }

    fn stamp(&self, test: u64, counted: u64, now: f64) -> Stamp {
        let (instance, sequence, offset) = (self.instance, self.sequence, self.offset.best());
        Stamp { instance, sequence, test, counted, clock: now, offset }
    }
}
