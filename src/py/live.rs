//! `_engine.LiveView`: the lines at the bottom of a terminal, and what is written above them.

use std::sync::Arc;
use std::time::Duration;

use pyo3::prelude::*;

use super::stats::StatsTable;
use crate::report::live::{self, Progress};

/// A few lines on the terminal behind stderr that follow the test, until they are closed.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct LiveView(live::LiveView);

#[pymethods]
impl LiveView {
    #[new]
    #[pyo3(signature = (table, run_time=None))]
    fn new(table: &StatsTable, run_time: Option<f64>) -> PyResult<Self> {
        let run_time = run_time.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Ok(Self(live::LiveView::start(Arc::clone(table.table()), run_time)?))
    }

    /// `iterations`: how many have begun, and how many are to.
    #[pyo3(signature = (state, target_users, iterations=None))]
    fn update(&self, state: String, target_users: u64, iterations: Option<(u64, u64)>) {
        self.0.update(Progress { state, target_users, iterations });
    }

    /// Write whole lines above, to stdout or to stderr. Raises `OSError`.
    fn write(&self, py: Python<'_>, text: &[u8], to_stdout: bool) -> PyResult<()> {
        Ok(py.detach(|| self.0.write(text, to_stdout))?)
    }

    /// Take the lines away.
    fn close(&self, py: Python<'_>) {
        py.detach(|| self.0.close());
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<LiveView>()
}
