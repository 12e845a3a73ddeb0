//! Entries of reports, for `_cluster/reports.py`.

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{IntoPyDict, PyDict, PyTuple};

use crate::cluster::report::{ENTRY, compact, rounded};
use crate::stats::Histogram;

/// The response times of an entry of ours as Locust rounds them: milliseconds, and how often. `ValueError` for bytes that
/// are none.
#[pyfunction]
fn rounded_response_times<'py>(py: Python<'py>, measured: &[u8]) -> PyResult<Bound<'py, PyDict>> {
    let (_, cells) =
        compact::take_times(measured).ok_or_else(|| PyValueError::new_err("what was measured ends too early"))?;
    rounded(cells.map(|(cell, count)| (Histogram::shown_ms(cell), count.into()))).into_py_dict(py)
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add("REPORT_ENTRY", PyTuple::new(module.py(), ENTRY)?)?;
    module.add_function(wrap_pyfunction!(rounded_response_times, module)?)
}
