//! `_engine.StatsRow`: one line of the statistics, read where it lies.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::stats::{buckets, no_window, number, sample};
use crate::clock::now;
use crate::http::Phase;
use crate::stats::{Clock, PerSecond, Row, RowParts, Table, microseconds};
use crate::sync::held;

enum Place {
    Listed {
        name: String,
        method: String,
    },
    Total,
    /// Made by hand, or rebuilt from what another node sent: in no table.
    Own(Box<Mutex<Row>>),
}

/// A row of a table, its total, or one that stands alone.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct StatsRow {
    place: Place,
    /// Whose total says over what time the rates are.
    table: Arc<Mutex<Table>>,
}

impl StatsRow {
    pub(super) fn listed(table: Arc<Mutex<Table>>, name: &str, method: &str) -> Self {
        Self { place: Place::Listed { name: name.into(), method: method.into() }, table }
    }

    pub(super) fn total(table: Arc<Mutex<Table>>) -> Self {
        Self { place: Place::Total, table }
    }

    pub(super) fn read<R>(&self, read: impl FnOnce(&Row, Clock) -> R) -> R {
        self.change(|row, clock| read(row, clock))
    }

    fn own(&self) -> Place {
        Place::Own(Box::new(Mutex::new(self.read(|row, _| row.clone()))))
    }

    fn change<R>(&self, change: impl FnOnce(&mut Row, Clock) -> R) -> R {
        let mut table = held(&self.table);
        let clock = table.clock();
        match &self.place {
            Place::Listed { name, method } => change(table.row_mut(method, name, now()), clock),
            Place::Total => change(table.total_mut(), clock),
            Place::Own(row) => change(&mut held(row), clock),
        }
    }
}

#[pymethods]
impl StatsRow {
    /// A row that stands alone.
    #[new]
    #[pyo3(signature = (table, name, method, use_response_times_cache=false))]
    fn new(table: &super::stats::StatsTable, name: &str, method: &str, use_response_times_cache: bool) -> Self {
        let row = Row::new(name, method, now(), use_response_times_cache);
        Self { place: Place::Own(Box::new(Mutex::new(row))), table: Arc::clone(table.table()) }
    }

    /// A row from what Locust's `serialize` gives. Unknown keys are ignored.
    #[staticmethod]
    fn from_dict(table: &super::stats::StatsTable, data: &Bound<'_, PyDict>) -> PyResult<Self> {
        let text = |key| data.get_item(key)?.map_or(Ok(String::new()), |value| value.extract());
        let row = Row::from_parts(&text("name")?, &text("method")?, parts(data)?);
        Ok(Self { place: Place::Own(Box::new(Mutex::new(row))), table: Arc::clone(table.table()) })
    }

    /// The same row of a table that was copied from this one's.
    fn copied(&self, table: &super::stats::StatsTable) -> Self {
        let place = match &self.place {
            Place::Listed { name, method } => Place::Listed { name: name.clone(), method: method.clone() },
            Place::Total => Place::Total,
            Place::Own(_) => self.own(),
        };
        Self { place, table: Arc::clone(table.table()) }
    }

    /// A row that has counted the same and stands alone.
    fn alone(&self) -> Self {
        Self { place: self.own(), table: Arc::clone(&self.table) }
    }

    #[pyo3(signature = (response_time, content_length, at=None))]
    fn log(&self, response_time: Option<f64>, content_length: &Bound<'_, PyAny>, at: Option<f64>) -> PyResult<()> {
        let sample = sample(response_time, content_length, at)?;
        self.change(|row, _| row.record(&sample));
        Ok(())
    }

    #[pyo3(signature = (at=None))]
    fn log_failure(&self, at: Option<f64>) {
        let at = at.unwrap_or_else(now);
        self.change(|row, _| row.record_failure(at));
    }

    #[pyo3(signature = (at=None))]
    fn reset(&self, at: Option<f64>) {
        let at = at.unwrap_or_else(now);
        self.change(|row, _| row.reset(at));
    }

    /// Add another row's figures to this one's.
    fn extend(&self, other: &Self) {
        let other = other.read(|row, _| row.clone());
        self.change(|row, _| row.merge(&other));
    }

    #[getter]
    fn num_requests(&self) -> u64 {
        self.read(|row, _| row.parts().num_requests)
    }

    #[getter]
    fn num_none_requests(&self) -> u64 {
        self.read(|row, _| row.parts().num_none_requests)
    }

    #[getter]
    fn num_failures(&self) -> u64 {
        self.read(|row, _| row.parts().num_failures)
    }

    #[getter]
    fn total_response_time(&self) -> f64 {
        self.read(|row, _| row.parts().total_response_time)
    }

    #[getter]
    fn min_response_time(&self) -> Option<f64> {
        self.read(|row, _| row.parts().min_response_time)
    }

    #[getter]
    fn max_response_time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        number(py, self.read(|row, _| row.max_response_time()))
    }

    #[getter]
    fn total_content_length(&self) -> u64 {
        self.read(|row, _| row.parts().total_content_length)
    }

    #[getter]
    fn start_time(&self) -> f64 {
        self.read(|row, _| row.parts().start_time)
    }

    #[setter]
    fn set_start_time(&self, start_time: f64) {
        self.change(|row, _| row.set_start_time(start_time));
    }

    #[getter]
    fn last_request_timestamp(&self) -> Option<f64> {
        self.read(|row, _| row.parts().last_request_timestamp)
    }

    /// Locust's buckets: how often each rounded response time was recorded.
    #[getter]
    fn response_times(&self) -> BTreeMap<i64, u64> {
        self.read(|row, _| buckets(row))
    }

    /// Every response time to three significant digits, and how often it was recorded.
    #[getter]
    fn values(&self) -> Vec<(f64, u64)> {
        self.read(|row, _| row.parts().response_times.values_ms().collect())
    }

    #[getter]
    fn num_reqs_per_sec(&self) -> BTreeMap<i64, u64> {
        self.read(|row, _| row.parts().requests_per_second.iter().collect())
    }

    #[getter]
    fn num_fail_per_sec(&self) -> BTreeMap<i64, u64> {
        self.read(|row, _| row.parts().failures_per_second.iter().collect())
    }

    #[getter]
    fn fail_ratio(&self) -> f64 {
        self.read(|row, _| row.fail_ratio())
    }

    #[getter]
    fn avg_response_time(&self) -> f64 {
        self.read(|row, _| row.avg_response_time())
    }

    #[getter]
    fn median_response_time<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        number(py, self.read(|row, _| row.median_response_time()))
    }

    #[getter]
    fn avg_content_length<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        number(py, self.read(|row, _| row.avg_content_length()))
    }

    #[getter]
    fn current_rps<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        number(py, self.read(Row::current_rps))
    }

    #[getter]
    fn current_fail_per_sec<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        number(py, self.read(Row::current_fail_per_sec))
    }

    #[getter]
    fn total_rps(&self) -> f64 {
        self.read(Row::total_rps)
    }

    #[getter]
    fn total_fail_per_sec(&self) -> f64 {
        self.read(Row::total_fail_per_sec)
    }

    /// How many of the engine's own requests it has; for each of their phases the average and the maximum in ms and
    /// its share of the response time; connections opened and reused.
    #[getter]
    fn phases(&self) -> (u64, Vec<(f64, f64, f64)>, u64, u64) {
        self.read(|row, _| {
            let totals = &row.parts().phases;
            let longest_ms = |phase| totals.longest(phase).as_secs_f64() * 1000.0;
            let phases = Phase::ALL.map(|phase| (totals.average_ms(phase), longest_ms(phase), totals.share(phase)));
            (totals.calls(), phases.to_vec(), totals.opened(), totals.reused())
        })
    }

    fn percentile(&self, quantile: f64) -> u64 {
        self.read(|row, _| row.percentile(quantile))
    }

    #[pyo3(signature = (quantile, window=10, at=None))]
    fn current_percentile(&self, quantile: f64, window: i64, at: Option<f64>) -> PyResult<Option<u64>> {
        let at = at.unwrap_or_else(now);
        self.read(|row, _| row.current_percentile(at, window, quantile)).map_err(|_| no_window())
    }
}

fn parts(data: &Bound<'_, PyDict>) -> PyResult<RowParts> {
    let count = |key| data.get_item(key)?.map_or(Ok(0), |value| value.extract::<u64>());
    let time = |key| data.get_item(key)?.map_or(Ok(None), |value| value.extract::<Option<f64>>());
    let mut parts = RowParts {
        num_requests: count("num_requests")?,
        num_none_requests: count("num_none_requests")?,
        num_failures: count("num_failures")?,
        total_response_time: time("total_response_time")?.unwrap_or(0.0),
        min_response_time: time("min_response_time")?,
        max_response_time: time("max_response_time")?.unwrap_or(0.0),
        total_content_length: count("total_content_length")?,
        start_time: time("start_time")?.unwrap_or(0.0),
        last_request_timestamp: time("last_request_timestamp")?,
        requests_per_second: per_second(data, "num_reqs_per_sec")?,
        failures_per_second: per_second(data, "num_fail_per_sec")?,
        ..RowParts::default()
    };
    for (value, count) in counts::<f64>(data, "response_times")? {
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        parts.response_times.record_many_us(microseconds(value), count);
    }
    Ok(parts)
}

fn per_second(data: &Bound<'_, PyDict>, key: &str) -> PyResult<PerSecond> {
    let mut seconds = PerSecond::default();
    seconds.extend(counts::<i64>(data, key)?.into_iter());
    Ok(seconds)
}

fn counts<K>(data: &Bound<'_, PyDict>, key: &str) -> PyResult<Vec<(K, u64)>>
where
    K: for<'a, 'py> FromPyObject<'a, 'py, Error = PyErr>,
{
    let Some(value) = data.get_item(key)? else { return Ok(Vec::new()) };
    let counts = value.cast_into::<PyDict>()?;
    counts.iter().map(|(key, count)| Ok((key.extract()?, count.extract()?))).collect()
}
