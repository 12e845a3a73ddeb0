//! A streamed body as Python reads it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::hub::hub;
use super::response::responses;
use crate::http::Failure;
use crate::http::stream::{Reading, Taken, Want};

/// The body of a response that was asked for with `stream=True`, as it came off the connection.
///
/// A read parks the greenlet until enough has arrived. Closing it, or letting go of it, before its end closes the
/// connection; at its end the connection serves the next request.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct BodyStream {
    stream: Arc<Reading>,
    /// A body that ends before its declared length just ends, as http.client has it: urllib3 counts, and says so.
    ends_early: bool,
    /// That end was read: until then there is more to ask for.
    ended_early: AtomicBool,
}

#[pymethods]
impl BodyStream {
    /// `amount` bytes, or fewer at the end; without it all there is to come.
    ///
    /// Raises what http.client would: `TimeoutError`, `ConnectionError`, http.client.IncompleteRead.
    #[pyo3(signature = (amount = None))]
    fn read<'py>(&self, py: Python<'py>, amount: Option<i64>) -> PyResult<Bound<'py, PyBytes>> {
        match amount.map(usize::try_from) {
            Some(Ok(0)) => Ok(PyBytes::new(py, b"")),
            Some(Ok(amount)) => self.fetch(py, Want::Exactly(amount)),
            _ => self.read_all(py),
        }
    }

    /// What has arrived, at most `amount` bytes of it; nothing at the end.
    #[pyo3(signature = (amount = -1))]
    fn read1<'py>(&self, py: Python<'py>, amount: i64) -> PyResult<Bound<'py, PyBytes>> {
        self.fetch(py, Want::Any(usize::try_from(amount).unwrap_or(usize::MAX)))
    }

    /// A chunk as the server made it, at most `amount` bytes of it; nothing at the end.
    #[pyo3(signature = (amount = None))]
    fn read_chunk<'py>(&self, py: Python<'py>, amount: Option<usize>) -> PyResult<Bound<'py, PyBytes>> {
        self.fetch(py, Want::Chunk(amount.unwrap_or(usize::MAX)))
    }

    /// Give up what has not been read, and with it the connection.
    fn close(&self) {
        self.stream.abandon();
    }

    /// Whether there is nothing more to read.
    #[getter]
    fn closed(&self) -> bool {
        self.stream.is_over() || self.ended_early.load(Ordering::Relaxed)
    }

    fn readable(&self) -> bool {
        true
    }

    fn flush(&self) {}
}

impl BodyStream {
    pub fn new(stream: &Arc<Reading>, ends_early: bool) -> Self {
        Self { stream: Arc::clone(stream), ends_early, ended_early: AtomicBool::new(false) }
    }

    fn read_all<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let mut all = Vec::new();
        while let Some(bytes) = self.next(py, Want::Any(usize::MAX))? {
            all.extend_from_slice(&bytes);
        }
        Ok(PyBytes::new(py, &all))
    }

    fn fetch<'py>(&self, py: Python<'py>, want: Want) -> PyResult<Bound<'py, PyBytes>> {
        let bytes = self.next(py, want)?;
        Ok(PyBytes::new(py, bytes.as_deref().unwrap_or_default()))
    }

    /// `None` at the end.
    fn next(&self, py: Python<'_>, want: Want) -> PyResult<Option<Vec<u8>>> {
        loop {
            match self.stream.take(want) {
                Taken::Bytes(bytes) => return Ok(Some(bytes)),
                Taken::End => return Ok(None),
                Taken::Failed(failure) if self.ends_early && is_too_short(&failure) => {
                    self.ended_early.store(true, Ordering::Relaxed);
                    return Ok(None);
                }
                Taken::Failed(failure) => {
                    let (kind, code, text) = super::failures::parts(&failure);
                    let error = responses(py)?.call_method1("stream_error", (kind, code, text))?;
                    return Err(PyErr::from_value(error));
                }
                Taken::Wait => hub(py)?.wait(py, |ticket| self.stream.wait(ticket, want))?,
            }
        }
    }
}

fn is_too_short(failure: &Failure) -> bool {
    matches!(failure, Failure::Incomplete { missing: Some(_), .. })
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<BodyStream>()
}
