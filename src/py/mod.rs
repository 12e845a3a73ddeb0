//! `gregaria._engine`: the boundary between Rust and Python. Its export list is that boundary.

mod arguments;
mod awaited;
mod cli;
mod client;
mod clock;
mod cluster;
mod cookies;
mod coroutines;
mod dispatch;
mod event;
mod failures;
mod fast;
mod feeder;
mod greenlet;
mod hub;
mod iterations;
mod live;
mod names;
mod pool;
mod prepare;
mod prepared;
mod report;
mod response;
mod stats;
mod stats_row;
mod stream;
mod target;
mod tasks;
mod upload;
mod verdict;
mod web;

use pyo3::prelude::*;

#[pymodule]
pub mod _engine {
    use super::*;

    #[pymodule_export]
    use super::target::{run_compare, run_target};

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        awaited::register(module)?;
        cli::register(module)?;
        client::register(module)?;
        cluster::register(module)?;
        coroutines::register(module)?;
        dispatch::register(module)?;
        event::register(module)?;
        fast::register(module)?;
        feeder::register(module)?;
        hub::register(module)?;
        iterations::register(module)?;
        live::register(module)?;
        pool::register(module)?;
        prepared::register(module)?;
        names::register(module)?;
        report::register(module)?;
        response::register(module)?;
        stats::register(module)?;
        stream::register(module)?;
        tasks::register(module)?;
        upload::register(module)?;
        verdict::register(module)?;
        web::register(module)
    }
}
