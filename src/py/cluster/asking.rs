//! `_engine.LocustfileRequest`: what `-f -` asks a master, before anything else runs.

#![allow(clippy::needless_pass_by_value, reason = "Python's arguments arrive by value")]

use std::sync::Mutex;
use std::time::Duration;

use pyo3::exceptions::PyConnectionError;
use pyo3::prelude::*;

use super::values::decoded;
use super::worker::settings;
use crate::cluster::worker::asking::{Answer, Asking};
use crate::sync::held;

/// Asks from its creation on, until it is answered or let go of.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct LocustfileRequest(Mutex<Asking>);

#[pymethods]
impl LocustfileRequest {
    /// `OSError` where nothing can be asked, `ValueError` for a key that is none.
    #[new]
    #[pyo3(signature = (host, port, client_id, version, *, key=None))]
    fn new(host: String, port: u16, client_id: String, version: String, key: Option<&str>) -> PyResult<Self> {
        let settings = settings(host, port, client_id, version, super::key(key)?);
        Ok(Self(Mutex::new(Asking::start(settings)?)))
    }

    /// The kind and the data of the answer, if it comes within so many seconds. `ConnectionError` where none will.
    fn wait<'py>(&self, py: Python<'py>, seconds: f64) -> PyResult<Option<(String, Bound<'py, PyAny>)>> {
        let time = Duration::try_from_secs_f64(seconds).unwrap_or_default();
        let answer = py.detach(|| held(&self.0).wait(time));
        match answer {
            None => Ok(None),
            Some(Answer::Refusal(why)) => Err(PyConnectionError::new_err(why)),
            Some(Answer::Message { kind, data }) => Ok(Some((kind, decoded(py, &data)?))),
        }
    }
}
