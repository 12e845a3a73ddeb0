//! The timeline of a master, whose table is fed by reports: what happened in a second comes up to an interval of reports
//! later, from each worker at another moment.
//!
//! Cut where it comes, the charts would be combs: nothing for two seconds, then three seconds' requests at once. So what
//! comes is put into the seconds in which it happened, which stay open for as long as [`Table::delay`] says and are an
//! interval's when they are closed. The charts of a master, and checks over the last seconds, end some four seconds ago.
//!
//! Requests and failures are counted by second, by the workers' clocks; those are exact. Response times and waits for Python
//! come together for all seconds of a report: they are dealt out to its seconds in the shares of their requests. So a
//! percentile of one second is smeared over the three seconds of a report, and none is invented. What comes when its
//! second is closed, as from a worker that was cut off, counts in the oldest one that is open.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

use super::{Cells, Changes, Counts, Interval, Timeline, is_saturated};
use crate::stats::{PerSecond, Table};
use crate::sync::held;

/// Of one entry, a second that may grow.
#[derive(Debug, Clone, Default)]
struct Open {
    second: i64,
    /// What the row has counted in it so far.
    seen: (u64, u64),
    counts: Counts,
}

/// An entry's seconds that are not closed, ascending.
#[derive(Debug, Clone, Default)]
pub struct OpenSeconds(Vec<Open>);

impl OpenSeconds {
    /// What was counted begins anew in the table; what was taken stays.
    pub fn forget_seen(&mut self) {
        self.0.iter_mut().for_each(|open| open.seen = (0, 0));
    }

    fn at(&mut self, second: i64) -> &mut Open {
        let place = self.0.partition_point(|open| open.second < second);
        if self.0.get(place).is_none_or(|open| open.second != second) {
            self.0.insert(place, Open { second, ..Open::default() });
        }
        &mut self.0[place]
    }

    /// Deal out what came, by what the row has counted in each second that is open.
    fn take(&mut self, fresh: &Counts, rows: &Seconds, open: (i64, i64)) -> BTreeMap<i64, u64> {
        let mut shares = BTreeMap::new();
        let mut share = |second: i64, count| *shares.entry(second.clamp(open.0, open.1)).or_insert(0) += count;
        let (mut requests, mut failures) = (fresh.requests, fresh.failures);
        for &(second, count) in &rows.requests {
            let seen = &mut self.at(second).seen.0;
            let come = count.saturating_sub(*seen).min(requests);
            *seen = count;
            requests -= come;
            share(second, come);
        }
        // Of seconds that are closed, or of nobody knows when.
        share(open.0, requests);
        shares.retain(|_, count| *count > 0);
        for &(second, count) in &rows.failures {
            let seen = &mut self.at(second).seen.1;
            let come = count.saturating_sub(*seen).min(failures);
            *seen = count;
            failures -= come;
            self.at(second.clamp(open.0, open.1)).counts.failures += come;
        }
        self.at(open.0).counts.failures += failures;
        let of_all = fresh.requests.max(1) as f64;
        let parts = fresh.times.split(&shares.values().copied().collect::<Vec<_>>());
        for ((second, count), times) in shares.iter().zip(parts) {
            let sum_ms = fresh.sum_ms * *count as f64 / of_all;
            self.at(*second).counts.merge(&Counts { requests: *count, failures: 0, sum_ms, times });
        }
        shares
    }

    /// All before this second, together.
    fn close(&mut self, before: i64) -> Counts {
        let rest = self.0.split_off(self.0.partition_point(|open| open.second < before));
        let mut closed = Counts::default();
        std::mem::replace(&mut self.0, rest).iter().for_each(|open| closed.merge(&open.counts));
        closed
    }
}

/// What a row has counted in each of the last seconds.
#[derive(Debug, Default)]
struct Seconds {
    requests: Vec<(i64, u64)>,
    failures: Vec<(i64, u64)>,
}

/// What belongs to no entry, until its second is closed.
#[derive(Debug, Clone, Default)]
pub struct Feed {
    /// When so many users ran, and were asked for.
    users: VecDeque<(f64, u64, u64)>,
    waits: BTreeMap<i64, Cells>,
}

impl Timeline {
    /// How many seconds of a clock that is ahead are told apart. Later ones are of nobody knows when.
    const AHEAD: i64 = 600;

    /// As [`Timeline::observe`] of a table that is fed. What happened up to `until`, by the clock of `at`, is closed.
    pub(super) fn observe_fed(&mut self, table: &Mutex<Table>, now: f64, at: f64, until: f64) {
        let Changes { ages, users, target_users, waits, rows } = self.changes(&held(table));
        if ages != self.ages {
            self.follow(ages, now, at);
        }
        let moment = self.started + (at - self.origin);
        let open = ((self.started + self.seconds()) as i64, moment as i64);
        let mut shares: BTreeMap<i64, u64> = BTreeMap::new();
        for (place, method, name) in rows {
            let taken = held(table).row(&method, &name).map(|row| {
                let parts = row.parts();
                let near = |counted: &PerSecond| counted.between(open.0, open.1 + Self::AHEAD).collect();
                let (requests, failures) = (near(&parts.requests_per_second), near(&parts.failures_per_second));
                (Counts::of(row), Seconds { requests, failures })
            });
            let Some(((requests, failures, sum_ms, times), seconds)) = taken else { continue };
            let counted = Counts { requests, failures, sum_ms, times: Cells::of(&times) };
            let (place, fresh) = self.fresh(place, method, name, counted);
            for (second, count) in self.entries[place].open.take(&fresh, &seconds, open) {
                *shares.entry(second).or_insert(0) += count;
            }
        }
        let waits = Cells::of(&waits);
        let come = waits.since(&self.lag_seen);
        self.lag_seen = waits;
        for (second, waits) in shares.keys().zip(come.split(&shares.values().copied().collect::<Vec<_>>())) {
            self.feed.waits.entry(*second).or_default().merge(&waits);
        }
        self.feed.users.push_back((moment, users, target_users));
        self.close(self.started + (until - self.origin));
    }

    /// Whether seconds wait for what may yet come of them.
    pub(super) fn has_open(&self) -> bool {
        !self.feed.users.is_empty() || self.entries.iter().any(|entry| !entry.open.0.is_empty())
    }

    /// End an interval with the last whole second before this moment, if there is one.
    fn close(&mut self, moment: f64) {
        self.close_before(moment.floor(), moment.floor() as i64);
    }

    /// Close everything that is open: nothing more will come. The last interval ends at this moment of the clock of `at`.
    pub(super) fn close_all(&mut self, at: f64) {
        let end = (self.started + (at - self.origin)).max(self.started + self.seconds() + 0.001);
        loop {
            let closed = self.started + self.seconds();
            let next = (closed + self.interval).floor();
            if next <= closed || next >= end {
                break;
            }
            self.close_before(next, next as i64);
        }
        self.close_before(end, i64::MAX);
    }

    fn close_before(&mut self, moment: f64, second: i64) {
        let (start, end) = (self.seconds(), moment - self.started);
        if end <= start {
            return;
        }
        let mut interval = Interval { start, end, users: (self.users, self.users), ..Interval::default() };
        interval.target_users = self.intervals.last().map_or(0, |interval| interval.target_users);
        while let Some((_, users, target)) = self.feed.users.pop_front_if(|(seen, ..)| *seen <= moment) {
            (interval.users.1, interval.target_users) = (users, target);
        }
        self.users = interval.users.1;
        let place = self.intervals.len();
        for entry in &mut self.entries {
            let closed = entry.open.close(second);
            interval.counts.merge(&closed);
            if closed.requests > 0 || closed.failures > 0 {
                self.held += closed.times.len() + Self::CELLS_APIECE;
                entry.keep(place, closed);
            }
        }
        let rest = self.feed.waits.split_off(&second);
        std::mem::replace(&mut self.feed.waits, rest).values().for_each(|waits| interval.lag.merge(waits));
        interval.saturated = is_saturated(&interval);
        self.add(interval);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::stats::Sample;

    #[test]
    fn seconds_that_are_far_ahead_are_not_kept() {
        let table = Mutex::new(Table::new(0.0, true));
        held(&table).set_delay(Some(4.0));
        let mut timeline = Timeline::new(1000.3, 0.0, 1.0);
        for second in 0..10_000u32 {
            let at = 1020.0 + f64::from(second);
            let sample =
                Sample { response_time_ms: None, response_length: 0, generator_lag: Duration::ZERO, phases: None, at };
            held(&table).record("GET", "/a", sample);
        }
        timeline.observe(&table, 1021.3, 21.0);
        let open = timeline.entries[0].open.0.len();
        assert!((600..700).contains(&open), "{open}");
        timeline.close_all(30.0);
        assert_eq!(timeline.intervals().iter().map(|interval| interval.counts.requests).sum::<u64>(), 10_000);
    }
}
