//! Generator lag: how long finished responses waited for Python. Said beside the response times, never in them.

use std::time::Duration;

use serde_json::{Value, json};

use super::Histogram;

/// Every recorded wait, and what to say about it.
#[derive(Debug, Clone, Default)]
pub struct Lag {
    waits: Histogram,
    longest: Duration,
}

impl Lag {
    /// The waits worth naming, in milliseconds. Shorter ones are no user's concern.
    const LIMITS_MS: [f64; 9] = [5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1000.0, 2000.0];
    /// The share of responses above the limit from which on it is a warning.
    pub(super) const WORTH_A_WARNING: f64 = 0.05;
    /// Fewer responses say nothing of what the generator can do.
    const ENOUGH: u64 = 100;

    pub fn record(&mut self, wait: Duration) {
        self.waits.record_us(wait.as_micros() as u64);
        self.longest = self.longest.max(wait);
    }

    /// Add waits that another node measured.
    pub fn merge(&mut self, other: &Self) {
        self.waits.merge(&other.waits);
        self.longest = self.longest.max(other.longest);
    }

    /// Count waits in this cell of the histogram so often, as another node says.
    pub fn record_cell(&mut self, cell: u16, count: u32) {
        self.waits.record_cell(cell, count);
    }

    /// Another node's longest wait.
    pub fn include_longest(&mut self, longest: Duration) {
        self.longest = self.longest.max(longest);
    }

    pub fn waits(&self) -> &Histogram {
        &self.waits
    }

    pub fn count(&self) -> u64 {
        self.waits.count()
    }

    pub fn longest(&self) -> Duration {
        self.longest
    }

    /// In milliseconds, 0 while nothing was recorded.
    pub fn percentile_ms(&self, quantile: f64) -> f64 {
        let longest = self.longest.as_secs_f64() * 1000.0;
        self.waits.quantile_ms(quantile).map_or(0.0, |value| value.min(longest))
    }

    /// The share of responses that waited longer than this.
    pub fn share_above(&self, limit_ms: f64) -> f64 {
        match self.waits.count() {
            0 => 0.0,
            count => self.waits.count_above_ms(limit_ms) as f64 / count as f64,
        }
    }

    /// Lines for the final summary; none when nothing was measured.
    pub fn summary(&self, median_response_time_ms: f64) -> Vec<String> {
        if self.waits.is_empty() {
            return Vec::new();
        }
        let limit = Self::limit(median_response_time_ms);
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| milliseconds(self.percentile_ms(quantile)));
        let longest = milliseconds(self.longest.as_secs_f64() * 1000.0);
        let share = percent(self.share_above(limit));
        vec![
            "Generator lag (how long finished responses waited for Python; not in the response times)".into(),
            format!(
                "50% {p50}, 95% {p95}, 99% {p99}, longest {longest}; {share} of the responses waited more than {limit} ms"
            ),
            String::new(),
        ]
    }

    /// What to warn of when Python is the bottleneck: many waits are long against the response times.
    pub fn warning(&self, median_response_time_ms: f64) -> Option<String> {
        let limit = Self::limit(median_response_time_ms);
        let share = self.share_above(limit);
        (self.count() >= Self::ENOUGH && share >= Self::WORTH_A_WARNING).then(|| {
            format!(
                "{} of the responses waited more than {limit} ms for Python (median response time {}): the locustfile \
                 uses more CPU than this process has. The response times are right, the throughput is not what the \
                 server could give; make the tasks cheaper.",
                percent(share),
                milliseconds(median_response_time_ms)
            )
        })
    }

    /// `null` where no request was the engine's.
    pub fn to_json(&self, median_response_time_ms: f64) -> Option<Value> {
        let to_microseconds = |quantile| (self.percentile_ms(quantile) * 1000.0).round() / 1000.0;
        let [p50, p95, p99, max] = [0.5, 0.95, 0.99, 1.0].map(to_microseconds);
        (self.count() > 0).then(|| {
            json!({
                "count": self.count(),
                "p50_ms": p50,
                "p95_ms": p95,
                "p99_ms": p99,
                "max_ms": max,
                "warning": self.warning(median_response_time_ms),
            })
        })
    }

    /// A wait counts as long from a quarter of the median response time on, rounded up to a number worth saying.
    pub(super) fn limit(median_response_time_ms: f64) -> f64 {
        let wanted = median_response_time_ms / 4.0;
        Self::LIMITS_MS.into_iter().find(|limit| *limit >= wanted).unwrap_or(2000.0)
    }
}

fn milliseconds(value: f64) -> String {
    if value < 10.0 { format!("{value:.1} ms") } else { format!("{value:.0} ms") }
}

fn percent(share: f64) -> String {
    let percent = share * 100.0;
    if percent < 1.0 && percent > 0.0 { format!("{percent:.2} %") } else { format!("{percent:.0} %") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lag_of(waits_ms: impl IntoIterator<Item = u64>) -> Lag {
        let mut lag = Lag::default();
        waits_ms.into_iter().for_each(|wait| lag.record(Duration::from_millis(wait)));
        lag
    }

    #[test]
    fn says_what_share_waited_how_long() {
        let lag = lag_of((0..100).map(|i| if i < 12 { 80 } else { 1 }));
        let warning = lag.warning(20.0).unwrap();
        assert!(warning.starts_with("12 % of the responses waited more than 5 ms for Python"), "{warning}");
        insta::assert_snapshot!(lag.summary(20.0).join("\n"), @r"
        Generator lag (how long finished responses waited for Python; not in the response times)
        50% 1.0 ms, 95% 80 ms, 99% 80 ms, longest 80 ms; 12 % of the responses waited more than 5 ms
        ");
    }

    #[test]
    fn a_wait_that_is_short_against_the_response_times_is_no_warning() {
        let lag = lag_of([30; 100]);
        assert!(lag.warning(20.0).is_some());
        assert!(lag.warning(400.0).is_none());
    }

    #[test]
    fn without_responses_there_is_nothing_to_say() {
        assert!(Lag::default().summary(0.0).is_empty());
        assert!(Lag::default().warning(0.0).is_none());
    }
}
