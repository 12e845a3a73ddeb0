//! `GET /stats/requests`: the figures as Locust's page polls them.

use std::sync::Mutex;
use std::time::Instant;

use bytes::Bytes;
use serde_json::{Map, Value, json};

use super::figures::{Figures, each_row, percentile_key};
use super::json::{number, pretty};
use super::shared::{Percentiles, Shared};
use super::status::Status;
use super::workers;
use crate::clock::now;
use crate::stats::Table;
use crate::sync::held;

/// As many rows, and kinds of failure, as Locust shows.
const MOST: usize = 500;

/// The answer; one that is younger than two seconds, where there is one.
pub fn answer(shared: &Shared) -> Bytes {
    let mut cached = held(&shared.cached);
    if let Some((made, body)) = &*cached
        && made.elapsed() < shared.settings().kept
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
    let mut answer =
        of_table(shared.session().table(), &status, &shared.percentiles(), shared.settings().window, now());
    if let Some(fleet) = shared.fleet() {
        answer["workers"] = fleet.states().iter().map(workers::locusts).collect();
        answer["worker_count"] = status.worker_count.into();
    }
    answer
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

fn of_table(table: &Mutex<Table>, status: &Status, percentiles: &Percentiles, window: i64, now: f64) -> Value {
    let rows = each_row(table, MOST, |row, clock| Figures::of(row, clock, percentiles));
    let table = held(table);
    let total = Figures::of(table.total(), table.clock(), percentiles);
    let recent = percentiles.chart.iter().map(|quantile| {
        let value = table.total().current_percentile(now, window, *quantile).ok().flatten();
        (percentile_key(*quantile), value.into())
    });
    let (recent, errors, users): (Map<_, _>, _, _) = (recent.collect(), failures(&table, MOST), table.user_count());
    drop(table);
    json!({
        "stats": rows.iter().chain([&total]).map(Figures::to_json).collect::<Vec<_>>(),
        "errors": errors,
        "total_rps": total.total_rps,
        "total_fail_per_sec": total.total_fail_per_sec,
        "current_rps": number(total.current_rps),
        "current_fail_per_sec": number(total.current_fail_per_sec),
        "fail_ratio": total.fail_ratio,
        "current_response_time_percentiles": recent,
        "state": status.state,
        "user_count": users,
    })
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
