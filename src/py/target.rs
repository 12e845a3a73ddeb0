//! `gregaria target` and `gregaria compare` for Python's entry point.

use std::ffi::OsString;

use pyo3::prelude::*;

use crate::{cli, target};

/// Run the target with a command line's words until SIGINT or SIGTERM, and give the exit code.
#[pyfunction]
pub fn run_target(py: Python<'_>, arguments: Vec<OsString>) -> i32 {
    py.detach(|| target::command(arguments))
}

/// Compare two runs as a command line's words say, and give the exit code.
#[pyfunction]
pub fn run_compare(py: Python<'_>, arguments: Vec<OsString>) -> i32 {
    py.detach(|| cli::compare::command(arguments))
}
