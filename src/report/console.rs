//! The tables of the terminal, line for line as Locust prints them.

use std::fmt::Write as _;

use super::number::percentile_label;
use crate::http::Phase;
use crate::stats::{Clock, PhaseTotals, Row, Table};

/// The widths that a locustfile may change, and that follow the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    pub name_width: i64,
    pub type_width: i64,
}

impl Default for Layout {
    fn default() -> Self {
        Self { name_width: 80, type_width: 8 }
    }
}

/// Which rates a request table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rates {
    /// Of the last ten seconds: the table printed during a run.
    Current,
    /// Of the whole run: the table at its end.
    Total,
}

impl Layout {
    /// The name column of the request table.
    fn column(self) -> i64 {
        self.name_width - self.type_width + 4
    }
}

pub fn request_table(table: &Table, rates: Rates, layout: Layout) -> Vec<String> {
    let widths = [layout.type_width, layout.column(), 7, 13, 7, 7, 7, 7, 8, 11];
    let separator = separator(&widths);
    let mut lines = vec![request_header(layout), separator.clone()];
    lines.extend(table.sorted_rows().into_iter().map(|row| request_line(row, table.clock(), rates, layout)));
    lines.extend([separator, request_line(table.total(), table.clock(), rates, layout), String::new()]);
    lines
}

fn request_header(layout: Layout) -> String {
    let (method, name) = (left("Type", layout.type_width), left("Name", layout.column()));
    let [requests, failures] = ["# reqs", "# fails"];
    let [avg, min, max, median] = ["Avg", "Min", "Max", "Med"];
    let [rps, failing] = ["req/s", "failures/s"];
    format!(
        "{method} {name} {requests:>7} {failures:>12} |{avg:>7} {min:>7} {max:>7}{median:>7} | {rps:>7} {failing:>11}"
    )
}

/// One row of the request table. Averages and extremes lose their decimals, as `%d` takes them.
pub fn request_line(row: &Row, clock: Clock, rates: Rates, layout: Layout) -> String {
    let parts = row.parts();
    let (rps, failing) = match rates {
        Rates::Current => (row.current_rps(clock).as_f64(), row.current_fail_per_sec(clock).as_f64()),
        Rates::Total => (row.total_rps(clock), row.total_fail_per_sec(clock)),
    };
    let method = if row.method.is_empty() { String::new() } else { format!("{} ", row.method) };
    let failures = format!("{}({:.2}%)", parts.num_failures, row.fail_ratio() * 100.0);
    let [avg, min, max, median] = [
        row.avg_response_time(),
        row.min_response_time().as_f64(),
        row.max_response_time().as_f64(),
        row.median_response_time().as_f64(),
    ]
    .map(|time| time as i64);
    format!(
        "{} {} {:>7} {failures:>12} |{avg:>7} {min:>7} {max:>7}{median:>7} | {rps:>7.2} {failing:>11.2}",
        left(&method, layout.type_width),
        left(&row.name, layout.column()),
        parts.num_requests,
    )
}

pub fn percentile_table(table: &Table, quantiles: &[f64], layout: Layout) -> Vec<String> {
    let labels: Vec<String> = quantiles.iter().map(|quantile| percentile_label(*quantile)).collect();
    let header = percentile_cells("Type", "Name", &labels, "# reqs", layout);
    let mut widths = vec![layout.type_width, layout.name_width, 8];
    widths.extend(std::iter::repeat_n(6, quantiles.len()));
    let separator = separator(&widths);
    let timed = |row: &&Row| !row.parts().response_times.is_empty();
    let mut lines = vec!["Response time percentiles (approximated)".into(), header, separator.clone()];
    lines.extend(table.sorted_rows().into_iter().filter(timed).map(|row| percentile_line(row, quantiles, layout)));
    lines.push(separator);
    lines.extend(Some(table.total()).filter(timed).map(|row| percentile_line(row, quantiles, layout)));
    lines.push(String::new());
    lines
}

/// One row of the percentile table.
pub fn percentile_line(row: &Row, quantiles: &[f64], layout: Layout) -> String {
    let cells: Vec<String> = quantiles.iter().map(|quantile| row.percentile(*quantile).to_string()).collect();
    percentile_cells(&row.method, &row.name, &cells, &row.parts().num_requests.to_string(), layout)
}

fn percentile_cells(method: &str, name: &str, cells: &[String], requests: &str, layout: Layout) -> String {
    let mut line = format!("{} {}", left(method, layout.type_width), left(name, layout.name_width));
    for (i, cell) in cells.iter().map(String::as_str).chain([requests]).enumerate() {
        let width = if i == 0 { 8 } else { 6 };
        // Writing to a string cannot fail.
        let _ = write!(line, " {cell:>width$}");
    }
    line
}

/// Where the response times went. Empty where no request was the engine's.
pub fn phase_table(table: &Table, layout: Layout) -> Vec<String> {
    let measured = |row: &&Row| !row.parts().phases.is_empty();
    if !measured(&table.total()) {
        return Vec::new();
    }
    let total = &table.total().parts().phases;
    let title = "Where the time goes (averages in ms; requests for which a connection was opened or reused)";
    let separator = separator(&[layout.type_width, layout.name_width, 8, 59, 16]);
    let mut lines = vec![title.into(), phase_header(layout), separator.clone()];
    lines.extend(table.sorted_rows().into_iter().filter(measured).map(|row| phase_line(row, layout)));
    lines.extend([separator, phase_line(table.total(), layout), phase_shares(total, layout), String::new()]);
    lines
}

fn phase_header(layout: Layout) -> String {
    let phases = ["look-up", "connect", "TLS", "sending", "waiting", "receiving"].map(String::from);
    phase_cells(["Type", "Name", "# reqs"], &phases, ["opened", "reused"], layout)
}

fn phase_line(row: &Row, layout: Layout) -> String {
    let totals = &row.parts().phases;
    let phases = Phase::ALL.map(|phase| format!("{:.2}", totals.average_ms(phase)));
    let [calls, opened, reused] = [totals.calls(), totals.opened(), totals.reused()].map(|count| count.to_string());
    phase_cells([&row.method, &row.name, &calls], &phases, [&opened, &reused], layout)
}

fn phase_shares(totals: &PhaseTotals, layout: Layout) -> String {
    let shares = Phase::ALL.map(|phase| format!("{:.1}%", totals.share(phase) * 100.0));
    phase_cells(["", "of the response time", ""], &shares, ["", ""], layout).trim_end().into()
}

fn phase_cells(row: [&str; 3], phases: &[String; 6], connections: [&str; 2], layout: Layout) -> String {
    let [method, name, requests] = row;
    let [look_up, connect, tls, sending, waiting, receiving] = phases;
    let [opened, reused] = connections;
    format!(
        "{} {} {requests:>8} {look_up:>9} {connect:>9} {tls:>9} {sending:>9} {waiting:>9} {receiving:>9} {opened:>8} {reused:>7}",
        left(method, layout.type_width),
        left(name, layout.name_width),
    )
}

/// Empty without errors.
pub fn error_report(table: &Table, layout: Layout) -> Vec<String> {
    let separator = separator(&[18, 80 + layout.name_width - 19]);
    let mut lines = vec!["Error report".into(), format!("{:<18} {:<100}", "# occurrences", "Error"), separator.clone()];
    lines.extend(table.errors().iter().map(|error| format!("{:<18} {:<100}", error.occurrences, error.title())));
    lines.extend([separator, String::new()]);
    lines
}

fn separator(widths: &[i64]) -> String {
    let dashes = widths.iter().map(|width| "-".repeat(usize::try_from(*width).unwrap_or(0)));
    dashes.collect::<Vec<_>>().join("|")
}

/// A negative width counts by its size, as in Python's `%`. Names are never cut.
fn left(text: &str, width: i64) -> String {
    let width = width.unsigned_abs() as usize;
    format!("{text:<width$}")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::http::Phases;
    use crate::stats::{ErrorText, PERCENTILES_TO_REPORT, Sample};
    use std::time::Duration;

    /// A small run, the same that the conformance test records in Locust.
    pub fn small_run() -> Table {
        let mut table = Table::new(1000.0, true);
        let mut at = 1000.0;
        for i in 0..40 {
            at += 0.5;
            let (method, name) = if i % 4 == 0 { ("POST", "/cart") } else { ("GET", "/a") };
            let response_time_ms = Some(12.345 + f64::from(i));
            table.record(
                method,
                name,
                Sample { response_time_ms, response_length: 10, generator_lag: Duration::ZERO, phases: None, at },
            );
            if i % 10 == 0 {
                let error = ErrorText { text: "CatchResponseError('boom')", shown: "boom" };
                table.record_error(method, name, error, at);
            }
        }
        let sample =
            Sample { response_time_ms: None, response_length: 0, generator_lag: Duration::ZERO, phases: None, at };
        table.record("WS", "no time", sample);
        table
    }

    /// Two requests that the engine sent: ten times as long in each phase as in the one before.
    pub fn record_phases(table: &mut Table) {
        let mut phases = Phases { opened: 1, reused: 2, ..Phases::default() };
        for (i, phase) in Phase::ALL.into_iter().enumerate() {
            phases.add(phase, Duration::from_micros(10_u64.pow(i as u32)));
        }
        for name in ["/a", "/long/enough/for/two"] {
            let (generator_lag, phases) = (Duration::ZERO, Some(phases));
            let sample =
                Sample { response_time_ms: Some(111.111), response_length: 10, generator_lag, phases, at: 1001.0 };
            table.record("GET", name, sample);
        }
    }

    #[test]
    fn tables_read_as_locusts() {
        let (table, layout) = (small_run(), Layout::default());
        insta::assert_snapshot!("current", request_table(&table, Rates::Current, layout).join("\n"));
        insta::assert_snapshot!("total", request_table(&table, Rates::Total, layout).join("\n"));
        insta::assert_snapshot!("percentiles", percentile_table(&table, &PERCENTILES_TO_REPORT, layout).join("\n"));
        insta::assert_snapshot!("errors", error_report(&table, layout).join("\n"));
    }

    #[test]
    fn a_narrow_terminal_cuts_no_name() {
        let layout = Layout { name_width: 0, ..Layout::default() };
        insta::assert_snapshot!("narrow", request_table(&small_run(), Rates::Total, layout).join("\n"));
    }

    #[test]
    fn phases_are_shown_of_requests_that_the_engine_sent() {
        let mut table = small_run();
        assert!(phase_table(&table, Layout::default()).is_empty());
        record_phases(&mut table);
        let layout = Layout { name_width: 24, ..Layout::default() };
        insta::assert_snapshot!(phase_table(&table, layout).join("\n"), @r"
        Where the time goes (averages in ms; requests for which a connection was opened or reused)
        Type     Name                       # reqs   look-up   connect       TLS   sending   waiting receiving   opened  reused
        --------|------------------------|--------|-----------------------------------------------------------|----------------
        GET      /a                              1      0.00      0.01      0.10      1.00     10.00    100.00        1       2
        GET      /long/enough/for/two            1      0.00      0.01      0.10      1.00     10.00    100.00        1       2
        --------|------------------------|--------|-----------------------------------------------------------|----------------
                 Aggregated                      2      0.00      0.01      0.10      1.00     10.00    100.00        2       4
                 of the response time                   0.0%      0.0%      0.1%      0.9%      9.0%     90.0%
        ");
    }

    #[test]
    fn without_errors_the_report_is_its_frame() {
        assert_eq!(error_report(&Table::new(0.0, true), Layout::default()).len(), 5);
    }
}
