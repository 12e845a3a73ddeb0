//! What `FastHttpSession` does differently with its arguments.

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyInt, PyMemoryView, PyString};

use super::arguments::Arguments;
use crate::http::decode::decode;
use crate::http::url::Style;

/// Undo brotli; geventhttpclient brings a module for it, and here the engine has it anyway.
#[pyfunction]
fn unbrotli<'py>(py: Python<'py>, data: &[u8]) -> PyResult<Bound<'py, PyBytes>> {
    let plain = decode(Style::Gevent, "br", data.to_vec(), MAX_DECODED)
        .map_err(|_| PyValueError::new_err("this is no brotli"))?;
    Ok(PyBytes::new(py, &plain))
}

/// As much as a response may be decoded to.
const MAX_DECODED: usize = 1 << 30;

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(unbrotli, module)?)
}

/// geventhttpclient takes any keyword: it puts what it does not know into a POST's form, and else into the query.
/// `timeout`, `verify` and their like are among them, as a user of Locust's `FastHttpUser` has it.
pub fn take_others(method: &str, arguments: &mut Arguments<'_>) -> PyResult<()> {
    let unknown = [
        ("cookies", arguments.cookies.take()),
        ("timeout", arguments.timeout.take()),
        ("proxies", arguments.proxies.take()),
        ("hooks", arguments.hooks.take()),
        ("verify", arguments.verify.take()),
        ("cert", arguments.cert.take()),
    ];
    let mut others: Vec<_> = unknown.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    arguments.others = take_own(arguments)?;
    others.append(&mut arguments.others);
    merge(method, arguments, others)?;
    make_body(arguments)
}

/// JSON says what it is, whatever the client's headers for all requests say; only the request's own come before that.
#[cold]
pub fn insist_on_json(arguments: &mut Arguments<'_>) -> PyResult<()> {
    let Some(json) = &arguments.json else { return Ok(()) };
    if let Some(data) = &arguments.data
        && data.is_truthy()?
    {
        return Ok(());
    }
    let module = json.py().import("gregaria._fast.payload")?;
    arguments.headers = Some(module.call_method1("of_json", (arguments.headers.as_ref(),))?);
    Ok(())
}

/// Files, and what a file or an iterator gives, as bytes: such a body is rare, so Python makes it.
fn make_body(arguments: &mut Arguments<'_>) -> PyResult<()> {
    let files = match arguments.files.take() {
        Some(files) if files.is_truthy()? => Some(files),
        _ => None,
    };
    let given = match (&files, &arguments.data) {
        (Some(files), _) => files,
        (None, Some(data)) if is_made(data)? => data,
        _ => return Ok(()),
    };
    let module = given.py().import("gregaria._fast.payload")?;
    let headers = arguments.headers.as_ref();
    let (body, headers) = module.call_method1("prepared", (&files, arguments.data.as_ref(), headers))?.extract()?;
    (arguments.data, arguments.headers) = (Some(body), Some(headers));
    Ok(())
}

/// Whether something must be asked for the bytes it stands for.
fn is_made(data: &Bound<'_, PyAny>) -> PyResult<bool> {
    if data.is_instance_of::<PyString>() || data.is_instance_of::<PyBytes>() || data.is_instance_of::<PyDict>() {
        return Ok(false);
    }
    let py = data.py();
    Ok(data.hasattr(intern!(py, "read"))?
        || data.hasattr(intern!(py, "__next__"))?
        || data.is_instance_of::<PyMemoryView>())
}

/// Put what the client does not know where geventhttpclient puts it.
fn merge<'py>(method: &str, arguments: &mut Arguments<'py>, others: Vec<(String, Bound<'py, PyAny>)>) -> PyResult<()> {
    let Some((_, first)) = others.first() else { return Ok(()) };
    let py = first.py();
    if method == "POST" && arguments.data.is_none() && arguments.json.is_some() {
        return Ok(()); // the JSON is the payload then, and nothing can be put into it
    }
    let place = if method == "POST" { &mut arguments.data } else { &mut arguments.params };
    let merged = match place.as_ref() {
        None => PyDict::new(py),
        Some(given) => match given.cast::<PyDict>() {
            Ok(given) => given.copy()?,
            Err(_) => return Ok(()),
        },
    };
    for (name, value) in others {
        merged.set_item(name, value)?;
    }
    *place = Some(merged.into_any());
    Ok(())
}

/// Keep what steers the client itself; the rest is data.
fn take_own<'py>(arguments: &mut Arguments<'py>) -> PyResult<Vec<(String, Bound<'py, PyAny>)>> {
    let mut others = Vec::new();
    for (name, value) in std::mem::take(&mut arguments.others) {
        match name.as_str() {
            "max_retries" => arguments.max_retries = whole(&value)?,
            "max_redirects" => arguments.max_redirects = whole(&value)?,
            "debug_stream" => arguments.debug_stream = (!value.is_none()).then_some(value),
            // Locust gets as far as sending the request, and then has text where it needs a response.
            "to_string" if value.is_truthy()? => {
                return Err(PyTypeError::new_err("`to_string` leaves no response to count; use `response.content`"));
            }
            "to_string" => {}
            _ => others.push((name, value)),
        }
    }
    Ok(others)
}

fn whole(given: &Bound<'_, PyAny>) -> PyResult<Option<u32>> {
    if given.is_none() {
        return Ok(None);
    }
    let number = given.py().get_type::<PyInt>().call1((given,))?.extract::<i64>()?;
    Ok(Some(u32::try_from(number.max(0)).unwrap_or(u32::MAX)))
}
