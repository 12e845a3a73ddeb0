//! `GET /stats/requests`: the figures as Locust's page polls them.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::json::{number, pretty};
use super::shared::{Settings, Shared, held};
use super::status::{Status, Worker};
use crate::report::number::float;
use crate::stats::{Clock, Number, Row, Table};

/// How long an answer is good for everybody.
const KEPT: Duration = Duration::from_secs(2);
/// As many rows, and kinds of failure, as Locust shows.
const MOST: usize = 500;

/// The answer; one that is younger than two seconds, where there is one.
pub fn answer(shared: &Shared) -> Bytes {
    let mut cached = held(&shared.cached);
    if let Some((made, body)) = &*cached
        && made.elapsed() < KEPT
    {
        return body.clone();
    }
    let body = pretty(current(shared));
    *cached = Some((Instant::now(), body.clone()));
    body
}

fn current(shared: &Shared) -> Value {
    let status = shared.status();
    if !status.has_runner {
        return without_runner();
    }
    of_table(&shared.source().table, &status, shared.settings(), now())
}

/// Copies of the rows as they are shown, and of the total. Each under the lock by itself: who counts is held up for a
/// few microseconds at a time.
pub fn rows(table: &Mutex<Table>, most: usize) -> (Vec<Row>, Row) {
    let keys: Vec<_> = {
        let table = held(table);
        let rows = table.sorted_rows().into_iter().take(most);
        rows.map(|row| (Arc::clone(&row.method), Arc::clone(&row.name))).collect()
    };
    let rows = keys.iter().filter_map(|(method, name)| held(table).row(method, name).cloned()).collect();
    (rows, held(table).total().clone())
}

/// A script may have a page before it has a runner.
fn without_runner() -> Value {
    json!({
        "stats": [],
        "errors": [],
        "total_rps": 0.0,
        "total_fail_per_sec": 0.0,
        "fail_ratio": 0.0,
        "current_response_time_percentile_1": null,
        "current_response_time_percentile_2": null,
        "state": "missing",
        "user_count": 0,
    })
}

fn of_table(table: &Mutex<Table>, status: &Status, settings: &Settings, now: f64) -> Value {
    let (rows, total) = rows(table, MOST);
    let clock = total.clock();
    let stats: Vec<_> = rows.iter().chain([&total]).map(|row| stats_row(row, clock, settings)).collect();
    let (errors, users) = {
        let table = held(table);
        (failures(&table, MOST), table.user_count())
    };
    let mut answer = json!({
        "stats": stats,
        "errors": errors,
        "total_rps": total.total_rps(clock),
        "total_fail_per_sec": total.total_fail_per_sec(clock),
        "current_rps": number(total.current_rps(clock)),
        "current_fail_per_sec": number(total.current_fail_per_sec(clock)),
        "fail_ratio": total.fail_ratio(),
        "current_response_time_percentiles": settings.chart.iter().map(|quantile| {
            let value = total.current_percentile(now, settings.window, *quantile).ok().flatten();
            (percentile_key(*quantile), value.into())
        }).collect::<Map<_, _>>(),
        "state": status.state,
        "user_count": users,
    });
    if let Some(workers) = &status.workers {
        answer["workers"] = workers.iter().map(worker).collect();
        answer["worker_count"] = status.worker_count().into();
    }
    answer
}

/// A row with Locust's names.
pub fn stats_row(row: &Row, clock: Clock, settings: &Settings) -> Value {
    let mut shown = json!({
        "method": &*row.method,
        "name": &*row.name,
        "num_requests": row.parts().num_requests,
        "num_failures": row.parts().num_failures,
        "avg_response_time": row.avg_response_time(),
        "min_response_time": whole(row.min_response_time(), Number::Whole(0)),
        "max_response_time": whole(row.max_response_time(), Number::Exact(0.0)),
        "current_rps": number(row.current_rps(clock)),
        "current_fail_per_sec": number(row.current_fail_per_sec(clock)),
        "total_rps": row.total_rps(clock),
        "total_fail_per_sec": row.total_fail_per_sec(clock),
        "median_response_time": number(row.median_response_time()),
        "avg_content_length": number(row.avg_content_length()),
    });
    for quantile in &settings.statistics {
        shown[percentile_key(*quantile)] = row.percentile(*quantile).into();
    }
    shown
}

/// Kinds of failure in order of first occurrence.
pub fn failures(table: &Table, most: usize) -> Vec<Value> {
    let failures = table.errors().iter().take(most).map(|record| {
        json!({
            "method": record.method,
            "name": record.name,
            "error": record.text,
            "occurrences": record.occurrences,
            "first_seen": record.first_seen,
            "last_seen": record.last_seen,
        })
    });
    failures.collect()
}

/// What tasks raised, in order of first occurrence.
pub fn exceptions(table: &Table) -> Vec<Value> {
    let exceptions = table.exceptions().iter().map(|record| {
        let nodes = record.nodes.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        json!({"count": record.count, "msg": record.message, "traceback": record.traceback, "nodes": nodes})
    });
    exceptions.collect()
}

pub fn worker(worker: &Worker) -> Value {
    json!({
        "id": worker.id,
        "state": worker.state,
        "user_count": worker.user_count,
        "cpu_usage": worker.cpu_usage,
        "memory_usage": worker.memory_usage,
    })
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

pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
