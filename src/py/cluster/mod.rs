//! Master and workers, as Python sees them.

mod asking;
mod lifeline;
pub mod master;
mod reports;
mod socket;
pub mod values;
mod worker;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::cluster::transport::Key;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(check_cluster_key, module)?)?;
    reports::register(module)?;
    socket::register(module)?;
    values::register(module)?;
    module.add_class::<asking::LocustfileRequest>()?;
    module.add_class::<lifeline::Lifeline>()?;
    module.add_class::<worker::ClusterWorker>()?;
    master::register(module)
}

/// `ValueError` for a text that is too short to be a key. An empty one is none, which is fine.
#[pyfunction]
fn check_cluster_key(text: &str) -> PyResult<()> {
    Key::check(text).map_err(|weak| PyValueError::new_err(weak.to_string()))
}

/// The key that all nodes share, where there is one. `ValueError`: it is too short to be one.
fn key(key: Option<&str>) -> PyResult<Option<Key>> {
    Key::given(key.unwrap_or_default()).map_err(|weak| PyValueError::new_err(weak.to_string()))
}
