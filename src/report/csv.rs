//! Rows of the CSV files, as Locust writes them: commas, CRLF, quotes only where needed.

use super::number::{float, number, percentile_label};
use crate::http::Phase;
use crate::stats::{PERCENTILES_TO_REPORT, Row, Table, utc};

pub const FAILURES_HEADER: [&str; 6] = ["Method", "Name", "Error", "Occurrences", "First Seen", "Last Seen"];
pub const EXCEPTIONS_HEADER: [&str; 4] = ["Count", "Message", "Traceback", "Nodes"];
/// Not in Locust.
pub const ANNOTATIONS_HEADER: [&str; 3] = ["Timestamp", "User Count", "Annotation"];
const NOT_AVAILABLE: &str = "N/A";

pub type Record = Vec<String>;

/// What a locustfile may change about the files' columns.
#[derive(Debug, Clone, PartialEq)]
pub struct Columns {
    pub percentiles: Vec<f64>,
    /// History rows for every entry, with the percentiles of the last seconds.
    pub full_history: bool,
    /// How many seconds those are.
    pub window: i64,
}

impl Default for Columns {
    fn default() -> Self {
        Self { percentiles: PERCENTILES_TO_REPORT.to_vec(), full_history: false, window: 10 }
    }
}

impl Columns {
    pub fn requests_header(&self) -> Record {
        let before = [
            "Type",
            "Name",
            "Request Count",
            "Failure Count",
            "Median Response Time",
            "Average Response Time",
            "Min Response Time",
            "Max Response Time",
            "Average Content Size",
            "Requests/s",
            "Failures/s",
        ];
        before.map(String::from).into_iter().chain(self.labels()).collect()
    }

    pub fn history_header(&self) -> Record {
        let before = ["Timestamp", "User Count", "Type", "Name", "Requests/s", "Failures/s"];
        let after = [
            "Total Request Count",
            "Total Failure Count",
            "Total Median Response Time",
            "Total Average Response Time",
            "Total Min Response Time",
            "Total Max Response Time",
            "Total Average Content Size",
        ];
        before.map(String::from).into_iter().chain(self.labels()).chain(after.map(String::from)).collect()
    }

    /// Every entry, then the total.
    pub fn requests(&self, table: &Table) -> Vec<Record> {
        with_total(table).map(|row| self.request(row, table)).collect()
    }

    /// What one pass appends.
    pub fn history(&self, table: &Table, now: f64) -> Vec<Record> {
        let rows = with_total(table).filter(|row| self.full_history || std::ptr::eq(*row, table.total()));
        rows.map(|row| self.point(row, table, now)).collect()
    }

    fn request(&self, row: &Row, table: &Table) -> Record {
        let mut record = vec![row.method.to_string(), row.name.to_string()];
        record.extend(totals(row));
        record.extend([float(row.total_rps(table.clock())), float(row.total_fail_per_sec(table.clock()))]);
        record.extend(self.percentiles(row, |quantile| row.percentile(quantile)));
        record
    }

    fn point(&self, row: &Row, table: &Table, now: f64) -> Record {
        let mut record = vec![(now as i64).to_string(), table.user_count().to_string()];
        record.extend([row.method.to_string(), row.name.to_string()]);
        let rates = [row.current_rps(table.clock()), row.current_fail_per_sec(table.clock())];
        record.extend(rates.map(|rate| format!("{:.6}", rate.as_f64())));
        record.extend(self.percentiles(row, |quantile| self.percentile_in_history(row, now, quantile)));
        record.extend(totals(row));
        record
    }

    fn percentile_in_history(&self, row: &Row, now: f64, quantile: f64) -> u64 {
        if !self.full_history {
            return row.percentile(quantile);
        }
        match row.current_percentile(now, self.window, quantile) {
            Ok(current) => current.unwrap_or(0),
            Err(_) => row.percentile(quantile),
        }
    }

    fn percentiles(&self, row: &Row, percentile: impl Fn(f64) -> u64) -> Record {
        if row.parts().num_requests == 0 {
            return vec![NOT_AVAILABLE.into(); self.percentiles.len()];
        }
        self.percentiles.iter().map(|quantile| percentile(*quantile).to_string()).collect()
    }

    fn labels(&self) -> impl Iterator<Item = String> + '_ {
        self.percentiles.iter().map(|quantile| percentile_label(*quantile))
    }
}

/// In order of key, which is arbitrary but stable.
pub fn failures(table: &Table) -> Vec<Record> {
    let seen = |at: Option<f64>| at.map_or(String::new(), utc);
    let errors = table.errors().sorted_by_key().into_iter();
    errors
        .map(|error| {
            let (first, last) = (seen(error.first_seen), seen(error.last_seen));
            vec![
                error.method.clone(),
                error.name.clone(),
                error.text.clone(),
                error.occurrences.to_string(),
                first,
                last,
            ]
        })
        .collect()
}

pub fn exceptions(table: &Table) -> Vec<Record> {
    let exceptions = table.exceptions().iter();
    exceptions
        .map(|exception| {
            let nodes: Vec<&str> = exception.nodes.iter().map(String::as_str).collect();
            vec![exception.count.to_string(), exception.message.clone(), exception.traceback.clone(), nodes.join(", ")]
        })
        .collect()
}

/// What somebody said of a moment, in seconds of the Unix epoch.
pub fn annotations(table: &Table) -> Vec<Record> {
    let annotations = table.present_annotations();
    annotations.map(|said| vec![format!("{:.3}", said.at), said.users.to_string(), said.text.clone()]).collect()
}

pub fn phases_header() -> Record {
    let phases = ["Look-up", "Connect", "TLS", "Sending", "Waiting", "Receiving"];
    let of_phases = ["Average", "Max"].into_iter().flat_map(|what| phases.map(|phase| format!("{what} {phase}")));
    let before = ["Type", "Name", "Request Count"].map(String::from).into_iter();
    before.chain(of_phases).chain(["Connections Opened", "Connections Reused"].map(String::from)).collect()
}

/// Where the response times went, in milliseconds: of every entry for which the engine sent requests, then of all.
pub fn phases(table: &Table) -> Vec<Record> {
    with_total(table).filter(|row| !row.parts().phases.is_empty()).map(phases_of).collect()
}

fn phases_of(row: &Row) -> Record {
    let totals = &row.parts().phases;
    let longest_ms = |phase| totals.longest(phase).as_secs_f64() * 1000.0;
    let averages = Phase::ALL.into_iter().map(|phase| totals.average_ms(phase));
    let times = averages.chain(Phase::ALL.into_iter().map(longest_ms)).map(|ms| format!("{ms:.3}"));
    let before = [row.method.to_string(), row.name.to_string(), totals.calls().to_string()];
    before.into_iter().chain(times).chain([totals.opened(), totals.reused()].map(|count| count.to_string())).collect()
}

/// The bytes of some records.
pub fn encode<R, F>(records: impl IntoIterator<Item = R>) -> Vec<u8>
where
    R: IntoIterator<Item = F>,
    F: AsRef<[u8]>,
{
    let mut writer = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).flexible(true).from_writer(Vec::new());
    for record in records {
        writer.write_record(record).expect("a vector takes every byte");
    }
    writer.into_inner().expect("a vector takes every byte")
}

fn with_total(table: &Table) -> impl Iterator<Item = &Row> {
    table.sorted_rows().into_iter().chain([table.total()])
}

fn totals(row: &Row) -> [String; 7] {
    let parts = row.parts();
    [
        parts.num_requests.to_string(),
        parts.num_failures.to_string(),
        number(row.median_response_time()),
        float(row.avg_response_time()),
        number(row.min_response_time()),
        number(row.max_response_time()),
        number(row.avg_content_length()),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::console::tests::{record_phases, small_run};
    use super::*;

    fn text(records: Vec<Record>) -> String {
        String::from_utf8(encode(records)).unwrap()
    }

    fn with_header(header: Record, records: Vec<Record>) -> String {
        text(std::iter::once(header).chain(records).collect()).replace("\r\n", "\n")
    }

    #[test]
    fn files_read_as_locusts() {
        let mut table = small_run();
        table.record_exception("local", "bad", "  File \"shop.py\", line 17, in pay\n    raise Exception(\"bad\")\n");
        table.set_user_count(3);
        let (brief, full) = (Columns::default(), Columns { full_history: true, ..Columns::default() });
        insta::assert_snapshot!("requests", with_header(brief.requests_header(), brief.requests(&table)));
        insta::assert_snapshot!("history", with_header(brief.history_header(), brief.history(&table, 1020.5)));
        insta::assert_snapshot!("full_history", with_header(full.history_header(), full.history(&table, 1020.5)));
        insta::assert_snapshot!("failures", with_header(FAILURES_HEADER.map(String::from).to_vec(), failures(&table)));
        insta::assert_snapshot!(
            "exceptions",
            with_header(EXCEPTIONS_HEADER.map(String::from).to_vec(), exceptions(&table))
        );
    }

    #[test]
    fn phases_have_a_row_for_each_entry_that_was_sent_and_the_total() {
        let mut table = small_run();
        assert!(phases(&table).is_empty());
        record_phases(&mut table);
        insta::assert_snapshot!(with_header(phases_header(), phases(&table)), @r"
        Type,Name,Request Count,Average Look-up,Average Connect,Average TLS,Average Sending,Average Waiting,Average Receiving,Max Look-up,Max Connect,Max TLS,Max Sending,Max Waiting,Max Receiving,Connections Opened,Connections Reused
        GET,/a,1,0.001,0.010,0.100,1.000,10.000,100.000,0.001,0.010,0.100,1.000,10.000,100.000,1,2
        GET,/long/enough/for/two,1,0.001,0.010,0.100,1.000,10.000,100.000,0.001,0.010,0.100,1.000,10.000,100.000,1,2
        ,Aggregated,2,0.001,0.010,0.100,1.000,10.000,100.000,0.001,0.010,0.100,1.000,10.000,100.000,2,4
        ");
    }

    #[test]
    fn an_empty_table_is_one_row() {
        let (columns, table) = (Columns::default(), Table::new(0.0, true));
        let row = ",Aggregated,0,0,0,0.0,0,0,0,0.0,0.0,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A\r\n";
        assert_eq!(text(columns.requests(&table)), row);
        let point = "1767225600,0,,Aggregated,0.000000,0.000000,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,N/A,0,0,0,0.0,0,0,0\r\n";
        assert_eq!(text(columns.history(&table, 1_767_225_600.9)), point);
    }

    #[test]
    fn quotes_stand_only_where_they_must() {
        assert_eq!(encode([["a b", "c,d", "e\"f", "g\nh", ""]]), b"a b,\"c,d\",\"e\"\"f\",\"g\nh\",\r\n");
    }
}
