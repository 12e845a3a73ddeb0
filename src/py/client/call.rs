//! A call: from its arguments to its response, which the user is parked for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use pyo3::exceptions::PyTypeError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyDict, PyString, PyTuple};

use super::{SessionBase, build, to_await};
use crate::http::io::Operation;
use crate::http::url::Style;
use crate::py::arguments::Arguments;
use crate::py::response::{self, Call, ResponseBase};
use crate::py::{coroutines, fast, names, prepare};

pub(super) type Answer<'py> = PyResult<Bound<'py, PyAny>>;

/// What `request` takes by position behind the name, by name.
#[cold]
pub(super) fn named<'py>(
    style: Style,
    rest: &Bound<'py, PyTuple>,
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let order: &[&str] = match style {
        Style::Requests => &["catch_response", "context"],
        Style::Gevent => &["data", "catch_response", "stream", "headers", "auth", "json", "allow_redirects", "context"],
    };
    if rest.len() > order.len() {
        let most = order.len() + 3;
        return Err(PyTypeError::new_err(format!("request() takes at most {most} arguments by position")));
    }
    let named = kwargs.map_or_else(|| Ok(PyDict::new(rest.py())), pyo3::types::PyDictMethods::copy)?;
    for (name, value) in order.iter().zip(rest) {
        if named.contains(name)? {
            return Err(PyTypeError::new_err(format!("request() got multiple values for argument '{name}'")));
        }
        named.set_item(name, value)?;
    }
    Ok(named)
}

/// `get` and its like: prepare, park until it is answered, report.
pub(super) fn verb<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &'static str,
    url: &Bound<'py, PyAny>,
    bodies: [Option<Bound<'py, PyAny>>; 2],
    kwargs: Option<&Bound<'py, PyDict>>,
) -> Answer<'py> {
    let is_overridden = slf.get().state().overrides_request || has_just_replaced_request(slf)?;
    if coroutines::runs_here(slf.py())? {
        return to_await::verb(slf, is_overridden, method, url, bodies, kwargs);
    }
    if is_overridden {
        return through_request(slf, method, url, bodies, kwargs);
    }
    match prepare_verb(slf, method, url, &bodies, kwargs) {
        Ok(Some((operation, call))) => exchange(slf, operation, call),
        Ok(None) => by_requests(slf, method, url, &all_arguments(slf, method, bodies, kwargs)?),
        Err(error) => unsendable(slf, method, url, kwargs, error),
    }
}

/// Whether a locustfile has put a `request` of its own on the session since the last one.
fn has_just_replaced_request(slf: &Bound<'_, SessionBase>) -> PyResult<bool> {
    if !slf.get().stale.load(Ordering::Relaxed) {
        return Ok(false);
    }
    slf.getattr(intern!(slf.py(), "__dict__"))?.contains(intern!(slf.py(), "request"))
}

/// Python's part of what the engine does not prepare: `gregaria._slow`.
pub(super) fn slow(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    MODULE.get_or_try_init(py, || Ok(py.import("gregaria._slow")?.into_any().unbind())).map(|module| module.bind(py))
}

/// Whether somebody has patched one of the two methods that libraries patch in requests, to see or to answer what it sends.
///
/// It happens in the midst of a task, too, so it is looked at before each request: past the classes, in their
/// dictionaries, which costs two look-ups in a dict.
#[inline]
fn is_patched(py: Python<'_>) -> PyResult<bool> {
    type Method = (Py<PyDict>, Py<PyString>, Py<PyAny>);
    static WATCHED: PyOnceLock<Vec<Method>> = PyOnceLock::new();
    let watched =
        WATCHED.get_or_try_init(py, || slow(py)?.call_method0(intern!(py, "watched"))?.extract::<Vec<Method>>())?;
    for (attributes, name, plain) in watched {
        if !attributes.bind(py).get_item(name)?.is_some_and(|method| method.is(plain)) {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Have requests' own code make the request; the engine only sends it.
#[cold]
pub(super) fn by_requests<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &str,
    url: &Bound<'py, PyAny>,
    kwargs: &Bound<'py, PyDict>,
) -> Answer<'py> {
    slow(slf.py())?.call_method(intern!(slf.py(), "request"), (slf, method, url), Some(kwargs))
}

/// What requests cannot prepare it raises, and Locust reports most of that as a failed request.
#[cold]
pub(super) fn unsendable<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &str,
    url: &Bound<'py, PyAny>,
    kwargs: Option<&Bound<'py, PyDict>>,
    error: PyErr,
) -> Answer<'py> {
    if slf.get().style == Style::Gevent {
        return Err(error);
    }
    let py = slf.py();
    let report = response::responses(py)?.call_method1("unsendable", (slf, method, url, kwargs, error.value(py)))?;
    if report.is_none() { Err(error) } else { Ok(report) }
}

pub fn exchange<'py>(slf: &Bound<'py, SessionBase>, operation: Box<Operation>, call: Call<'py>) -> Answer<'py> {
    let py = slf.py();
    let operation = names::exchange(py, operation)?;
    let now = Instant::now();
    if call.debug_stream.is_some() {
        return tell_debug_stream(slf, operation, call, now);
    }
    ResponseBase::deliver(slf, operation, call, now)
}

#[cold]
fn tell_debug_stream<'py>(
    slf: &Bound<'py, SessionBase>,
    operation: Box<Operation>,
    mut call: Call<'py>,
    now: Instant,
) -> Answer<'py> {
    let stream = call.debug_stream.take();
    let response = ResponseBase::deliver(slf, operation, call, now)?;
    slf.py().import("gregaria._fast.conversation")?.call_method1("write", (stream, &response))?;
    Ok(response)
}

/// A subclass's own `request` is honoured: requests' methods call it too.
#[cold]
fn through_request<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &'static str,
    url: &Bound<'py, PyAny>,
    bodies: [Option<Bound<'py, PyAny>>; 2],
    kwargs: Option<&Bound<'py, PyDict>>,
) -> Answer<'py> {
    let kwargs = all_arguments(slf, method, bodies, kwargs)?;
    slf.call_method(intern!(slf.py(), "request"), (method, url), Some(&kwargs))
}

/// The arguments of `get` and its like as those of `request`.
pub(super) fn all_arguments<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &str,
    [data, json]: [Option<Bound<'py, PyAny>>; 2],
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Bound<'py, PyDict>> {
    let kwargs = kwargs.map_or_else(|| Ok(PyDict::new(slf.py())), pyo3::types::PyDictMethods::copy)?;
    for (name, value) in [("data", data), ("json", json)] {
        if let Some(value) = value {
            kwargs.set_item(name, value)?;
        }
    }
    if slf.get().style == Style::Requests
        && matches!(method, "GET" | "OPTIONS" | "HEAD")
        && !kwargs.contains("allow_redirects")?
    {
        kwargs.set_item("allow_redirects", method != "HEAD")?;
    }
    Ok(kwargs)
}

/// A request that is ready to be sent; `None`: requests' own code must make it.
pub(super) type Prepared<'py> = Option<(Box<Operation>, Call<'py>)>;

// This and the next stay out of their callers: a frame that is there while a user is parked is copied away and back.
#[inline(never)]
pub(super) fn prepare_verb<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &'static str,
    url: &Bound<'py, PyAny>,
    [data, json]: &[Option<Bound<'py, PyAny>>; 2],
    kwargs: Option<&Bound<'py, PyDict>>,
) -> PyResult<Prepared<'py>> {
    let mut arguments = Arguments::read(kwargs)?;
    if data.is_some() {
        arguments.data.clone_from(data);
    }
    if json.is_some() {
        arguments.json.clone_from(json);
    }
    if method == "HEAD" && arguments.allow_redirects.is_none() && slf.get().style == Style::Requests {
        arguments.allow_redirects = Some(PyBool::new(slf.py(), false).to_owned().into_any());
    }
    prepare_operation(slf, method, url, arguments)
}

#[inline(never)]
pub(super) fn prepare_operation<'py>(
    slf: &Bound<'py, SessionBase>,
    method: &str,
    url: &Bound<'py, PyAny>,
    mut arguments: Arguments<'py>,
) -> PyResult<Prepared<'py>> {
    let this = slf.get();
    let snapshot = SessionBase::snapshot(slf)?;
    if this.style == Style::Gevent {
        fast::take_others(method, &mut arguments)?;
        if arguments.json.is_some()
            && (snapshot.headers.contains("content-type") || snapshot.headers.contains("accept"))
        {
            fast::insist_on_json(&mut arguments)?;
        }
    } else {
        arguments.refuse_others()?;
        if let Some(bundle) = &snapshot.bundle
            && arguments.verify.as_ref().is_none_or(|verify| verify.is(PyBool::new(verify.py(), true)))
        {
            arguments.verify = Some(bundle.clone());
        }
        if snapshot.slow || is_patched(slf.py())? || prepare::needs_requests(&arguments)? {
            return Ok(None);
        }
    }
    let request = build(slf, &snapshot, method, url, &arguments, false)?;
    let name = match arguments.name {
        Some(name) if name.is_truthy()? => Some(name),
        _ => match this.request_name(slf.py()).map(|name| name.into_bound(slf.py())) {
            Some(name) if name.is_truthy()? => Some(name),
            // geventhttpclient's sessions name a request as it was written.
            _ if this.style == Style::Gevent => Some(url.clone()),
            _ => None,
        },
    };
    let catch_response = match &arguments.catch_response {
        Some(given) => given.is_truthy()?,
        None => false,
    };
    let label = (request.method.as_str() != method).then(|| method.into());
    let operation = Operation {
        ticket: None,
        session: Arc::clone(&this.session),
        request,
        label,
        outcome: None,
        lag: Duration::ZERO,
    };
    let debug_stream = arguments.debug_stream;
    let call = Call { name, context: arguments.context, catch_response, url: url.clone(), debug_stream };
    Ok(Some((Box::new(operation), call)))
}
