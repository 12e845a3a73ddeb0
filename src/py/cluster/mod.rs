//! Master and workers, as Python sees them.

mod asking;
mod lifeline;
mod master;
mod socket;
pub mod values;
mod worker;

use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::cluster::transport::Key;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    socket::register(module)?;
    values::register(module)?;
    module.add_class::<asking::LocustfileRequest>()?;
    module.add_class::<lifeline::Lifeline>()?;
    module.add_class::<worker::ClusterWorker>()?;
    master::register(module)
}

/// The key that all nodes share, where there is one. `ValueError`: it is too short to be one.
fn key(key: Option<&str>) -> PyResult<Option<Key>> {
    Key::given(key.unwrap_or_default()).map_err(|weak| PyValueError::new_err(weak.to_string()))
}
