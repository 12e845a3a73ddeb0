//! A body that a locustfile's generator makes while it is being sent.

use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use super::hub::hub;
use crate::http::upload;

/// A body on its way out: `push` its pieces, then `end` it.
#[pyclass(frozen, module = "gregaria._engine")]
pub struct Upload {
    shared: Arc<upload::Upload>,
    /// Each piece goes as a chunk (RFC 9112, 7.1): the length of the whole is not known.
    chunked: bool,
}

#[pymethods]
impl Upload {
    #[new]
    fn new(chunked: bool) -> Self {
        Self { shared: Arc::default(), chunked }
    }

    /// Send one piece, not empty; parks while the server takes no more. False when the exchange is over already.
    fn push(&self, py: Python<'_>, piece: &Bound<'_, PyBytes>) -> PyResult<bool> {
        while self.shared.is_full() {
            hub(py)?.wait(py, |ticket| self.shared.wait(ticket))?;
        }
        let piece = piece.as_bytes();
        if !self.chunked {
            return Ok(self.shared.push(piece));
        }
        let mut chunk = format!("{:x}\r\n", piece.len()).into_bytes();
        chunk.extend_from_slice(piece);
        chunk.extend_from_slice(b"\r\n");
        Ok(self.shared.push(&chunk))
    }

    /// That was the last piece.
    fn end(&self) {
        if self.chunked {
            self.shared.push(b"0\r\n\r\n");
        }
        self.shared.end();
    }
}

impl Upload {
    pub fn shared(&self) -> Arc<upload::Upload> {
        Arc::clone(&self.shared)
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Upload>()
}
