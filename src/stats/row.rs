//! One line of the statistics: what is counted for a name and a method, and what is derived from it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Histogram, PerSecond, PhaseTotals, Sample, microseconds, window::Window};

/// When the total row began and was last counted in: every row's rates are over this time.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Clock {
    pub start: f64,
    pub last: Option<f64>,
    /// So many of the newest seconds may not be counted whole yet.
    pub settling: i64,
}

/// A number that Locust shows without a decimal point, or exactly as it was measured.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Number {
    Whole(u64),
    Exact(f64),
}

impl Number {
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Exact(number) => number,
        }
    }
}

/// A row taken apart: how one is rebuilt from what another node or a locustfile gives.
#[derive(Debug, Clone, Default)]
pub struct RowParts {
    pub num_requests: u64,
    pub num_none_requests: u64,
    pub num_failures: u64,
    pub total_response_time: f64,
    pub min_response_time: Option<f64>,
    pub max_response_time: f64,
    pub total_content_length: u64,
    pub start_time: f64,
    pub last_request_timestamp: Option<f64>,
    pub response_times: Histogram,
    pub requests_per_second: PerSecond,
    pub failures_per_second: PerSecond,
    pub phases: PhaseTotals,
}

#[derive(Debug, Clone)]
pub struct Row {
    pub name: Arc<str>,
    pub method: Arc<str>,
    parts: RowParts,
    beginning: u64,
    /// `None` on nodes that hand their figures over, as a worker does.
    window: Option<Window>,
}

fn next_beginning() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // To be different is all that is asked of it.
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Row {
    pub fn new(name: &str, method: &str, now: f64, windowed: bool) -> Self {
        Self {
            name: name.into(),
            method: method.into(),
            parts: RowParts { start_time: now, ..RowParts::default() },
            beginning: next_beginning(),
            window: windowed.then(|| Window::new(second(now))),
        }
    }

    pub fn from_parts(name: &str, method: &str, parts: RowParts) -> Self {
        Self { name: name.into(), method: method.into(), parts, beginning: next_beginning(), window: None }
    }

    pub fn parts(&self) -> &RowParts {
        &self.parts
    }

    /// A number of its own for each time that a row began to count from nothing: who has read it before knows by it
    /// whether what was counted then is still there.
    pub fn beginning(&self) -> u64 {
        self.beginning
    }

    pub fn set_start_time(&mut self, start_time: f64) {
        self.parts.start_time = start_time;
    }

    pub fn record(&mut self, sample: &Sample) {
        let now = second(sample.at);
        self.mark_before(now);
        let parts = &mut self.parts;
        parts.num_requests += 1;
        parts.requests_per_second.add(now, 1);
        parts.last_request_timestamp = Some(sample.at);
        parts.total_content_length += sample.response_length;
        if let Some(phases) = &sample.phases {
            parts.phases.record(phases);
        }
        let Some(time) = sample.response_time_ms else {
            parts.num_none_requests += 1;
            return;
        };
        parts.total_response_time += time;
        parts.min_response_time = Some(parts.min_response_time.map_or(time, |min| min.min(time)));
        parts.max_response_time = parts.max_response_time.max(time);
        let time_us = microseconds(time);
        if let Some(window) = &mut self.window {
            window.record(Histogram::cell_of(time_us), 1, &parts.response_times);
        }
        parts.response_times.record_us(time_us);
    }

    pub fn record_failure(&mut self, at: f64) {
        self.parts.num_failures += 1;
        self.parts.failures_per_second.add(second(at), 1);
    }

    /// Zero everything but the names.
    pub fn reset(&mut self, now: f64) {
        let windowed = self.window.is_some();
        self.beginning = next_beginning();
        self.parts = RowParts { start_time: now, ..RowParts::default() };
        self.window = windowed.then(|| Window::new(second(now)));
    }

    /// Add another row's figures to this one's.
    pub fn merge(&mut self, other: &Self) {
        let before = self.parts.last_request_timestamp;
        if let Some(window) = &mut self.window {
            window.end_list(&self.parts.response_times);
        }
        self.parts.merge(&other.parts);
        self.mark_after(before);
    }

    /// Add what another node counted. Its response times come as cells (the number, and how often), its seconds as
    /// seconds of the Unix epoch: `parts` has none of them, for nothing is built to be added.
    pub fn add(
        &mut self,
        parts: &RowParts,
        cells: impl Iterator<Item = (u16, u32)>,
        requests: impl Iterator<Item = (i64, u64)>,
        failures: impl Iterator<Item = (i64, u64)>,
    ) {
        let before = self.parts.last_request_timestamp;
        let own = &mut self.parts;
        for (cell, count) in cells {
            if let Some(window) = &mut self.window {
                window.record(cell, count, &own.response_times);
            }
            own.response_times.record_cell(cell, count);
        }
        own.requests_per_second.extend(requests);
        own.failures_per_second.extend(failures);
        own.merge_numbers(parts);
        self.mark_after(before);
    }

    /// Take all that was counted, and begin anew.
    #[must_use]
    pub fn take(&mut self, now: f64) -> Self {
        let taken = Self {
            name: Arc::clone(&self.name),
            method: Arc::clone(&self.method),
            parts: std::mem::take(&mut self.parts),
            beginning: self.beginning,
            window: None,
        };
        self.reset(now);
        taken
    }

    pub fn is_empty(&self) -> bool {
        self.parts.num_requests == 0 && self.parts.num_failures == 0
    }

    pub fn clock(&self) -> Clock {
        Clock { start: self.parts.start_time, last: self.parts.last_request_timestamp, settling: Clock::SETTLING }
    }

    pub fn fail_ratio(&self) -> f64 {
        match (self.parts.num_requests, self.parts.num_failures) {
            (0, 0) => 0.0,
            (0, _) => 1.0,
            (requests, failures) => failures as f64 / requests as f64,
        }
    }

    pub fn avg_response_time(&self) -> f64 {
        match self.parts.num_requests.saturating_sub(self.parts.num_none_requests) {
            0 => 0.0,
            timed => self.parts.total_response_time / timed as f64,
        }
    }

    pub fn avg_content_length(&self) -> Number {
        match self.parts.num_requests {
            0 => Number::Whole(0),
            requests => Number::Exact(self.parts.total_content_length as f64 / requests as f64),
        }
    }

    pub fn min_response_time(&self) -> Number {
        self.parts.min_response_time.map_or(Number::Whole(0), Number::Exact)
    }

    pub fn max_response_time(&self) -> Number {
        self.parts.min_response_time.map_or(Number::Whole(0), |_| Number::Exact(self.parts.max_response_time))
    }

    /// In whole milliseconds, 0 without response times.
    pub fn percentile(&self, quantile: f64) -> u64 {
        whole_ms(self.quantile_ms(quantile))
    }

    /// As [`Row::percentile`], not rounded to whole milliseconds.
    pub fn quantile_ms(&self, quantile: f64) -> f64 {
        self.quantile_of(&self.parts.response_times, quantile)
    }

    /// As Locust shows it.
    pub fn median_response_time(&self) -> Number {
        let Some(min) = self.parts.min_response_time else { return Number::Whole(0) };
        let median = self.percentile(0.5);
        match median as f64 {
            value if value < min => Number::Exact(min),
            value if value > self.parts.max_response_time => Number::Exact(self.parts.max_response_time),
            _ => Number::Whole(median),
        }
    }

    /// Over about the last `length` seconds: `Err` where this row keeps no window, `None` where it reaches
    /// too little back.
    pub fn current_percentile(&self, now: f64, length: i64, quantile: f64) -> Result<Option<u64>, NoWindow> {
        let window = self.window.as_ref().ok_or(NoWindow)?;
        let recent = window.recent(second(now), length, &self.parts.response_times);
        Ok(recent.map(|recent| whole_ms(self.quantile_of(&recent, quantile))))
    }

    pub fn total_rps(&self, clock: Clock) -> f64 {
        clock.rate(self.parts.num_requests)
    }

    pub fn total_fail_per_sec(&self, clock: Clock) -> f64 {
        clock.rate(self.parts.num_failures)
    }

    pub fn current_rps(&self, clock: Clock) -> Number {
        clock.current_rate(&self.parts.requests_per_second)
    }

    pub fn current_fail_per_sec(&self, clock: Clock) -> Number {
        clock.current_rate(&self.parts.failures_per_second)
    }

    fn mark_before(&mut self, now: i64) {
        if let (Some(window), Some(last)) = (&mut self.window, self.parts.last_request_timestamp)
            && now > second(last)
        {
            window.mark(now - 1, &self.parts.response_times);
        }
    }

    fn mark_after(&mut self, before: Option<f64>) {
        if let (Some(window), Some(last)) = (&mut self.window, self.parts.last_request_timestamp)
            && before.is_none_or(|before| second(last) > second(before))
        {
            window.mark(second(last), &self.parts.response_times);
        }
    }

    fn extremes(&self) -> (f64, f64) {
        let lowest = self.parts.min_response_time.unwrap_or(0.0);
        (lowest, self.parts.max_response_time.max(lowest))
    }

    /// The extremes are known exactly, so no quantile may lie outside them.
    fn quantile_of(&self, histogram: &Histogram, quantile: f64) -> f64 {
        let (lowest, highest) = self.extremes();
        histogram.quantile_ms(quantile).map_or(0.0, |value| value.clamp(lowest, highest))
    }
}

/// A quantile as Locust shows it.
fn whole_ms(quantile_ms: f64) -> u64 {
    quantile_ms.round_ties_even() as u64
}

/// The row was made without a window of the last seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoWindow;

impl RowParts {
    pub fn merge(&mut self, other: &Self) {
        self.merge_numbers(other);
        self.response_times.merge(&other.response_times);
        self.requests_per_second.merge(&other.requests_per_second);
        self.failures_per_second.merge(&other.failures_per_second);
    }

    /// All but what is counted by response time or second. Saturating, for another node may say anything.
    fn merge_numbers(&mut self, other: &Self) {
        self.num_requests = self.num_requests.saturating_add(other.num_requests);
        self.num_none_requests = self.num_none_requests.saturating_add(other.num_none_requests);
        self.num_failures = self.num_failures.saturating_add(other.num_failures);
        self.total_response_time += other.total_response_time;
        self.min_response_time =
            [self.min_response_time, other.min_response_time].into_iter().flatten().reduce(f64::min);
        self.max_response_time = self.max_response_time.max(other.max_response_time);
        self.total_content_length = self.total_content_length.saturating_add(other.total_content_length);
        self.start_time = self.start_time.min(other.start_time);
        let last = [self.last_request_timestamp, other.last_request_timestamp];
        self.last_request_timestamp = last.into_iter().flatten().reduce(f64::max);
        self.phases.merge(&other.phases);
    }
}

impl Clock {
    /// As on Locust: the second that goes on now, and the one before it.
    pub const SETTLING: i64 = 2;

    fn rate(self, count: u64) -> f64 {
        match self.last.map(|last| last - self.start) {
            Some(elapsed) if elapsed != 0.0 => count as f64 / elapsed,
            _ => 0.0,
        }
    }

    /// The mean of up to ten whole seconds before the newest, which settle yet. It follows requests, not the wall clock.
    fn current_rate(self, counts: &PerSecond) -> Number {
        let Some(last) = self.last else { return Number::Whole(0) };
        let to = second(last) - self.settling;
        let from = (to - 10).max(second(self.start));
        if to <= from {
            return Number::Exact(0.0);
        }
        Number::Exact(counts.sum(from, to) as f64 / (to - from) as f64)
    }
}

/// Wall-clock seconds, not a monotonic clock: a master adds these keys to other machines' keys.
fn second(at: f64) -> i64 {
    at as i64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::{Phase, Phases};
    use std::time::Duration;

    fn sample(response_time_ms: Option<f64>, at: f64) -> Sample {
        Sample { response_time_ms, response_length: 10, generator_lag: Duration::ZERO, phases: None, at }
    }

    fn row_of(times: &[f64]) -> Row {
        let mut row = Row::new("/", "GET", 1000.0, true);
        for time in times {
            row.record(&sample(Some(*time), 1001.0));
        }
        row
    }

    #[test]
    fn one_sample_is_its_own_median_exactly() {
        let row = row_of(&[12.345]);
        assert_eq!(row.median_response_time(), Number::Exact(12.345));
        assert_eq!([0.5, 0.99, 1.0].map(|p| row.percentile(p)), [12, 12, 12]);
    }

    #[test]
    fn an_empty_row_is_zero_everywhere() {
        let row = row_of(&[]);
        assert_eq!((row.fail_ratio(), row.avg_response_time(), row.percentile(0.5)), (0.0, 0.0, 0));
        assert_eq!(row.median_response_time(), Number::Whole(0));
        assert_eq!(row.current_rps(row.clock()), Number::Whole(0));
        assert_eq!(row.total_rps(row.clock()), 0.0);
    }

    #[test]
    fn requests_without_a_time_count_as_requests_only() {
        let mut row = row_of(&[10.0]);
        row.record(&sample(None, 1001.5));
        assert_eq!((row.parts.num_requests, row.parts.num_none_requests), (2, 1));
        assert_eq!((row.avg_response_time(), row.parts.total_content_length), (10.0, 20));
    }

    #[test]
    fn phases_are_merged_and_reset_with_their_row_and_others_have_none() {
        let mut phases = Phases { opened: 1, ..Phases::default() };
        phases.add(Phase::Waiting, Duration::from_millis(8));
        let mut row = row_of(&[10.0]);
        row.record(&Sample { phases: Some(phases), ..sample(Some(8.5), 1001.5) });
        assert_eq!((row.parts.num_requests, row.parts.phases.calls()), (2, 1));
        assert_eq!(row.parts.phases.average_ms(Phase::Waiting), 8.0);
        row.merge(&row.clone());
        assert_eq!((row.parts.phases.calls(), row.parts.phases.opened()), (2, 2));
        row.reset(1002.0);
        assert!(row.parts.phases.is_empty());
    }

    #[test]
    fn the_current_rate_leaves_out_the_newest_seconds() {
        let mut row = Row::new("/", "GET", 1000.5, true);
        for tenth in 0..200 {
            row.record(&sample(Some(1.0), 1001.0 + f64::from(tenth) / 10.0));
        }
        assert_eq!(row.current_rps(row.clock()), Number::Exact(10.0));
        let short = row_of(&[1.0]);
        assert_eq!(short.current_rps(short.clock()), Number::Exact(0.0));
    }

    #[test]
    fn current_percentiles_follow_the_last_seconds() {
        let mut row = Row::new("/", "GET", 1000.0, true);
        for second in 1..=30 {
            row.record(&sample(Some(f64::from(second)), 1000.0 + f64::from(second)));
        }
        assert_eq!(row.current_percentile(1030.0, 10, 0.5), Ok(Some(26)));
        assert_eq!(row.percentile(0.5), 16);
        assert_eq!(row.current_percentile(1100.0, 10, 0.5), Ok(None));
        assert_eq!(Row::new("/", "", 0.0, false).current_percentile(0.0, 10, 0.5), Err(NoWindow));
    }

    #[test]
    fn failures_without_requests_are_a_ratio_of_one() {
        let mut row = row_of(&[]);
        row.record_failure(1001.0);
        assert_eq!(row.fail_ratio(), 1.0);
    }
}
