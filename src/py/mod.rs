//! `gregaria._engine`: the boundary between Rust and Python. Its export list is that boundary.

mod cli;
mod dispatch;
mod report;
mod stats;
mod stats_row;

use pyo3::prelude::*;

#[pymodule]
mod _engine {
    use super::*;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        cli::register(module)?;
        dispatch::register(module)?;
        report::register(module)?;
        stats::register(module)?;
        module.add("__version__", env!("CARGO_PKG_VERSION"))
    }
}
