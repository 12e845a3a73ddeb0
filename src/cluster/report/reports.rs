//! A master's side: what comes is added to its table, and of each worker is known what came.

use std::collections::HashMap;
use std::sync::Mutex;

use rmpv::Value;

use super::clock::Offset;
use super::ledger::{Arrival, Ledger};
use super::read::Report;
use super::{Figures, Gone, KEY, Malformed, Stamp};
use crate::stats::Table;
use crate::sync::held;

/// Of all workers, by their ids. Whoever sends a report is in it, known to the master or not.
#[derive(Debug, Default)]
pub struct Reports {
    ledgers: HashMap<String, Ledger>,
    /// How often the table had been zeroed when the last report of this test came.
    zeroed: Option<u64>,
}

/// What became of a report.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Merged {
    /// How many users of each class run on the worker.
    pub users: Vec<(String, u64)>,
    pub requests: u64,
    /// The same report came before, so nothing of it was used.
    pub is_duplicate: bool,
    /// What the log should warn of.
    pub complaints: Vec<String>,
}

impl Reports {
    /// Far more than a fleet has: who sends under ever new names fills no memory.
    const MOST: usize = 50_000;

    /// Add the data of a worker's `stats` message to the table. `now` is seconds of the Unix epoch.
    pub fn merge(&mut self, node: &str, data: &[u8], table: &Mutex<Table>, now: f64) -> Result<Merged, Malformed> {
        let report = Report::read(data)?;
        self.follow(held(table).ages().1);
        let (requests, failures) = report.counted();
        let ledger = self.ledger(node);
        let mut complaints = Vec::new();
        let mut correction = 0.0;
        if let Some(stamp) = &report.stamp {
            ledger.heard(*stamp);
            correction = Offset::correction(stamp.offset);
            match ledger.arrive(node, stamp, requests) {
                Arrival::Duplicate => return Ok(Merged { is_duplicate: true, ..Merged::default() }),
                Arrival::New(complaint) => complaints.extend(complaint),
                Arrival::Over(complaint) => {
                    let users = report.users.iter().map(|(class, count)| ((*class).to_owned(), *count)).collect();
                    complaints.extend(complaint);
                    return Ok(Merged { users, complaints, ..Merged::default() });
                }
            }
        } else {
            complaints.extend(ledger.came_back(node));
        }
        complaints.extend(ledger.name_clock(node, correction, report.last_request(), now));
        let users: u64 = report.users.iter().map(|(_, count)| count).fold(0, |sum, count| sum.saturating_add(*count));
        ledger.note(now, requests, failures, users);
        report.add_lag_to(&mut ledger.lag);
        let losses = (!complaints.is_empty()).then(|| self.losses());
        let mut table = held(table);
        report.add_to(&mut table, now, correction);
        losses.into_iter().for_each(|losses| table.set_losses(losses));
        drop(table);
        let users = report.users.iter().map(|(class, count)| ((*class).to_owned(), *count)).collect();
        Ok(Merged { users, requests, is_duplicate: false, complaints })
    }

    /// What a heartbeat of a worker of ours has under [`KEY`]. Gives the data of the answer: by which clocks it came, and
    /// which of the reports up to its own are missing here.
    pub fn heartbeat(&mut self, node: &str, said: &Value, now: f64) -> Value {
        let stamp = Stamp::of_value(said);
        let ledger = self.ledger(node);
        ledger.heard(stamp);
        let missing = ledger.missing(&stamp).into_iter().map(Value::from).collect();
        let ours = Value::Map(vec![
            ("clock".into(), stamp.clock.into()),
            ("now".into(), now.into()),
            ("sequence".into(), stamp.sequence.into()),
            ("missing".into(), Value::Array(missing)),
        ]);
        Value::Map(vec![(KEY.into(), ours)])
    }

    /// A worker is gone: what of it is in no figure, in one sentence. `None` where nothing is missing.
    pub fn lost(&mut self, node: &str, gone: Gone, now: f64) -> Option<String> {
        self.ledger(node).lost(node, gone, now)
    }

    /// All that is in no figure of this test, each a sentence.
    pub fn losses(&self) -> Vec<String> {
        let mut losses: Vec<_> = self.ledgers.iter().flat_map(|(node, ledger)| ledger.losses(node)).collect();
        losses.sort();
        losses
    }

    /// Who has reported requests of this test.
    pub fn reporters(&self) -> impl Iterator<Item = &str> {
        self.ledgers.iter().filter(|(_, ledger)| ledger.has_counted()).map(|(node, _)| node.as_str())
    }

    /// A test begins, so everybody's figures do.
    pub fn began(&mut self) {
        self.zeroed = None;
        self.ledgers.values_mut().for_each(Ledger::begin);
    }

    /// `None` of whom nothing was heard.
    pub fn figures(&self, node: &str) -> Option<Figures> {
        self.ledgers.get(node).map(Ledger::figures)
    }

    /// Somebody may have zeroed the table in the middle of a test. Then what is known of each worker begins anew, too.
    fn follow(&mut self, zeroed: u64) {
        if self.zeroed.replace(zeroed).is_some_and(|before| before != zeroed) {
            self.ledgers.values_mut().for_each(Ledger::zero);
        }
    }

    fn ledger(&mut self, node: &str) -> &mut Ledger {
        if self.ledgers.len() >= Self::MOST && !self.ledgers.contains_key(node) {
            let by_age =
                |a: &(&String, &Ledger), b: &(&String, &Ledger)| a.1.last_report().total_cmp(&b.1.last_report());
            let oldest = self.ledgers.iter().min_by(by_age).map(|(node, _)| node.clone());
            oldest.map(|oldest| self.ledgers.remove(&oldest));
        }
        // Looked up twice by a node that is there: an id would be copied for each report otherwise.
        if !self.ledgers.contains_key(node) {
            self.ledgers.insert(node.to_owned(), Ledger::default());
        }
        self.ledgers.get_mut(node).expect("it was just put there")
    }
}
