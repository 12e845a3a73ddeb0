//! What Python asks of the command line: which options there are, what stands behind what was typed, what a text means.

#![allow(clippy::needless_pass_by_value, reason = "Python's arguments arrive by value")]

use std::path::Path;

use pyo3::create_exception;
use pyo3::exceptions::{PyException, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::cli::config::{self, Settable, Sources, Takes};
use crate::cli::{self, Options, Value, args, values};

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
    module.add_function(wrap_pyfunction!(option_value, module)?)?;
    module.add_function(wrap_pyfunction!(with_configuration, module)?)?;
    module.add_function(wrap_pyfunction!(default_options, module)?)?;
    module.add_function(wrap_pyfunction!(first_pass, module)?)?;
    module.add_function(wrap_pyfunction!(help_text, module)?)?;
    module.add_function(wrap_pyfunction!(options, module)?)?;
    module.add_function(wrap_pyfunction!(our_option_strings, module)?)?;
    module.add_function(wrap_pyfunction!(our_options, module)?)?;
    module.add_function(wrap_pyfunction!(locust_version, module)?)
}

/// What the option with this destination is set to by a text.
#[pyfunction]
fn option_value<'py>(py: Python<'py>, dest: &str, text: &str) -> PyResult<Bound<'py, PyAny>> {
    to_object(py, values::value(args::with_dest(dest), text).map_err(usage_error)?)
}

/// The arguments with what environment variables and configuration files add to them. An option is its names, how it is
/// written, its variable, and the names of those that exclude it. `default_files` are read where they are there, and so
/// is what `file_options` name; from weak to strong.
#[pyfunction]
fn with_configuration(
    arguments: Vec<String>,
    options: Vec<SettableRow>,
    default_files: Vec<String>,
    file_options: Vec<String>,
) -> PyResult<Vec<String>> {
    let options: Vec<Settable> = options.into_iter().map(settable).collect::<PyResult<_>>()?;
    config::written_out(&arguments, &options, &sources(&default_files, &file_options)).map_err(usage_error)
}

type SettableRow = (Vec<String>, String, Option<String>, Vec<String>);

fn settable((names, takes, env, rivals): SettableRow) -> PyResult<Settable> {
    let takes = match takes.as_str() {
        "nothing" => Takes::Nothing,
        "both ways" => Takes::BothWays,
        "count" => Takes::Count,
        "one" => Takes::One,
        "perhaps" => Takes::Perhaps,
        "several" => Takes::Several,
        "repeated" => Takes::Repeated,
        _ => return Err(PyValueError::new_err(format!("no option takes `{takes}`"))),
    };
    Ok(Settable { names, takes, env, rivals })
}

/// Every option as it is when nobody sets it.
#[pyfunction]
fn default_options(py: Python<'_>) -> PyResult<Bound<'_, PyDict>> {
    to_dict(py, cli::defaults())
}

/// What must be known before the locustfile is read: `help`, `version`, `worker`, `locustfile` (`None`: nobody says),
/// `seed`, `master_host`, `master_port`, `cluster_key`.
#[pyfunction]
fn first_pass(py: Python<'_>, arguments: Vec<String>) -> PyResult<Bound<'_, PyDict>> {
    let default_files = config::DEFAULT_FILES.map(String::from);
    let pass = cli::first_pass(&arguments, &sources(&default_files, &["--config".to_owned()])).map_err(usage_error)?;
    let dict = PyDict::new(py);
    dict.set_item("help", pass.help)?;
    dict.set_item("version", pass.version)?;
    dict.set_item("worker", pass.worker)?;
    dict.set_item("locustfile", pass.locustfile)?;
    dict.set_item("seed", pass.seed)?;
    dict.set_item("master_host", pass.master_host)?;
    dict.set_item("master_port", pass.master_port)?;
    dict.set_item("cluster_key", pass.cluster_key)?;
    Ok(dict)
}

/// The help of Locust's options, with `more` before its examples.
#[pyfunction]
#[pyo3(signature = (more = ""))]
fn help_text(more: &str) -> String {
    args::help(more)
}

/// Destination, names, what it takes (`nothing`, `one`, `several`, `repeated`), environment variable, metavar, and of an option that is
/// gone what is said of it.
#[pyfunction]
fn options() -> Vec<OptionRow> {
    let row = |option: &args::Spec| {
        let takes = match option.kind {
            args::Kind::List => "several",
            args::Kind::Each | args::Kind::EachText => "repeated",
            _ if option.takes_value() => "one",
            _ => "nothing",
        };
        let gone = match option.kind {
            args::Kind::Removed { instead, .. } => Some(instead),
            _ => None,
        };
        (option.dest, option.names.to_vec(), takes, option.env, option.metavar, gone)
    };
    args::OPTIONS.iter().map(row).collect()
}

/// The names of the options that Locust does not have: a locustfile may take them for arguments of its own.
#[pyfunction]
fn our_option_strings() -> Vec<&'static str> {
    args::OPTIONS.iter().filter(|option| option.is_ours).flat_map(|option| option.names).copied().collect()
}

/// The destinations of the same options.
#[pyfunction]
fn our_options() -> Vec<&'static str> {
    args::OPTIONS.iter().filter(|option| option.is_ours).map(|option| option.dest).collect()
}

type OptionRow =
    (&'static str, Vec<&'static str>, &'static str, Option<&'static str>, &'static str, Option<&'static str>);

/// The release of Locust whose behaviour this is, and our own version.
#[pyfunction]
fn locust_version() -> String {
    cli::version()
}

fn environment(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

fn text_of(path: &Path) -> std::io::Result<String> {
    std::fs::read(path).map(|bytes| String::from_utf8_lossy(&bytes).into_owned())
}

fn sources<'a>(default_files: &'a [String], file_options: &'a [String]) -> Sources<'a> {
    Sources { env: &environment, files: &text_of, default_files, file_options }
}

fn usage_error(error: cli::UsageError) -> PyErr {
    UsageError::new_err(error.to_string())
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
