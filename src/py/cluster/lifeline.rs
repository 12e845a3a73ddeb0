//! `_engine.Lifeline`: what the children of `--processes` hold on to.

use std::sync::Mutex;
use std::time::Duration;

use pyo3::prelude::*;

use crate::cluster::lifeline;
use crate::sync::held;

/// Made by a parent before it forks, which keeps it. `OSError` where there are no pipes left.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct Lifeline(Mutex<Option<lifeline::Lifeline>>);

#[pymethods]
impl Lifeline {
    #[new]
    fn new() -> PyResult<Self> {
        Ok(Self(Mutex::new(Some(lifeline::Lifeline::new()?))))
    }

    /// In a child: end from now on when the parent has ended, by SIGTERM, and after `patience` seconds by SIGKILL.
    fn hold(&self, patience: f64) -> PyResult<()> {
        let lifeline = held(&self.0).take();
        let patience = Duration::try_from_secs_f64(patience).unwrap_or(Duration::MAX);
        lifeline.map_or(Ok(()), |lifeline| Ok(lifeline.hold(patience)?))
    }
}
