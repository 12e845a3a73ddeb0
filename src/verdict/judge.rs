//! Whether a run kept to its checks.

use serde_json::{Value, json};

use super::check::{Check, Condition, Metric};
use crate::stats::{Row, Table, Timeline, timeline};

/// The checks of a run, and the worst that their windows have seen so far.
#[derive(Debug, Default)]
pub struct Judge {
    checks: Vec<Check>,
    /// By check and condition.
    worst: Vec<Vec<Option<Worst>>>,
}

/// The worst window of a condition.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Worst {
    measured: f64,
    /// When it ended, in seconds since the start.
    at: f64,
}

/// One condition, judged.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// As it was written; `None`: the whole run.
    pub entry: Option<String>,
    pub condition: Condition,
    /// In the unit of the metric; `None` where there was nothing to measure.
    pub measured: Option<f64>,
    pub passed: bool,
    /// What there is to say beside the numbers; empty if nothing.
    pub remark: String,
}

impl Outcome {
    /// What it is about, as tables show it.
    pub fn subject(&self) -> &str {
        self.entry.as_deref().unwrap_or(Table::TOTAL)
    }

    pub fn shown(&self) -> String {
        self.measured.map_or_else(|| "–".into(), |value| self.condition.metric.unit().show(value))
    }

    pub fn to_json(&self) -> Value {
        json!({
            "entry": self.entry,
            "condition": self.condition.text,
            "operator": self.condition.operator.sign(),
            "limit": self.condition.limit,
            "unit": match self.condition.metric.unit() {
                super::check::Unit::Milliseconds => "ms",
                super::check::Unit::Share => "share",
                super::check::Unit::Number => "count",
                super::check::Unit::PerSecond => "per_second",
            },
            "window_s": self.condition.window,
            "measured": self.measured,
            "shown": self.shown(),
            "passed": self.passed,
            "remark": self.remark,
        })
    }
}

impl Judge {
    pub fn new(checks: Vec<Check>) -> Self {
        let worst = checks.iter().map(|check| vec![None; check.conditions.len()]).collect();
        Self { checks, worst }
    }

    /// Forget what its windows have seen: a new run.
    pub fn forget(&mut self) {
        self.worst.iter_mut().flatten().for_each(|worst| *worst = None);
    }

    pub fn is_empty(&self) -> bool {
        self.checks.is_empty()
    }

    pub fn has_windows(&self) -> bool {
        self.checks.iter().flat_map(|check| &check.conditions).any(|condition| condition.window.is_some())
    }

    /// Look at the windows that end now. Gives the first condition that is broken in one of them.
    pub fn watch(&mut self, timeline: &Timeline) -> Option<String> {
        let mut broken = None;
        for (check, worst) in self.checks.iter().zip(&mut self.worst) {
            for (condition, worst) in check.conditions.iter().zip(worst) {
                let Some(measured) = windowed(check.entry.as_deref(), condition, timeline, true) else { continue };
                let at = timeline.intervals().last().map_or(0.0, |interval| interval.end);
                let operator = condition.operator;
                if worst.is_none_or(|worst| operator.is_worse(measured, worst.measured, condition.limit)) {
                    *worst = Some(Worst { measured, at });
                }
                if broken.is_none() && !operator.holds(measured, condition.limit) {
                    let subject = check.entry.as_deref().unwrap_or(Table::TOTAL);
                    let shown = condition.metric.unit().show(measured);
                    broken = Some(format!("{subject}: {} (was {shown})", condition.text));
                }
            }
        }
        broken
    }

    /// Every condition, in the order in which they were given.
    pub fn outcomes(&self, table: &Table, timeline: &Timeline) -> Vec<Outcome> {
        let outcome = |(check, worst): (&Check, &Vec<Option<Worst>>)| {
            let row = row_of(table, check.entry.as_deref());
            let judged = check.conditions.iter().zip(worst).map(|(condition, worst)| {
                let (measured, remark) = match (&row, condition.window) {
                    (None, _) => (None, "never requested".into()),
                    (Some(row), None) => whole(row, table, condition.metric),
                    (Some(_), Some(window)) => over_windows(check, condition, window, *worst, timeline),
                };
                let passed = measured.is_some_and(|value| condition.operator.holds(value, condition.limit));
                Outcome { entry: check.entry.clone(), condition: condition.clone(), measured, passed, remark }
            });
            judged.collect::<Vec<_>>()
        };
        self.checks.iter().zip(&self.worst).flat_map(outcome).collect()
    }
}

/// A name is a row's, or a method and a name. Methods of one name count together.
fn is_named(entry: &str, method: &str, name: &str) -> bool {
    entry == name || entry.strip_suffix(name).and_then(|rest| rest.strip_suffix(' ')).is_some_and(|m| m == method)
}

fn row_of(table: &Table, entry: Option<&str>) -> Option<Row> {
    let Some(entry) = entry else { return Some(table.total().clone()) };
    let rows = table.rows().iter().filter(|row| is_named(entry, &row.method, &row.name) && !row.is_empty());
    rows.cloned().reduce(|mut sum, row| {
        sum.merge(&row);
        sum
    })
}

fn whole(row: &Row, table: &Table, metric: Metric) -> (Option<f64>, String) {
    let parts = row.parts();
    let times = |value: f64| (!parts.response_times.is_empty()).then_some(value);
    let measured = match metric {
        Metric::Quantile(quantile) => times(row.quantile_ms(quantile)),
        Metric::Average => times(row.avg_response_time()),
        Metric::Min => times(row.min_response_time().as_f64()),
        Metric::Max => times(row.max_response_time().as_f64()),
        Metric::Requests => Some(parts.num_requests as f64),
        Metric::Failures => Some(parts.num_failures as f64),
        Metric::FailRatio => (!row.is_empty()).then(|| row.fail_ratio()),
        Metric::Rps => Some(row.total_rps(table.clock())),
        Metric::FailRps => Some(row.total_fail_per_sec(table.clock())),
        Metric::Lag => (table.lag().count() > 0).then(|| table.lag().percentile_ms(0.99)),
    };
    let remark = match measured {
        None if row.is_empty() => "nothing was requested",
        None => "nothing was measured",
        Some(_) => "",
    };
    (measured, remark.into())
}

fn over_windows(
    check: &Check,
    condition: &Condition,
    window: f64,
    worst: Option<Worst>,
    timeline: &Timeline,
) -> (Option<f64>, String) {
    if let Some(worst) = worst {
        let from = (worst.at - window).max(0.0);
        return (Some(worst.measured), format!("worst of the windows: {from:.0} s to {:.0} s", worst.at));
    }
    let measured = windowed(check.entry.as_deref(), condition, timeline, false);
    let remark = if measured.is_some() { "the run was shorter than the window" } else { "nothing was requested" };
    (measured, remark.into())
}

/// The metric over the window that ends now; `None` where the window is not full, if it must be, or has nothing to
/// measure.
fn windowed(entry: Option<&str>, condition: &Condition, timeline: &Timeline, full: bool) -> Option<f64> {
    let window = condition.window?;
    let is_it = |other: &timeline::Entry| entry.is_some_and(|entry| is_named(entry, &other.method, &other.name));
    let (seconds, counts) = timeline.recent(window, is_it, entry.is_none());
    if full && seconds < window - timeline.interval() / 2.0 {
        return None;
    }
    let rate = |count: u64| Some(count as f64 / seconds.max(1e-9));
    match condition.metric {
        Metric::Quantile(quantile) => counts.times.quantile_ms(quantile),
        Metric::Average => counts.average_ms(),
        Metric::Min => counts.times.quantile_ms(0.0),
        Metric::Max => counts.times.quantile_ms(1.0),
        Metric::Requests => Some(counts.requests as f64),
        Metric::Failures => Some(counts.failures as f64),
        Metric::FailRatio => (counts.requests > 0).then(|| counts.failures as f64 / counts.requests as f64),
        Metric::Rps => rate(counts.requests),
        Metric::FailRps => rate(counts.failures),
        Metric::Lag => None,
    }
}
