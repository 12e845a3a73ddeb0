//! `GET /metrics`: the figures in Prometheus' text format.

use std::fmt::Write as _;

use super::ready::Ready;
use super::requests::rows;
use super::shared::{Shared, held};
use crate::stats::Row;

const STATES: [&str; 6] = ["ready", "spawning", "running", "cleanup", "stopping", "stopped"];
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.95, 0.99];

pub fn answer(shared: &Shared) -> Ready {
    let status = shared.status();
    let source = shared.source();
    let (rows, _) = rows(&source.table, usize::MAX);
    let (users, lag, exceptions) = {
        let table = held(&source.table);
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
    text.line("gregaria_run", &[], status.run as f64);
    if status.workers.is_some() {
        text.head("gregaria_workers", "gauge", "Workers that can run users.");
        text.line("gregaria_workers", &[], status.worker_count() as f64);
    }
    let counters: [(&str, &str, fn(&Row) -> u64); 3] = [
        ("gregaria_requests_total", "Requests of the test.", |row| row.parts().num_requests),
        ("gregaria_failures_total", "Those that failed.", |row| row.parts().num_failures),
        ("gregaria_response_bytes_total", "Bytes of their responses.", |row| row.parts().total_content_length),
    ];
    for (name, help, value) in counters {
        text.head(name, "counter", help);
        for row in &rows {
            text.line(name, &[("method", &row.method), ("name", &row.name)], value(row) as f64);
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

fn response_times(text: &mut Text, row: &Row) {
    let of = [("method", &*row.method), ("name", &*row.name)];
    let parts = row.parts();
    for quantile in QUANTILES.into_iter().filter(|_| !parts.response_times.is_empty()) {
        let shown = quantile.to_string();
        let labels = [of[0], of[1], ("quantile", shown.as_str())];
        text.line("gregaria_response_time_seconds", &labels, row.quantile_ms(quantile) / 1e3);
    }
    text.line("gregaria_response_time_seconds_sum", &of, parts.total_response_time / 1e3);
    let timed = parts.num_requests.saturating_sub(parts.num_none_requests);
    text.line("gregaria_response_time_seconds_count", &of, timed as f64);
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
    use crate::web::{Settings, Source, Status};
    use std::sync::{Arc, Mutex};

    #[test]
    fn metrics_are_as_prometheus_reads_them() {
        let source = Source::of(Arc::new(Mutex::new(small_run())));
        let shared = Shared::new(Settings::default(), source);
        shared.set_status(Status { state: "running".into(), run: 2, target_user_count: 5, ..Status::default() });
        let answer = answer(&shared);
        insta::assert_snapshot!(std::str::from_utf8(&answer.body).unwrap());
    }

    #[test]
    fn labels_hold_whatever_a_request_is_called() {
        let mut text = Text::default();
        text.line("a", &[("name", "\"\\\n{}")], 1.5);
        assert_eq!(text.0, "a{name=\"\\\"\\\\\\n{}\"} 1.5\n");
    }
}
