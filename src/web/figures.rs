//! The figures of a row, taken out of the table in a moment and shown at leisure.

use std::sync::{Arc, Mutex};

use serde_json::{Map, Value, json};

use super::json::number;
use super::shared::Percentiles;
use crate::http::Phase;
use crate::report::number::float;
use crate::stats::{Clock, Number, Row, Table};
use crate::sync::held;

/// What the page has beside Locust's percentiles, which are whole milliseconds.
const EXACT: [(&str, f64); 6] =
    [("p50_ms", 0.5), ("p75_ms", 0.75), ("p90_ms", 0.9), ("p95_ms", 0.95), ("p99_ms", 0.99), ("p999_ms", 0.999)];

#[derive(Debug)]
pub struct Figures {
    method: Arc<str>,
    name: Arc<str>,
    num_requests: u64,
    num_failures: u64,
    avg_response_time: f64,
    min_response_time: Number,
    max_response_time: Number,
    median_response_time: Number,
    avg_content_length: Number,
    pub current_rps: Number,
    pub current_fail_per_sec: Number,
    pub total_rps: f64,
    pub total_fail_per_sec: f64,
    pub fail_ratio: f64,
    percentiles: Vec<(f64, u64)>,
}

/// A row's, and what only our page shows.
#[derive(Debug)]
pub struct WholeFigures {
    figures: Figures,
    exact: [f64; EXACT.len()],
    phases: Option<[f64; Phase::ALL.len()]>,
}

impl Figures {
    pub fn of(row: &Row, clock: Clock, percentiles: &Percentiles) -> Self {
        let parts = row.parts();
        let percentiles = percentiles.statistics.iter().map(|quantile| (*quantile, row.percentile(*quantile)));
        Self {
            method: Arc::clone(&row.method),
            name: Arc::clone(&row.name),
            num_requests: parts.num_requests,
            num_failures: parts.num_failures,
            avg_response_time: row.avg_response_time(),
            min_response_time: row.min_response_time(),
            max_response_time: row.max_response_time(),
            median_response_time: row.median_response_time(),
            avg_content_length: row.avg_content_length(),
            current_rps: row.current_rps(clock),
            current_fail_per_sec: row.current_fail_per_sec(clock),
            total_rps: row.total_rps(clock),
            total_fail_per_sec: row.total_fail_per_sec(clock),
            fail_ratio: row.fail_ratio(),
            percentiles: percentiles.collect(),
        }
    }

    /// With Locust's names.
    pub fn to_json(&self) -> Value {
        let mut shown = json!({
            "method": &*self.method,
            "name": &*self.name,
            "num_requests": self.num_requests,
            "num_failures": self.num_failures,
            "avg_response_time": self.avg_response_time,
            "min_response_time": whole(self.min_response_time, Number::Whole(0)),
            "max_response_time": whole(self.max_response_time, Number::Exact(0.0)),
            "current_rps": number(self.current_rps),
            "current_fail_per_sec": number(self.current_fail_per_sec),
            "total_rps": self.total_rps,
            "total_fail_per_sec": self.total_fail_per_sec,
            "median_response_time": number(self.median_response_time),
            "avg_content_length": number(self.avg_content_length),
        });
        for (quantile, value) in &self.percentiles {
            shown[percentile_key(*quantile)] = (*value).into();
        }
        shown
    }
}

impl WholeFigures {
    pub fn of(row: &Row, clock: Clock, percentiles: &Percentiles) -> Self {
        let phases = &row.parts().phases;
        let phases = (!phases.is_empty()).then(|| Phase::ALL.map(|phase| phases.average_ms(phase)));
        let exact = EXACT.map(|(_, quantile)| row.quantile_ms(quantile));
        Self { figures: Figures::of(row, clock, percentiles), exact, phases }
    }

    /// What [`Figures::to_json`] says, and more.
    pub fn to_json(&self) -> Value {
        let mut shown = self.figures.to_json();
        for ((name, _), value) in EXACT.iter().zip(&self.exact) {
            shown[*name] = rounded(*value).into();
        }
        if let Some(averages) = self.phases {
            let named = crate::report::html::PHASES.iter().zip(averages);
            shown["phases_ms"] =
                named.map(|(name, value)| ((*name).to_owned(), rounded(value).into())).collect::<Map<_, _>>().into();
        }
        shown
    }
}

/// Which rows there are, as they are shown: by name, then method.
pub fn keys(table: &Mutex<Table>, most: usize) -> Vec<(Arc<str>, Arc<str>)> {
    let table = held(table);
    let rows = table.sorted_rows().into_iter().take(most);
    rows.map(|row| (Arc::clone(&row.method), Arc::clone(&row.name))).collect()
}

/// What `take` makes of each row. Each is under the lock by itself: who counts is held up for a few microseconds at a time.
pub fn each_row<T>(table: &Mutex<Table>, most: usize, take: impl Fn(&Row, Clock) -> T) -> Vec<T> {
    let taken = keys(table, most).into_iter().filter_map(|(method, name)| {
        let table = held(table);
        table.row(&method, &name).map(|row| take(row, table.clock()))
    });
    taken.collect()
}

pub fn percentile_key(quantile: f64) -> String {
    format!("response_time_percentile_{}", float(quantile))
}

/// Rounded to whole milliseconds, halves up, and still a float, as Locust has it.
fn whole(value: Number, none: Number) -> Value {
    match value {
        Number::Whole(_) => number(none),
        Number::Exact(value) => (value + 0.5).floor().into(),
    }
}

/// To the microsecond.
fn rounded(value_ms: f64) -> f64 {
    (value_ms * 1000.0).round() / 1000.0
}
