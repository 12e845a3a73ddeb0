//! What happened when: a run cut into intervals, for charts, for checks over the last seconds, for the knee and for
//! the comparison of two runs.
//!
//! Nothing is recorded for it. At the end of each interval the difference is taken between what the table counts then
//! and what it counted before, by a thread that holds the table's lock for the copy of one row at a time. So a
//! request costs nothing, and the whole is the sum of the entries in every interval.
//!
//! What is kept is bounded: when there are [`Timeline::MOST_INTERVALS`] intervals, or more than
//! [`Timeline::MOST_CELLS`] counted cells (8 bytes each) in all entries together, neighbours are merged and intervals
//! are twice as long from then on. An entry's interval counts as eight cells beside those that it has.

pub mod cells;
mod fed;
mod json;
mod recorder;
mod view;

pub use cells::Cells;
pub use json::{Seen, significant};
pub use recorder::Recorder;

use std::sync::{Arc, Mutex};

use super::{Histogram, Lag, Row, Table};
use crate::sync::held;

/// What was counted in one interval, or in several.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counts {
    pub requests: u64,
    pub failures: u64,
    /// Of all response times, in milliseconds.
    pub sum_ms: f64,
    pub times: Cells,
}

impl Counts {
    pub fn merge(&mut self, other: &Self) {
        self.requests += other.requests;
        self.failures += other.failures;
        self.sum_ms += other.sum_ms;
        self.times.merge(&other.times);
    }

    pub fn average_ms(&self) -> Option<f64> {
        let timed = self.times.count();
        (timed > 0).then(|| self.sum_ms / timed as f64)
    }

    fn of(row: &Row) -> (u64, u64, f64, Histogram) {
        let parts = row.parts();
        (parts.num_requests, parts.num_failures, parts.total_response_time, parts.response_times.clone())
    }

    fn since(&self, earlier: &Self) -> Self {
        Self {
            requests: self.requests - earlier.requests,
            failures: self.failures.saturating_sub(earlier.failures),
            sum_ms: (self.sum_ms - earlier.sum_ms).max(0.0),
            times: self.times.since(&earlier.times),
        }
    }
}

/// One interval of the whole run.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Interval {
    /// Seconds since the start of the timeline.
    pub start: f64,
    pub end: f64,
    /// How many users ran when it began, and when it ended.
    pub users: (u64, u64),
    /// How many were asked for when it ended.
    pub target_users: u64,
    pub counts: Counts,
    /// How long finished responses waited for Python.
    pub lag: Cells,
    /// Whether too many of them waited too long (see [`Lag::warning`]): the load was not what it should have been.
    pub saturated: bool,
}

impl Interval {
    pub fn seconds(&self) -> f64 {
        self.end - self.start
    }

    pub fn rps(&self) -> f64 {
        self.counts.requests as f64 / self.seconds().max(1e-9)
    }

    fn merge(&mut self, later: &Self) {
        self.end = later.end;
        self.users.1 = later.users.1;
        self.target_users = later.target_users;
        self.counts.merge(&later.counts);
        self.lag.merge(&later.lag);
        self.saturated |= later.saturated;
    }
}

/// One name and method, in the intervals in which something was counted for it.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    pub method: Arc<str>,
    pub name: Arc<str>,
    /// By the place of the interval in [`Timeline::intervals`], ascending.
    pub counts: Vec<(usize, Counts)>,
    /// All that the table had counted at the end of the last interval.
    seen: Counts,
    open: fed::OpenSeconds,
}

#[derive(Debug, Clone)]
pub struct Timeline {
    /// When it began, in seconds of the Unix epoch.
    started: f64,
    /// The same moment by the clock of [`Timeline::observe`].
    origin: f64,
    interval: f64,
    intervals: Vec<Interval>,
    entries: Vec<Entry>,
    /// Cells of all entries and intervals, as [`Timeline::MOST_CELLS`] counts them.
    held: usize,
    lag_seen: Cells,
    feed: fed::Feed,
    users: u64,
    /// How often the table had been emptied and zeroed.
    ages: (u64, u64),
    /// From when on the table's present figures count, in seconds since the start.
    counted_from: f64,
}

impl Timeline {
    pub const MOST_INTERVALS: usize = 600;
    pub const MOST_CELLS: usize = 4_000_000;
    /// Of a run that is over, and kept to be looked at beside others.
    pub const MOST_CELLS_KEPT: usize = 400_000;
    /// What an entry's interval takes beside its cells, in cells.
    const CELLS_APIECE: usize = 8;
    /// Fewer waits say nothing of what the generator can do in an interval.
    const ENOUGH_WAITS: u64 = 20;

    /// `now` is the time of day in seconds of the Unix epoch, `at` what a clock that is never set shows.
    pub fn new(now: f64, at: f64, interval: f64) -> Self {
        Self {
            started: now,
            origin: at,
            interval,
            intervals: Vec::new(),
            entries: Vec::new(),
            held: 0,
            lag_seen: Cells::default(),
            feed: fed::Feed::default(),
            users: 0,
            ages: (0, 0),
            counted_from: 0.0,
        }
    }

    pub fn started(&self) -> f64 {
        self.started
    }

    /// How long an interval is now, in seconds.
    pub fn interval(&self) -> f64 {
        self.interval
    }

    pub fn intervals(&self) -> &[Interval] {
        &self.intervals
    }

    /// In order of first request.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    pub fn counted_from(&self) -> f64 {
        self.counted_from
    }

    /// The place of the first interval that counts in the table's present figures.
    pub fn first_counted(&self) -> usize {
        self.intervals.partition_point(|interval| interval.end <= self.counted_from)
    }

    /// The last seconds of the run, or of one entry by the intervals in which it was counted.
    pub fn recent(&self, seconds: f64, entry: impl Fn(&Entry) -> bool, whole: bool) -> (f64, Counts) {
        let end = self.intervals.last().map_or(0.0, |interval| interval.end);
        // Half an interval of grace: intervals are not exact to the millisecond.
        let from = end - seconds - self.interval / 2.0;
        let first = self.intervals.partition_point(|interval| interval.start < from).max(self.first_counted());
        let mut sum = Counts::default();
        if whole {
            self.intervals[first..].iter().for_each(|interval| sum.merge(&interval.counts));
        } else {
            let entries = self.entries.iter().filter(|other| entry(other));
            let counts = entries.flat_map(|entry| entry.counts.iter().filter(|(place, _)| *place >= first));
            counts.for_each(|(_, counts)| sum.merge(counts));
        }
        (end - self.intervals.get(first).map_or(end, |interval| interval.start), sum)
    }

    /// End an interval at `at`: take what came since the last one.
    pub fn observe(&mut self, table: &Mutex<Table>, now: f64, at: f64) {
        let delay = held(table).delay();
        if let Some(delay) = delay {
            return self.observe_fed(table, now, at, at - delay);
        }
        let Changes { ages, users, target_users, waits, rows } = self.changes(&held(table));
        if ages != self.ages {
            self.follow(ages, now, at);
        }
        let start = self.seconds();
        let end = at - self.origin;
        let mut interval = Interval { start, end, users: (self.users, users), target_users, ..Interval::default() };
        if interval.seconds() <= 0.0 {
            return;
        }
        for (place, method, name) in rows {
            let Some((requests, failures, sum_ms, times)) = held(table).row(&method, &name).map(Counts::of) else {
                continue;
            };
            let counted = Counts { requests, failures, sum_ms, times: Cells::of(&times) };
            let (place, fresh) = self.fresh(place, method, name, counted);
            interval.counts.merge(&fresh);
            if fresh.requests > 0 || fresh.failures > 0 {
                self.held += fresh.times.len() + Self::CELLS_APIECE;
                self.entries[place].keep(self.intervals.len(), fresh);
            }
        }
        let waits = Cells::of(&waits);
        interval.lag = waits.since(&self.lag_seen);
        interval.saturated = is_saturated(&interval);
        (self.lag_seen, self.users) = (waits, users);
        self.add(interval);
    }

    /// Take what a run still counted after its end, as listeners of it may: as part of its last interval.
    pub fn catch_up(&mut self, table: &Mutex<Table>) {
        let is_behind = {
            let table = held(table);
            let seen = self.entries.iter().map(|entry| entry.seen.requests).sum::<u64>();
            table.ages() == self.ages && table.total().parts().num_requests > seen
        };
        if is_behind && !self.intervals.is_empty() {
            let at = self.origin + self.seconds() + 0.001;
            self.observe(table, 0.0, at);
            if self.has_open() {
                self.close_all(at);
            }
        }
    }

    /// How long it is, in seconds.
    pub fn seconds(&self) -> f64 {
        self.intervals.last().map_or(0.0, |interval| interval.end)
    }

    /// Under the lock, so no more than a comparison for each row.
    fn changes(&self, table: &Table) -> Changes {
        let anew = table.ages() != self.ages;
        let seen = |place: usize, row: &Row| self.entries.get(place).filter(|entry| entry.is(&row.method, &row.name));
        let has_changed = |place: usize, row: &Row| {
            let parts = row.parts();
            anew || seen(place, row).is_none_or(|entry| {
                (entry.seen.requests, entry.seen.failures) != (parts.num_requests, parts.num_failures)
            })
        };
        let rows = table.rows().iter().enumerate().filter(|(place, row)| has_changed(*place, row));
        Changes {
            ages: table.ages(),
            users: table.user_count(),
            target_users: table.target_user_count(),
            waits: table.lag().waits().clone(),
            rows: rows.map(|(place, row)| (place, Arc::clone(&row.method), Arc::clone(&row.name))).collect(),
        }
    }

    /// An emptied table is a new run. A zeroed one is the same run, whose figures count from here on.
    fn follow(&mut self, ages: (u64, u64), now: f64, at: f64) {
        let seconds = self.seconds();
        if ages.0 == self.ages.0 {
            self.entries.iter_mut().for_each(Entry::forget_seen);
            self.lag_seen = Cells::default();
            self.counted_from = if self.has_open() { at - self.origin } else { seconds };
        } else {
            // It was emptied within the interval that ends now.
            let began = self.origin + seconds;
            *self = Self::new(now - (at - began), began, self.interval);
        }
        self.ages = ages;
    }

    /// What came for an entry since it was seen last, and its place. Nearly always that is the same as its row's.
    fn fresh(&mut self, expected: usize, method: Arc<str>, name: Arc<str>, counted: Counts) -> (usize, Counts) {
        let is_there = self.entries.get(expected).is_some_and(|entry| entry.is(&method, &name));
        let place = if is_there { Some(expected) } else { self.place(&method, &name) };
        let place = place.unwrap_or_else(|| {
            self.entries.push(Entry { method, name, ..Entry::default() });
            self.entries.len() - 1
        });
        let entry = &mut self.entries[place];
        if counted.requests < entry.seen.requests {
            entry.forget_seen(); // a locustfile reset this row
        }
        let fresh = counted.since(&entry.seen);
        entry.seen = counted;
        (place, fresh)
    }

    fn place(&self, method: &str, name: &str) -> Option<usize> {
        self.entries.iter().position(|entry| entry.is(method, name))
    }

    pub fn entry(&self, method: &str, name: &str) -> Option<&Entry> {
        self.place(method, name).map(|place| &self.entries[place])
    }

    fn add(&mut self, interval: Interval) {
        // What waited longer than its interval was held up in those before it, too, where nothing could be counted.
        let longest = interval.lag.quantile_ms(1.0).unwrap_or(0.0) / 1000.0;
        if interval.saturated {
            let held_up = self.intervals.iter_mut().rev().take_while(|earlier| earlier.end > interval.end - longest);
            held_up.for_each(|earlier| earlier.saturated = true);
        }
        let is_stub = interval.seconds() < self.interval / 2.0 && !self.intervals.is_empty();
        self.held += interval.counts.times.len();
        self.intervals.push(interval);
        if is_stub {
            let last = self.intervals.len() - 1;
            self.merge_places(|place| if place == last { last - 1 } else { place });
        }
        self.thin(Self::MOST_INTERVALS - 1, Self::MOST_CELLS);
    }

    /// Merge neighbours until it holds no more than this. Nothing is lost but when exactly it was.
    pub fn thin(&mut self, most_intervals: usize, most_cells: usize) {
        while self.intervals.len() > most_intervals.max(1) || (self.intervals.len() > 1 && self.held > most_cells) {
            self.merge_places(|place| place / 2);
            self.interval *= 2.0;
        }
    }

    fn cells(&self) -> usize {
        let entries = self.entries.iter().flat_map(|entry| &entry.counts);
        let of_entries: usize = entries.map(|(_, counts)| counts.times.len() + Self::CELLS_APIECE).sum();
        of_entries + self.intervals.iter().map(|interval| interval.counts.times.len()).sum::<usize>()
    }

    /// Merge all intervals that get the same new place; places stay in order.
    fn merge_places(&mut self, new_place: impl Fn(usize) -> usize) {
        let mut merged: Vec<Interval> = Vec::new();
        for (place, interval) in std::mem::take(&mut self.intervals).into_iter().enumerate() {
            match merged.get_mut(new_place(place)) {
                Some(earlier) => earlier.merge(&interval),
                None => merged.push(interval),
            }
        }
        self.intervals = merged;
        for entry in &mut self.entries {
            let mut merged: Vec<(usize, Counts)> = Vec::new();
            for (place, counts) in std::mem::take(&mut entry.counts) {
                match merged.last_mut() {
                    Some((last, earlier)) if *last == new_place(place) => earlier.merge(&counts),
                    _ => merged.push((new_place(place), counts)),
                }
            }
            merged.shrink_to_fit();
            merged.iter_mut().for_each(|(_, counts)| counts.times.shrink());
            entry.counts = merged;
        }
        self.held = self.cells();
    }
}

impl Entry {
    /// What was counted in an interval. Most of them stay as they are until the end.
    fn keep(&mut self, interval: usize, mut counts: Counts) {
        counts.times.shrink();
        self.counts.push((interval, counts));
    }

    fn forget_seen(&mut self) {
        self.seen = Counts::default();
        self.open.forget_seen();
    }

    fn is(&self, method: &str, name: &str) -> bool {
        *self.name == *name && *self.method == *method
    }
}

/// What a table has that the last interval did not see.
struct Changes {
    ages: (u64, u64),
    users: u64,
    target_users: u64,
    waits: Histogram,
    /// The place of each row that counted, its method and its name.
    rows: Vec<(usize, Arc<str>, Arc<str>)>,
}

/// By the same rule as for the whole run.
fn is_saturated(interval: &Interval) -> bool {
    let median = interval.counts.times.quantile_ms(0.5).unwrap_or(0.0);
    interval.lag.count() >= Timeline::ENOUGH_WAITS
        && interval.lag.share_above_ms(Lag::limit(median)) >= Lag::WORTH_A_WARNING
}

#[cfg(test)]
mod tests;
