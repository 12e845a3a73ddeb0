//! `gregaria target` for Python's entry point.

use std::ffi::OsString;

use pyo3::prelude::*;

use crate::target;

/// Run the target with a command line's words until SIGINT or SIGTERM, and give the exit code.
#[pyfunction]
pub fn run_target(py: Python<'_>, arguments: Vec<OsString>) -> i32 {
    py.detach(|| target::command(arguments))
}
