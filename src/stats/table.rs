//! All rows, the total, failures, exceptions, lag and history of one node.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use rustc_hash::FxHashMap;

use super::{Annotation, Clock, ErrorText, Errors, Exceptions, HistoryPoint, Lag, Row, Sample};

/// The statistics of a run. [`Table::record`] is on the path of every request: one hash look-up, no allocation
/// once the row exists.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Row>,
    /// Row numbers by name, then method: names have one or two methods.
    index: FxHashMap<Arc<str>, Vec<(Arc<str>, usize)>>,
    total: Row,
    windowed: bool,
    errors: Errors,
    exceptions: Exceptions,
    history: Vec<HistoryPoint>,
    lag: Lag,
    annotations: Vec<Annotation>,
    users: Arc<AtomicU64>,
    target_users: u64,
    /// See [`Table::set_delay`].
    delay: Option<f64>,
    losses: Vec<String>,
    /// How often it was emptied, and zeroed.
    ages: (u64, u64),
}

/// What a table had counted when it was emptied: see [`Table::take`].
#[derive(Debug)]
pub struct Taken {
    pub rows: Vec<Row>,
    pub total: Row,
    pub errors: Errors,
    pub lag: Lag,
    /// How often the table had been cleared: another number is another test.
    pub age: u64,
}

impl Table {
    pub const TOTAL: &str = "Aggregated";

    /// `windowed`: whether rows can tell the percentiles of the last seconds.
    pub fn new(now: f64, windowed: bool) -> Self {
        Self {
            rows: Vec::new(),
            index: FxHashMap::default(),
            total: Row::new(Self::TOTAL, "", now, windowed),
            windowed,
            errors: Errors::default(),
            exceptions: Exceptions::default(),
            history: Vec::new(),
            lag: Lag::default(),
            annotations: Vec::new(),
            users: Arc::default(),
            target_users: 0,
            delay: None,
            losses: Vec::new(),
            ages: (0, 0),
        }
    }

    pub fn record(&mut self, method: &str, name: &str, sample: Sample) {
        self.lag.record(sample.generator_lag);
        self.record_by_hand(method, name, sample);
    }

    /// As [`Table::record`], for a request that did not pass through the engine: nobody knows its lag.
    pub fn record_by_hand(&mut self, method: &str, name: &str, sample: Sample) {
        let index = self.find_or_add(method, name, sample.at);
        self.total.record(&sample);
        self.rows[index].record(&sample);
    }

    /// Count one failure; `true` when it is the first of its kind. The request itself is recorded apart.
    pub fn record_error(&mut self, method: &str, name: &str, error: ErrorText<'_>, at: f64) -> bool {
        let index = self.find_or_add(method, name, at);
        self.total.record_failure(at);
        self.rows[index].record_failure(at);
        self.errors.record(method, name, error, at).1
    }

    pub fn record_exception(&mut self, node: &str, message: &str, traceback: &str) {
        self.exceptions.record(node, message, traceback);
    }

    pub fn total(&self) -> &Row {
        &self.total
    }

    pub fn total_mut(&mut self) -> &mut Row {
        &mut self.total
    }

    /// Of the total row: what every row's rates are over.
    pub fn clock(&self) -> Clock {
        let settling = self.delay.map_or(Clock::SETTLING, |delay| delay.ceil().max(2.0) as i64);
        Clock { settling, ..self.total.clock() }
    }

    /// How many seconds it may take until what happened is counted here; `None` where it is counted as it happens. A master
    /// hears of it when its workers report: what they count then lies up to one interval of reports back.
    pub fn delay(&self) -> Option<f64> {
        self.delay
    }

    pub fn set_delay(&mut self, seconds: Option<f64>) {
        self.delay = seconds;
    }

    /// In order of first request.
    pub fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// As they are shown: by name, then method.
    pub fn sorted_rows(&self) -> Vec<&Row> {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_by(|a, b| (&a.name, &a.method).cmp(&(&b.name, &b.method)));
        rows
    }

    pub fn row(&self, method: &str, name: &str) -> Option<&Row> {
        self.find(method, name).map(|index| &self.rows[index])
    }

    /// The row, made if there is none yet.
    pub fn row_mut(&mut self, method: &str, name: &str, now: f64) -> &mut Row {
        let index = self.find_or_add(method, name, now);
        &mut self.rows[index]
    }

    pub fn errors(&self) -> &Errors {
        &self.errors
    }

    pub fn errors_mut(&mut self) -> &mut Errors {
        &mut self.errors
    }

    pub fn exceptions(&self) -> &Exceptions {
        &self.exceptions
    }

    pub fn exceptions_mut(&mut self) -> &mut Exceptions {
        &mut self.exceptions
    }

    pub fn lag(&self) -> &Lag {
        &self.lag
    }

    pub fn history(&self) -> &[HistoryPoint] {
        &self.history
    }

    pub fn history_mut(&mut self) -> &mut Vec<HistoryPoint> {
        &mut self.history
    }

    pub fn set_user_count(&self, users: u64) {
        // A figure to show: nothing is ordered by it.
        self.users.store(users, Ordering::Relaxed);
    }

    pub fn user_count(&self) -> u64 {
        self.users.load(Ordering::Relaxed)
    }

    /// The same counter, for whoever sets it without the table's lock.
    pub fn users(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.users)
    }

    pub fn target_user_count(&self) -> u64 {
        self.target_users
    }

    /// How many users are to run.
    pub fn set_target_user_count(&mut self, users: u64) {
        self.target_users = users;
    }

    /// What somebody said of a moment, of all tests that were counted here.
    pub fn annotations(&self) -> &[Annotation] {
        &self.annotations
    }

    /// Those of the test that is counted now.
    pub fn present_annotations(&self) -> impl Iterator<Item = &Annotation> {
        self.annotations.iter().filter(|annotation| annotation.age == self.ages.0)
    }

    /// Note a text at a moment, in seconds of the Unix epoch. `false` where there are too many already.
    pub fn annotate(&mut self, text: &str, at: f64) -> bool {
        let has_room = self.annotations.len() < Annotation::MOST;
        if has_room {
            let (age, users) = (self.ages.0, self.user_count());
            self.annotations.push(Annotation { at, text: text.into(), users, age });
        }
        has_room
    }

    /// What is known to be missing here, each a sentence: what workers counted and could not tell.
    pub fn losses(&self) -> &[String] {
        &self.losses
    }

    pub fn set_losses(&mut self, losses: Vec<String>) {
        self.losses = losses;
    }

    /// How often it was emptied, and how often zeroed: who takes differences must know.
    pub fn ages(&self) -> (u64, u64) {
        self.ages
    }

    /// Zero every row but keep it listed; forget failures, lag and history.
    pub fn reset_all(&mut self, now: f64) {
        self.total.reset(now);
        self.rows.iter_mut().for_each(|row| row.reset(now));
        self.errors.clear();
        self.history.clear();
        self.losses.clear();
        self.lag = Lag::default();
        self.ages.1 += 1;
    }

    /// Forget everything but exceptions, which belong to the runner, and annotations, which belong to a moment.
    pub fn clear_all(&mut self, now: f64) {
        self.rows.clear();
        self.index.clear();
        self.reset_all(now);
        self.ages.0 += 1;
    }

    /// Take what was counted since the last time, to be told to a master. Rows stay listed, as on Locust; those without
    /// anything new are left as they are.
    pub fn take(&mut self, now: f64) -> Taken {
        let rows = self.rows.iter_mut().filter(|row| !row.is_empty()).map(|row| row.take(now)).collect();
        let (errors, lag) = (std::mem::take(&mut self.errors), std::mem::take(&mut self.lag));
        Taken { rows, total: self.total.take(now), errors, lag, age: self.ages.0 }
    }

    /// Add waits for Python that another node measured.
    pub fn lag_mut(&mut self) -> &mut Lag {
        &mut self.lag
    }

    /// Forget a row, but not its part in the total; `false` if there is none.
    pub fn remove(&mut self, method: &str, name: &str) -> bool {
        let Some(place) = self.find(method, name) else { return false };
        self.rows.remove(place);
        self.index.clear();
        for (place, row) in self.rows.iter().enumerate() {
            self.index.entry(Arc::clone(&row.name)).or_default().push((Arc::clone(&row.method), place));
        }
        true
    }

    /// A table that has counted the same, and goes its own way.
    #[must_use]
    pub fn copy(&self) -> Self {
        Self {
            rows: self.rows.clone(),
            index: self.index.clone(),
            total: self.total.clone(),
            windowed: self.windowed,
            errors: self.errors.clone(),
            exceptions: self.exceptions.clone(),
            history: self.history.clone(),
            lag: self.lag.clone(),
            annotations: self.annotations.clone(),
            target_users: self.target_users,
            delay: self.delay,
            losses: self.losses.clone(),
            users: Arc::new(AtomicU64::new(self.user_count())),
            ages: self.ages,
        }
    }

    fn find(&self, method: &str, name: &str) -> Option<usize> {
        let methods = self.index.get(name)?;
        methods.iter().find(|(known, _)| **known == *method).map(|(_, index)| *index)
    }

    fn find_or_add(&mut self, method: &str, name: &str, now: f64) -> usize {
        self.find(method, name).unwrap_or_else(|| self.add(method, name, now))
    }

    #[cold]
    fn add(&mut self, method: &str, name: &str, now: f64) -> usize {
        let row = Row::new(name, method, now, self.windowed);
        let entry = (Arc::clone(&row.method), self.rows.len());
        self.index.entry(Arc::clone(&row.name)).or_default().push(entry);
        self.rows.push(row);
        self.rows.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Phase, Phases};
    use crate::stats::{Histogram, PhaseTotals};
    use proptest::prelude::*;
    use std::time::Duration;

    fn sample(time: f64, at: f64) -> Sample {
        let mut phases = Phases { reused: 1, ..Phases::default() };
        phases.add(Phase::Waiting, Duration::from_secs_f64(time / 1000.0));
        let generator_lag = Duration::from_micros(5);
        Sample { response_time_ms: Some(time), response_length: 3, generator_lag, phases: Some(phases), at }
    }

    #[test]
    fn rows_are_told_apart_by_name_and_method() {
        let mut table = Table::new(0.0, true);
        for (method, name) in [("GET", "/b"), ("POST", "/a"), ("GET", "/a"), ("GET", "/b")] {
            table.record(method, name, sample(1.0, 1.0));
        }
        let shown: Vec<_> =
            table.sorted_rows().iter().map(|r| (&*r.name, &*r.method, r.parts().num_requests)).collect();
        assert_eq!(shown, [("/a", "GET", 1), ("/a", "POST", 1), ("/b", "GET", 2)]);
        assert_eq!((table.total().parts().num_requests, table.lag().count()), (4, 4));
    }

    #[test]
    fn a_row_that_is_removed_leaves_the_others_where_they_are_found() {
        let mut table = Table::new(0.0, true);
        for name in ["/a", "/b", "/c"] {
            table.record("GET", name, sample(1.0, 1.0));
        }
        let before = table.copy();
        assert!(table.remove("GET", "/b") && !table.remove("GET", "/b"));
        table.record("GET", "/c", sample(1.0, 1.0));
        let counts = |table: &Table| table.sorted_rows().iter().map(|row| row.parts().num_requests).collect::<Vec<_>>();
        assert_eq!((counts(&table), table.total().parts().num_requests), (vec![1, 2], 4));
        assert_eq!((counts(&before), before.total().parts().num_requests), (vec![1, 1, 1], 3));
    }

    #[test]
    fn an_error_that_is_removed_can_come_again() {
        let mut table = Table::new(0.0, true);
        for text in ["x", "y"] {
            table.record_error("GET", "/", ErrorText::of_text(text), 1.0);
        }
        let key = table.errors().iter().next().expect("it was just counted").key.clone();
        assert!(table.errors_mut().remove(&key) && !table.errors_mut().remove(&key));
        assert!(!table.record_error("GET", "/", ErrorText::of_text("y"), 1.0));
        assert!(table.record_error("GET", "/", ErrorText::of_text("x"), 1.0));
        assert_eq!(table.errors().iter().map(|error| error.occurrences).collect::<Vec<_>>(), [2, 1]);
    }

    #[test]
    fn a_reset_keeps_the_rows_and_a_clear_does_not() {
        let mut table = Table::new(0.0, true);
        table.record("GET", "/", sample(1.0, 1.0));
        table.record_error("GET", "/", ErrorText::of_text("x"), 1.0);
        table.reset_all(2.0);
        assert_eq!((table.rows().len(), table.total().parts().num_requests, table.errors().len()), (1, 0, 0));
        table.clear_all(3.0);
        assert_eq!((table.rows().len(), table.clock()), (0, Clock { start: 3.0, last: None, settling: 2 }));
    }

    #[test]
    fn an_annotation_belongs_to_the_test_it_was_made_in() {
        let mut table = Table::new(0.0, true);
        table.set_user_count(3);
        assert!(table.annotate("deploy v2", 1.0));
        table.reset_all(2.0);
        let present = |table: &Table| table.present_annotations().map(|a| (a.at, a.users)).collect::<Vec<_>>();
        assert_eq!(present(&table), [(1.0, 3)]);
        table.clear_all(3.0);
        assert!(present(&table).is_empty());
        assert_eq!(table.annotations().len(), 1);
    }

    proptest! {
        #[test]
        fn the_total_is_the_sum_of_the_rows(samples in prop::collection::vec((0..5u8, 0.0..100_000.0f64, any::<bool>()), 0..200)) {
            let mut table = Table::new(0.0, true);
            for (name, time, failed) in samples {
                table.record("GET", &name.to_string(), sample(time, 1.0 + time / 1000.0));
                if failed {
                    table.record_error("GET", &name.to_string(), ErrorText::of_text("x"), 1.0);
                }
            }
            let mut sum = Histogram::default();
            table.rows().iter().for_each(|row| sum.merge(&row.parts().response_times));
            let mut phases = PhaseTotals::default();
            table.rows().iter().for_each(|row| phases.merge(&row.parts().phases));
            let total = table.total().parts();
            prop_assert_eq!(&phases, &total.phases);
            prop_assert_eq!(sum.cells().collect::<Vec<_>>(), total.response_times.cells().collect::<Vec<_>>());
            prop_assert_eq!(table.rows().iter().map(|r| r.parts().num_requests).sum::<u64>(), total.num_requests);
            prop_assert_eq!(table.rows().iter().map(|r| r.parts().num_failures).sum::<u64>(), total.num_failures);
            prop_assert_eq!(table.errors().iter().map(|e| e.occurrences).sum::<u64>(), total.num_failures);
        }
    }
}
