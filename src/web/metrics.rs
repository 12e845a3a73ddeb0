//! `GET /metrics`: the figures in Prometheus' text format.

use std::fmt::Write as _;
use std::sync::Arc;

use super::figures::each_row;
use super::ready::Ready;
use super::shared::Shared;
use crate::cluster::master::Worker;
use crate::stats::Row;
use crate::sync::held;

const STATES: [&str; 6] = ["ready", "spawning", "running", "cleanup", "stopping", "stopped"];
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

pub fn answer(shared: &Shared) -> Ready {
    let status = shared.status();
    let session = shared.session();
    let rows = each_row(session.table(), usize::MAX, |row, _| Measured::of(row));
    let (users, lag, exceptions) = {
        let table = held(session.table());
        let exceptions: u64 = table.exceptions().iter().map(|record| record.count).sum();
        (table.user_count(), table.lag().clone(), exceptions)
    };
    let mut text = Text::default();
    text.head("gregaria_users", "gauge", "Users that run now.");
    text.line("gregaria_users", &[], users as f64);
    text.head("gregaria_target_users", "gauge", "Users that shall run.");
    text.line("gregaria_target_users", &[], status.target_user_count as f64);
    text.head("gregaria_state", "gauge", "1 for the state that the test is in.");
    for state in STATES {
        text.line("gregaria_state", &[("state", state)], f64::from(u8::from(status.state == state)));
    }
    text.head("gregaria_run", "gauge", "Tests of this process so far.");
    text.line("gregaria_run", &[], session.run() as f64);
    if let Some(fleet) = shared.fleet() {
        workers(&mut text, &fleet.workers());
    }
    let counters: [Counter; 3] = [
        ("gregaria_requests_total", "Requests of the test.", |row| row.requests),
        ("gregaria_failures_total", "Those that failed.", |row| row.failures),
        ("gregaria_response_bytes_total", "Bytes of their responses.", |row| row.bytes),
    ];
    for (name, help, value) in counters {
        text.head(name, "counter", help);
        for row in &rows {
            text.line(name, &row.labels(), value(row) as f64);
        }
    }
    text.head("gregaria_response_time_seconds", "summary", "Response times since the test began.");
    for row in &rows {
        response_times(&mut text, row);
    }
    text.head("gregaria_lag_seconds", "summary", "How long finished responses waited for Python.");
    for quantile in QUANTILES {
        text.line("gregaria_lag_seconds", &[("quantile", &quantile.to_string())], lag.percentile_ms(quantile) / 1e3);
    }
    text.line("gregaria_lag_seconds_count", &[], lag.count() as f64);
    text.head("gregaria_exceptions_total", "counter", "Exceptions that tasks raised.");
    text.line("gregaria_exceptions_total", &[], exceptions as f64);
    Ready::new(200, "text/plain; version=0.0.4; charset=utf-8", text.0)
}

/// Each by its id. Those of Locust say nothing of lag and clocks.
fn workers(text: &mut Text, workers: &[Worker]) {
    text.head("gregaria_workers", "gauge", "Workers that can run users.");
    text.line("gregaria_workers", &[], workers.iter().filter(|worker| worker.is_able()).count() as f64);
    let figures: [Figure; 9] = [
        ("gregaria_worker_up", "gauge", "1 for a worker that can run users.", |it| Some(it.is_able().into())),
        ("gregaria_worker_users", "gauge", "Users that run there.", |it| Some(it.users as f64)),
        ("gregaria_worker_requests_total", "counter", "Requests that it reported.", |it| {
            Some(it.figures.requests as f64)
        }),
        ("gregaria_worker_failures_total", "counter", "Those that failed.", |it| Some(it.figures.failures as f64)),
        ("gregaria_worker_cpu_ratio", "gauge", "Its use of processors; 1 is one core.", |it| Some(it.cpu / 100.0)),
        ("gregaria_worker_memory_bytes", "gauge", "Memory of its process.", |it| Some(it.memory as f64)),
        ("gregaria_worker_busy_seconds", "gauge", "How long its Python has been busy with one thing.", |it| {
            it.is_ours.then_some(it.busy)
        }),
        ("gregaria_worker_last_report_seconds", "gauge", "When its last report came, since the epoch.", |it| {
            it.figures.last_report
        }),
        ("gregaria_worker_clock_offset_seconds", "gauge", "What its clock is behind this machine's.", |it| {
            it.figures.offset.map(|(offset, _)| offset)
        }),
    ];
    for (name, kind, help, value) in figures {
        text.head(name, kind, help);
        for worker in workers {
            value(worker).into_iter().for_each(|value| text.line(name, &[("worker", &*worker.id)], value));
        }
    }
    text.head("gregaria_worker_lag_seconds", "summary", "How long finished responses waited for its Python.");
    for worker in workers.iter().filter(|worker| worker.figures.lag.0 > 0) {
        let (count, p50, p95, p99, _) = worker.figures.lag;
        for (quantile, lag) in [("0.5", p50), ("0.95", p95), ("0.99", p99)] {
            let labels = [("worker", &*worker.id), ("quantile", quantile)];
            text.line("gregaria_worker_lag_seconds", &labels, lag / 1e3);
        }
        text.line("gregaria_worker_lag_seconds_count", &[("worker", &*worker.id)], count as f64);
    }
}

/// Name, kind, help, and what is shown of a worker, where it is known.
type Figure = (&'static str, &'static str, &'static str, fn(&Worker) -> Option<f64>);

/// Name, help, and what it counts of a row.
type Counter = (&'static str, &'static str, fn(&Measured) -> u64);

/// What is shown of a row.
struct Measured {
    method: Arc<str>,
    name: Arc<str>,
    requests: u64,
    failures: u64,
    bytes: u64,
    timed: u64,
    seconds: f64,
    /// In milliseconds; none without response times.
    quantiles: Vec<f64>,
}

impl Measured {
    fn of(row: &Row) -> Self {
        let parts = row.parts();
        Self {
            method: Arc::clone(&row.method),
            name: Arc::clone(&row.name),
            requests: parts.num_requests,
            failures: parts.num_failures,
            bytes: parts.total_content_length,
            timed: parts.num_requests.saturating_sub(parts.num_none_requests),
            seconds: parts.total_response_time / 1e3,
            quantiles: if parts.response_times.is_empty() {
                Vec::new()
            } else {
                QUANTILES.iter().map(|quantile| row.quantile_ms(*quantile)).collect()
            },
        }
    }

    fn labels(&self) -> [(&str, &str); 2] {
        [("method", &self.method), ("name", &self.name)]
    }
}

fn response_times(text: &mut Text, row: &Measured) {
    let [method, name] = row.labels();
    for (quantile, time) in QUANTILES.into_iter().zip(&row.quantiles) {
        let labels = [method, name, ("quantile", &quantile.to_string())];
        text.line("gregaria_response_time_seconds", &labels, time / 1e3);
    }
    text.line("gregaria_response_time_seconds_sum", &[method, name], row.seconds);
    text.line("gregaria_response_time_seconds_count", &[method, name], row.timed as f64);
}

#[derive(Default)]
struct Text(String);

impl Text {
    fn head(&mut self, name: &str, kind: &str, help: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(self.0, "# HELP {name} {help}\n# TYPE {name} {kind}");
    }

    fn line(&mut self, name: &str, labels: &[(&str, &str)], value: f64) {
        let labels: Vec<_> = labels.iter().map(|(key, value)| format!("{key}=\"{}\"", escaped(value))).collect();
        let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _ = writeln!(self.0, "{name}{labels} {value}");
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::console::tests::small_run;
    use crate::web::Status;
    use crate::web::shared::tests::shared_of;

    #[test]
    fn metrics_are_as_prometheus_reads_them() {
        let shared = shared_of(small_run());
        shared.set_status(Status { state: "running".into(), target_user_count: 5, ..Status::default() });
        let answer = answer(&shared);
        insta::assert_snapshot!(std::str::from_utf8(&answer.body).unwrap());
    }

    #[test]
    fn of_each_worker_is_told_what_it_says() {
        let ours = crate::cluster::report::Figures {
            requests: 70,
            failures: 1,
            lag: (70, 0.25, 1.5, 20.0, 40.0),
            offset: Some((0.002, 0.001)),
            last_report: Some(1000.5),
            ..crate::cluster::report::Figures::default()
        };
        let ours = Worker {
            id: "a".into(),
            state: "running".into(),
            users: 3,
            cpu: 50.0,
            memory: 1024,
            is_ours: true,
            figures: ours,
            ..Worker::default()
        };
        let locusts = Worker { id: "b".into(), state: "missing".into(), ..Worker::default() };
        let mut text = Text::default();
        workers(&mut text, &[ours, locusts]);
        insta::assert_snapshot!(text.0);
    }

    #[test]
    fn labels_hold_whatever_a_request_is_called() {
        let mut text = Text::default();
        text.line("a", &[("name", "\"\\\n{}")], 1.5);
        assert_eq!(text.0, "a{name=\"\\\"\\\\\\n{}\"} 1.5\n");
    }
}
