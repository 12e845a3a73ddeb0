//! `_engine.StatsTable` and `_engine.StatsRow`: the statistics seen from Python.
//!
//! The lock is held for reading or counting only. Everything that may run Python (a `repr`, a comparison) is done
//! before it is taken or after it is released.

use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyDict, PyList, PySet, PyString, PyTuple};

use super::stats_row::StatsRow;
use crate::clock::now;
use crate::report::number::float;
use crate::stats::{Annotation, ErrorRecord, ErrorText, HistoryPoint, Number, Row, Sample, Table, error_key, utc};
use crate::sync::held;

/// A table that Rust counts in and Python reads.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct StatsTable {
    table: Arc<Mutex<Table>>,
    /// The first exception object of each kind of failure, by its key: Locust shows objects, the table keeps text.
    objects: Mutex<HashMap<String, Py<PyAny>>>,
}

impl StatsTable {
    pub fn table(&self) -> &Arc<Mutex<Table>> {
        &self.table
    }

    /// Count a failure that Python has an object for. The request itself is recorded apart.
    pub fn record_failure(&self, method: &str, name: &str, error: &Bound<'_, PyAny>, at: f64) -> PyResult<()> {
        let (text, shown) = texts(error)?;
        let error_text =
            ErrorText { text: &text, shown: shown.as_deref().unwrap_or_else(|| ErrorText::of_text(&text).shown) };
        let new = held(&self.table).record_error(method, name, error_text, at);
        if new {
            let objects = &mut held(&self.objects);
            objects.insert(error_key(method, name, &text), error.clone().unbind());
        }
        Ok(())
    }

    fn forget_objects(&self) {
        // Taken out first: what a destructor runs may come back here.
        let objects = std::mem::take(&mut *held(&self.objects));
        drop(objects);
    }
}

#[pymethods]
impl StatsTable {
    #[new]
    #[pyo3(signature = (use_response_times_cache=true))]
    fn new(use_response_times_cache: bool) -> Self {
        let table = Table::new(now(), use_response_times_cache);
        Self { table: Arc::new(Mutex::new(table)), objects: Mutex::default() }
    }

    #[pyo3(signature = (method, name, response_time, content_length, at=None))]
    fn log_request(
        &self,
        method: &Bound<'_, PyAny>,
        name: &Bound<'_, PyAny>,
        response_time: Option<f64>,
        content_length: &Bound<'_, PyAny>,
        at: Option<f64>,
    ) -> PyResult<()> {
        let (method, name) = (label(method)?, label(name)?);
        let sample = sample(response_time, content_length, at)?;
        held(&self.table).record_by_hand(method.to_str(), name.to_str(), sample);
        Ok(())
    }

    #[pyo3(signature = (method, name, error, at=None))]
    fn log_error(
        &self,
        method: &Bound<'_, PyAny>,
        name: &Bound<'_, PyAny>,
        error: &Bound<'_, PyAny>,
        at: Option<f64>,
    ) -> PyResult<()> {
        let (method, name) = (label(method)?, label(name)?);
        self.record_failure(method.to_str(), name.to_str(), error, at.unwrap_or_else(now))
    }

    fn log_exception(&self, node: &str, message: &str, traceback: &str) {
        held(&self.table).record_exception(node, message, traceback);
    }

    /// The keys of all rows, in order of first request.
    fn keys(&self) -> Vec<(String, String)> {
        held(&self.table).rows().iter().map(|row| (row.name.to_string(), row.method.to_string())).collect()
    }

    fn contains(&self, name: &str, method: &str) -> bool {
        held(&self.table).row(method, name).is_some()
    }

    /// The row of this name and method, made if there is none.
    fn row(&self, name: &Bound<'_, PyAny>, method: &Bound<'_, PyAny>) -> PyResult<StatsRow> {
        let (name, method) = (label(name)?, label(method)?);
        held(&self.table).row_mut(method.to_str(), name.to_str(), now());
        Ok(StatsRow::listed(Arc::clone(&self.table), name.to_str(), method.to_str()))
    }

    fn total(&self) -> StatsRow {
        StatsRow::total(Arc::clone(&self.table))
    }

    fn reset_all(&self) {
        held(&self.table).reset_all(now());
        self.forget_objects();
    }

    fn clear_all(&self) {
        held(&self.table).clear_all(now());
        self.forget_objects();
    }

    /// Every kind of failure in order of first occurrence: key, method, name, error, occurrences, first and last
    /// seen. The error is the object where this node has one, else its text.
    fn errors<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let records: Vec<ErrorRecord> = held(&self.table).errors().iter().cloned().collect();
        records.into_iter().map(|record| self.error_tuple(py, record)).collect()
    }

    fn error_count(&self) -> usize {
        held(&self.table).errors().len()
    }

    /// Add what another node counted under this key.
    #[pyo3(signature = (method, name, error, occurrences, first_seen, last_seen))]
    fn merge_error(
        &self,
        method: String,
        name: String,
        error: String,
        occurrences: u64,
        first_seen: Option<f64>,
        last_seen: Option<f64>,
    ) {
        let shown = ErrorText::of_text(&error).shown.to_owned();
        let record =
            ErrorRecord { key: String::new(), method, name, text: error, shown, occurrences, first_seen, last_seen };
        held(&self.table).errors_mut().merge(&record);
    }

    /// Forget a row; `False` if there is none.
    fn remove(&self, name: &Bound<'_, PyAny>, method: &Bound<'_, PyAny>) -> PyResult<bool> {
        let (name, method) = (label(name)?, label(method)?);
        Ok(held(&self.table).remove(method.to_str(), name.to_str()))
    }

    /// Forget a kind of failure; `False` if there is none with this key.
    fn remove_error(&self, key: &str) -> bool {
        held(&self.table).errors_mut().remove(key)
    }

    /// A table that has counted the same, and goes its own way.
    fn copy(&self, py: Python<'_>) -> Self {
        let objects = held(&self.objects);
        let objects = objects.iter().map(|(key, object)| (key.clone(), object.clone_ref(py))).collect();
        Self { table: Arc::new(Mutex::new(held(&self.table).copy())), objects: Mutex::new(objects) }
    }

    fn clear_errors(&self) {
        held(&self.table).errors_mut().clear();
        self.forget_objects();
    }

    /// What locustfiles raised, in order of first occurrence.
    fn exceptions<'py>(&self, py: Python<'py>) -> PyResult<Vec<Bound<'py, PyDict>>> {
        let records: Vec<_> = held(&self.table).exceptions().iter().cloned().collect();
        let to_dict = |record: crate::stats::ExceptionRecord| {
            let dict = PyDict::new(py);
            dict.set_item("count", record.count)?;
            dict.set_item("msg", record.message)?;
            dict.set_item("traceback", record.traceback)?;
            dict.set_item("nodes", PySet::new(py, record.nodes)?)?;
            Ok(dict)
        };
        records.into_iter().map(to_dict).collect()
    }

    fn clear_exceptions(&self) {
        held(&self.table).exceptions_mut().clear();
    }

    fn history<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let points = held(&self.table).history().to_vec();
        let points: Vec<_> = points.iter().map(|point| history_dict(py, point)).collect::<PyResult<_>>()?;
        PyList::new(py, points)
    }

    fn clear_history(&self) {
        held(&self.table).history_mut().clear();
    }

    /// Append a point: these percentiles over the last `window` seconds, and the rates of now.
    #[pyo3(signature = (percentiles, user_count, window=10, timestamp=None))]
    fn append_history(&self, percentiles: Vec<f64>, user_count: u64, window: i64, timestamp: Option<String>) {
        let now = now();
        let table = &mut held(&self.table);
        let current = |quantile| table.total().current_percentile(now, window, quantile).ok().flatten().unwrap_or(0);
        let point = HistoryPoint {
            time: timestamp.unwrap_or_else(|| utc(now)),
            user_count,
            current_rps: table.total().current_rps(table.clock()),
            current_fail_per_sec: table.total().current_fail_per_sec(table.clock()),
            total_avg_response_time: (table.total().avg_response_time() * 100.0).round() / 100.0,
            percentiles: percentiles.into_iter().map(|quantile| (quantile, current(quantile))).collect(),
        };
        table.history_mut().push(point);
    }

    fn set_user_count(&self, users: u64) {
        held(&self.table).set_user_count(users);
    }

    /// How many users are to run, for the charts.
    fn set_target_user_count(&self, users: u64) {
        held(&self.table).set_target_user_count(users);
    }

    /// How many seconds it may take until what happens is counted here, as on a master; `None` where it is at once.
    fn set_delay(&self, seconds: Option<f64>) {
        held(&self.table).set_delay(seconds);
    }

    /// Note a text at this moment. `False` where there are too many already.
    fn annotate(&self, text: &str) -> bool {
        held(&self.table).annotate(text, now())
    }

    /// What was said of the present test, as JSON: `time` (s since the epoch), `text` and `users` of each.
    fn annotations(&self) -> String {
        let said: Vec<_> = held(&self.table).present_annotations().map(Annotation::to_json).collect();
        serde_json::Value::from(said).to_string()
    }

    /// How long finished responses waited for Python: count, median, 95 %, 99 % and the longest, in milliseconds.
    fn lag(&self) -> (u64, f64, f64, f64, f64) {
        let table = held(&self.table);
        let [p50, p95, p99] = [0.5, 0.95, 0.99].map(|quantile| table.lag().percentile_ms(quantile));
        (table.lag().count(), p50, p95, p99, table.lag().longest().as_secs_f64() * 1000.0)
    }

    /// The share of responses that waited longer than this for Python.
    fn lag_share_above(&self, limit_ms: f64) -> f64 {
        held(&self.table).lag().share_above(limit_ms)
    }

    /// Lines for the final summary; none when nothing was measured.
    fn lag_summary_lines(&self) -> Vec<String> {
        let table = held(&self.table);
        table.lag().summary(table.total().median_response_time().as_f64())
    }

    /// What to warn of when Python is the bottleneck.
    fn lag_warning(&self) -> Option<String> {
        let table = held(&self.table);
        table.lag().warning(table.total().median_response_time().as_f64())
    }
}

impl StatsTable {
    fn error_tuple<'py>(&self, py: Python<'py>, record: ErrorRecord) -> PyResult<Bound<'py, PyTuple>> {
        let object = held(&self.objects).get(&record.key).map(|object| object.clone_ref(py));
        let error = object.map_or_else(|| PyString::new(py, &record.text).into_any(), |object| object.into_bound(py));
        let (first, last) = (record.first_seen, record.last_seen);
        (record.key, record.method, record.name, error, record.occurrences, first, last).into_pyobject(py)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<StatsTable>()?;
    module.add_class::<StatsRow>()?;
    module.add_function(wrap_pyfunction!(error_to_text, module)?)?;
    module.add_function(wrap_pyfunction!(error_to_key, module)?)
}

/// What an error is grouped by: itself if it is a string, else its `repr`, without an address.
#[pyfunction]
fn error_to_text(error: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(crate::stats::without_address(&texts(error)?.0))
}

#[pyfunction]
fn error_to_key(method: &str, name: &str, error: &Bound<'_, PyAny>) -> PyResult<String> {
    Ok(error_key(method, name, &texts(error)?.0))
}

pub(super) fn sample(response_time_ms: Option<f64>, length: &Bound<'_, PyAny>, at: Option<f64>) -> PyResult<Sample> {
    let response_length = length.extract::<f64>()?.max(0.0) as u64;
    let at = at.unwrap_or_else(now);
    Ok(Sample { response_time_ms, response_length, generator_lag: Duration::ZERO, phases: None, at })
}

/// A whole number stays an `int` in Python.
pub(super) fn number(py: Python<'_>, number: Number) -> PyResult<Bound<'_, PyAny>> {
    match number {
        Number::Whole(number) => Ok(number.into_pyobject(py)?.into_any()),
        Number::Exact(number) => Ok(number.into_pyobject(py)?.into_any()),
    }
}

/// A name or a method: nearly always a string, anything else by its `str`.
pub(super) struct Label<'py>(Bound<'py, PyString>, Option<String>);

pub(super) fn label<'py>(value: &Bound<'py, PyAny>) -> PyResult<Label<'py>> {
    let string = value.str()?;
    let replaced = match string.to_string_lossy() {
        Cow::Owned(replaced) => Some(replaced),
        Cow::Borrowed(_) => None,
    };
    Ok(Label(string, replaced))
}

impl Label<'_> {
    pub(super) fn to_str(&self) -> &str {
        self.1.as_deref().or_else(|| self.0.to_str().ok()).unwrap_or_default()
    }
}

/// The grouping text of an error, and what the report shows of it where that is not in the text.
fn texts(error: &Bound<'_, PyAny>) -> PyResult<(String, Option<String>)> {
    if let Ok(text) = error.cast::<PyString>() {
        return Ok((text.to_string_lossy().into_owned(), None));
    }
    let text = error.repr()?.to_string_lossy().into_owned();
    let shown = if is_catch_response_error(error)? { first_argument(error)? } else { None };
    Ok((text.clone(), Some(shown.unwrap_or(text))))
}

fn is_catch_response_error(error: &Bound<'_, PyAny>) -> PyResult<bool> {
    static CLASS: PyOnceLock<Py<pyo3::types::PyType>> = PyOnceLock::new();
    error.is_instance(CLASS.import(error.py(), "locust.exception", "CatchResponseError")?)
}

fn first_argument(error: &Bound<'_, PyAny>) -> PyResult<Option<String>> {
    let arguments = error.getattr("args")?;
    if arguments.len()? == 0 {
        return Ok(None);
    }
    Ok(Some(arguments.get_item(0)?.str()?.to_string_lossy().into_owned()))
}

fn history_dict<'py>(py: Python<'py>, point: &HistoryPoint) -> PyResult<Bound<'py, PyDict>> {
    let dict = PyDict::new(py);
    let stamped = |value: Bound<'py, PyAny>| PyList::new(py, [PyString::new(py, &point.time).into_any(), value]);
    for (quantile, value) in &point.percentiles {
        let value = value.into_pyobject(py)?.into_any();
        dict.set_item(format!("response_time_percentile_{}", float(*quantile)), stamped(value)?)?;
    }
    dict.set_item("current_rps", stamped(number(py, point.current_rps)?)?)?;
    dict.set_item("current_fail_per_sec", stamped(number(py, point.current_fail_per_sec)?)?)?;
    dict.set_item("total_avg_response_time", stamped(point.total_avg_response_time.into_pyobject(py)?.into_any())?)?;
    dict.set_item("user_count", stamped(point.user_count.into_pyobject(py)?.into_any())?)?;
    dict.set_item("time", &point.time)?;
    Ok(dict)
}

/// Locust's buckets of a row's response times.
pub(super) fn buckets(row: &Row) -> BTreeMap<i64, u64> {
    let mut buckets = BTreeMap::new();
    for (value, count) in row.parts().response_times.values_ms() {
        *buckets.entry(crate::stats::locust_bucket(value)).or_default() += count;
    }
    buckets
}

pub(super) fn no_window() -> PyErr {
    PyValueError::new_err(
        "StatsEntry.use_response_times_cache must be set to True to calculate the _current_ response time percentile",
    )
}
