//! `locust` with the interpreter embedded: the same entry as the wheel's command, for profilers, containers and
//! `cargo run -- -f locustfile.py`.
//!
//! Packages come from the source tree, and what they need from the virtual environment that is active.

use std::process::ExitCode;

use pyo3::prelude::*;
use pyo3::types::PyList;

fn main() -> ExitCode {
    Python::attach(|py| match run(py) {
        Ok(code) => ExitCode::from(code),
        Err(error) if error.is_instance_of::<pyo3::exceptions::PySystemExit>(py) => exit_code(&error, py),
        Err(error) => {
            error.print(py);
            ExitCode::FAILURE
        }
    })
}

fn run(py: Python<'_>) -> PyResult<u8> {
    let sys = py.import("sys")?;
    sys.setattr("argv", std::env::args().collect::<Vec<_>>())?;
    let path = sys.getattr("path")?.cast_into::<PyList>()?;
    path.insert(0, concat!(env!("CARGO_MANIFEST_DIR"), "/python"))?;
    if let Some(environment) = std::env::var_os("VIRTUAL_ENV") {
        let version = py.version_info();
        let packages = format!("lib/python{}.{}/site-packages", version.major, version.minor);
        let packages = std::path::Path::new(&environment).join(packages);
        py.import("site")?.call_method1("addsitedir", (packages,))?;
    }
    let engine = pyo3::wrap_pymodule!(gregaria::py::_engine)(py);
    sys.getattr("modules")?.set_item("gregaria._engine", &engine)?;
    py.import("gregaria")?.setattr("_engine", engine)?;
    let code = py.import("gregaria.__main__")?.call_method0("locust")?;
    Ok(code.extract::<Option<u8>>()?.unwrap_or(0))
}

/// What `sys.exit` was given: nothing is success, a number is itself, all else a failure.
fn exit_code(error: &PyErr, py: Python<'_>) -> ExitCode {
    let code = error.value(py).getattr("code").and_then(|code| code.extract::<Option<u8>>());
    if let Ok(code) = code {
        ExitCode::from(code.unwrap_or(0))
    } else {
        error.print(py);
        ExitCode::FAILURE
    }
}
