//! `_engine.CsvFiles` and the tables: what a run leaves behind, seen from Python.

#![allow(clippy::needless_pass_by_value, reason = "Python's arguments arrive by value")]

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::prelude::*;

use super::stats::StatsTable;
use super::stats_row::StatsRow;
use crate::report::background::{Background, Complain};
use crate::report::console::{self, Layout, Rates};
use crate::report::csv::{self, Columns, EXCEPTIONS_HEADER, FAILURES_HEADER, Record};
use crate::report::number::percentile_label as label;
use crate::report::{csv_files as csv_thread, hgrm, html};
use crate::sync::held;

/// Files of a run that a thread of their own writes until they are closed.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct RunFiles {
    thread: Mutex<Background>,
    complaints: Complaints,
}

/// What the thread that writes has to say, kept for whoever logs it: the thread has no interpreter.
type Complaints = Arc<Mutex<Vec<String>>>;

impl RunFiles {
    fn start(start: impl FnOnce(Complain) -> io::Result<Background>) -> PyResult<Self> {
        let complaints = Complaints::default();
        let heard = Arc::clone(&complaints);
        let complain = move |message| held(&heard).push(message);
        Ok(Self { thread: Mutex::new(start(Box::new(complain))?), complaints })
    }
}

#[pymethods]
impl RunFiles {
    /// What went wrong since this was last asked, each a sentence.
    fn take_complaints(&self) -> Vec<String> {
        std::mem::take(&mut *held(&self.complaints))
    }

    /// Write a last time and close.
    fn close(&self, py: Python<'_>) {
        py.detach(|| held(&self.thread).close());
    }
}

/// The CSV files `{prefix}_stats.csv` and so on.
#[pyfunction]
#[pyo3(signature = (table, prefix, percentiles, full_history=false, interval=1.0, window=10))]
fn csv_files(
    table: &StatsTable,
    prefix: &str,
    percentiles: Vec<f64>,
    full_history: bool,
    interval: f64,
    window: i64,
) -> PyResult<RunFiles> {
    let columns = Columns { percentiles, full_history, window };
    RunFiles::start(|complain| {
        csv_thread::start(prefix, columns, seconds(interval), Arc::clone(table.table()), complain)
    })
}

/// The histograms `{prefix}.hlog` and `{prefix}.hgrm`.
#[pyfunction]
#[pyo3(signature = (table, prefix, interval=1.0))]
fn histogram_files(table: &StatsTable, prefix: &str, interval: f64) -> PyResult<RunFiles> {
    RunFiles::start(|complain| hgrm::start(prefix, seconds(interval), Arc::clone(table.table()), complain))
}

fn seconds(interval: f64) -> Duration {
    Duration::try_from_secs_f64(interval).unwrap_or(Duration::from_secs(1))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<RunFiles>()?;
    module.add_function(wrap_pyfunction!(csv_files, module)?)?;
    module.add_function(wrap_pyfunction!(histogram_files, module)?)?;
    module.add_function(wrap_pyfunction!(percentile_label, module)?)?;
    module.add_function(wrap_pyfunction!(request_lines, module)?)?;
    module.add_function(wrap_pyfunction!(request_line, module)?)?;
    module.add_function(wrap_pyfunction!(percentile_lines, module)?)?;
    module.add_function(wrap_pyfunction!(percentile_line, module)?)?;
    module.add_function(wrap_pyfunction!(phase_lines, module)?)?;
    module.add_function(wrap_pyfunction!(error_lines, module)?)?;
    module.add_function(wrap_pyfunction!(report_page, module)?)?;
    module.add_function(wrap_pyfunction!(report_details, module)?)?;
    module.add_function(wrap_pyfunction!(csv_requests, module)?)?;
    module.add_function(wrap_pyfunction!(csv_history_header, module)?)?;
    module.add_function(wrap_pyfunction!(csv_failures, module)?)?;
    module.add_function(wrap_pyfunction!(csv_exceptions, module)?)
}

/// `0.999` → `99.9%`.
#[pyfunction]
fn percentile_label(quantile: f64) -> String {
    label(quantile)
}

#[pyfunction]
fn request_lines(table: &StatsTable, current: bool, name_width: i64, type_width: i64) -> Vec<String> {
    console::request_table(&held(table.table()), rates(current), Layout { name_width, type_width })
}

#[pyfunction]
fn request_line(row: &StatsRow, current: bool, name_width: i64, type_width: i64) -> String {
    row.read(|row, clock| console::request_line(row, clock, rates(current), Layout { name_width, type_width }))
}

#[pyfunction]
fn percentile_lines(table: &StatsTable, percentiles: Vec<f64>, name_width: i64, type_width: i64) -> Vec<String> {
    console::percentile_table(&held(table.table()), &percentiles, Layout { name_width, type_width })
}

#[pyfunction]
fn percentile_line(row: &StatsRow, percentiles: Vec<f64>, name_width: i64, type_width: i64) -> String {
    row.read(|row, _| console::percentile_line(row, &percentiles, Layout { name_width, type_width }))
}

#[pyfunction]
fn phase_lines(table: &StatsTable, name_width: i64, type_width: i64) -> Vec<String> {
    console::phase_table(&held(table.table()), Layout { name_width, type_width })
}

#[pyfunction]
fn error_lines(table: &StatsTable, name_width: i64) -> Vec<String> {
    console::error_report(&held(table.table()), Layout { name_width, ..Layout::default() })
}

/// The header and the rows of the file of requests.
#[pyfunction]
fn csv_requests(table: &StatsTable, percentiles: Vec<f64>) -> (Record, Vec<Record>) {
    let columns = Columns { percentiles, ..Columns::default() };
    (columns.requests_header(), columns.requests(&held(table.table())))
}

#[pyfunction]
fn csv_history_header(percentiles: Vec<f64>) -> Record {
    Columns { percentiles, ..Columns::default() }.history_header()
}

#[pyfunction]
fn csv_failures(table: &StatsTable) -> (Record, Vec<Record>) {
    (FAILURES_HEADER.map(String::from).to_vec(), csv::failures(&held(table.table())))
}

#[pyfunction]
fn csv_exceptions(table: &StatsTable) -> (Record, Vec<Record>) {
    (EXCEPTIONS_HEADER.map(String::from).to_vec(), csv::exceptions(&held(table.table())))
}

fn rates(current: bool) -> Rates {
    if current { Rates::Current } else { Rates::Total }
}

/// The page of the HTML report, with two objects of JSON in it: what Locust's reports have, and what only ours know.
#[pyfunction]
fn report_page(template_args: &str, run: &str, theme: &str) -> String {
    html::page(template_args, run, theme)
}

/// How the response times of every entry are spread, their phases, and the generator's lag, as JSON.
#[pyfunction]
fn report_details(py: Python<'_>, table: &StatsTable) -> String {
    // Of a copy: a test that still runs counts on meanwhile.
    let table = held(table.table()).copy();
    py.detach(|| html::details(&table).to_string())
}
