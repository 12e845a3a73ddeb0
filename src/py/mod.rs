//! `gregaria._engine`: the boundary between Rust and Python. Its export list is that boundary.

mod greenlet;
mod hub;

use pyo3::prelude::*;

mod target;

#[pymodule]
mod _engine {
    use super::*;

    #[pymodule_export]
    use super::target::run_target;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        hub::register(module)
    }
}
