//! `_engine.parse_arguments` and what else Python asks of the command line.

#![allow(clippy::needless_pass_by_value, reason = "Python's arguments arrive by value")]

use std::path::Path;

use pyo3::create_exception;
use pyo3::exceptions::PyException;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::cli::{self, Options, Value, args};

create_exception!(
    gregaria._engine,
    UsageError,
    PyException,
    "A command line that cannot be understood; `code` is the exit code."
);

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let class = module.py().get_type::<UsageError>();
    class.setattr("code", cli::UsageError::EXIT_CODE)?;
    module.add("UsageError", class)?;
    module.add_function(wrap_pyfunction!(parse_arguments, module)?)?;
    module.add_function(wrap_pyfunction!(default_options, module)?)?;
    module.add_function(wrap_pyfunction!(first_pass, module)?)?;
    module.add_function(wrap_pyfunction!(help_text, module)?)?;
    module.add_function(wrap_pyfunction!(check_options, module)?)?;
    module.add_function(wrap_pyfunction!(options, module)?)?;
    module.add_function(wrap_pyfunction!(our_option_strings, module)?)?;
    module.add_function(wrap_pyfunction!(locust_version, module)?)
}

/// Every option by its destination, from the command line and the environment.
#[pyfunction]
fn parse_arguments(py: Python<'_>, arguments: Vec<String>) -> PyResult<Bound<'_, PyDict>> {
    let options = cli::resolve(&arguments, &environment).map_err(|error| UsageError::new_err(error.to_string()))?;
    to_dict(py, options)
}

/// Every option as it is when nobody sets it.
#[pyfunction]
fn default_options(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    to_dict(py, cli::defaults())
}

/// What must be known before the locustfile is read: `help`, `version`, `locustfile`, `seed`. Refuses a run that a
/// configuration file awaits.
#[pyfunction]
fn first_pass(py: Python<'_>, arguments: Vec<String>) -> PyResult<Bound<'_, PyDict>> {
    let pass =
        cli::first_pass(&arguments, &environment, &text_of).map_err(|error| UsageError::new_err(error.to_string()))?;
    let dict = PyDict::new(py);
    dict.set_item("help", pass.help)?;
    dict.set_item("version", pass.version)?;
    dict.set_item("locustfile", pass.locustfile)?;
    dict.set_item("seed", pass.seed)?;
    Ok(dict)
}

#[pyfunction]
fn help_text() -> String {
    args::help()
}

/// Refuses what is not there yet, and options that need another; `set` are the destinations that are not as by default.
#[pyfunction]
fn check_options(set: Vec<String>) -> PyResult<()> {
    cli::check(&set).map_err(|error| UsageError::new_err(error.to_string()))
}

/// Destination, names, how many values it takes (`None`, `1` or `*`), environment variable and metavar of every option.
#[pyfunction]
fn options() -> Vec<OptionRow> {
    let row = |option: &args::Spec| {
        let values = match option.kind {
            args::Kind::List => Some("*"),
            _ => option.takes_value().then_some("1"),
        };
        (option.dest, option.names.to_vec(), values, option.env, option.metavar)
    };
    args::OPTIONS.iter().map(row).collect()
}

/// The names of the options that Locust does not have: a locustfile may take them for arguments of its own.
#[pyfunction]
fn our_option_strings() -> Vec<&'static str> {
    args::OPTIONS.iter().filter(|option| option.is_ours).flat_map(|option| option.names).copied().collect()
}

type OptionRow = (&'static str, Vec<&'static str>, Option<&'static str>, Option<&'static str>, &'static str);

/// The release of Locust whose behaviour this is, and our own version.
#[pyfunction]
fn locust_version() -> String {
    cli::version()
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn text_of(path: &Path) -> Option<String> {
    std::fs::read(path).ok().map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn to_dict(py: Python<'_>, options: Options) -> PyResult<Bound<'_, PyDict>> {
    let dict = PyDict::new(py);
    for (dest, value) in options {
        dict.set_item(dest, to_object(py, value)?)?;
    }
    Ok(dict)
}

fn to_object(py: Python<'_>, value: Value) -> PyResult<Bound<'_, PyAny>> {
    Ok(match value {
        Value::Nothing => py.None().into_bound(py),
        Value::Flag(flag) => flag.into_pyobject(py)?.to_owned().into_any(),
        Value::Int(number) => number.into_pyobject(py)?.into_any(),
        Value::Float(number) => number.into_pyobject(py)?.into_any(),
        Value::Text(text) => text.into_pyobject(py)?.into_any(),
        Value::List(items) => items.into_pyobject(py)?.into_any(),
    })
}
