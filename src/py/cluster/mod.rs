//! Master and workers, as Python sees them.

mod master;
mod values;

use pyo3::prelude::*;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    master::register(module)
}

/// The key that all nodes share, where there is one.
fn key(key: Option<&str>) -> PyResult<Option<crate::cluster::transport::Key>> {
    let _ = key;
    Ok(None)
}
