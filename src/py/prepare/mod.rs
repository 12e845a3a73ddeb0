//! From the arguments of a client call to the parts of a request: the two clients' rules for them.
//!
//! `headers.rs`: the session's and the call's; `payload.rs`: bodies; `settings.rs`: time-outs, TLS, redirects, proxies.

mod headers;
mod payload;
mod settings;

use pyo3::exceptions::{PyNotImplementedError, PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMapping, PyString, PyTuple, PyType};

pub use self::headers::{SessionHeaders, complete, has_header, merge};
use self::headers::{is_token, latin1, text_or_bytes};
pub use self::payload::{Payload, form, payload};
pub use self::settings::{check_files, proxy, settings, tls};
use super::arguments::Arguments;
use crate::http::cookies::Cookie;
use crate::http::session::is_unfit;
use crate::http::text::{repr, repr_bytes};
use crate::http::url::Style;
use crate::http::{Method, Request, Session, body};

/// The method as it is sent. What is no token would be a request of another kind, or more than one.
pub fn method(style: Style, name: &str) -> PyResult<Method> {
    let method = Method::new(name);
    let Method::Other(name) = &method else { return Ok(method) };
    match (style, name.chars().find(|c| !is_token(*c))) {
        (Style::Requests, Some(other)) => Err(PyValueError::new_err(format!(
            "Method cannot contain non-token characters {} (found at least {})",
            repr(name),
            repr(other.encode_utf8(&mut [0; 4])),
        ))),
        (Style::Gevent, other) if other.is_some() || name.is_empty() => {
            Err(PyValueError::new_err(format!("invalid HTTP method {}", repr(name))))
        }
        _ => Ok(method),
    }
}

/// Refuse cookies that cannot be sent, in the words of who writes the header for the client.
pub fn check_cookies(py: Python<'_>, session: &Session, request: &Request) -> PyResult<()> {
    let own =
        request.cookies.iter().any(|cookie| is_unfit(&cookie.name) || cookie.value.as_deref().is_some_and(is_unfit));
    if !own && !session.has_unfit_cookies() {
        return Ok(());
    }
    let Some(header) = session.cookie_header(request).filter(|header| is_unfit(header)) else { return Ok(()) };
    if request.url.style() == Style::Gevent {
        let text = format!("invalid value for header field 'Cookie': {}", repr(&header));
        return Err(PyValueError::new_err(text));
    }
    let bytes = latin1(PyString::new(py, &header).as_any(), &header)?;
    Err(PyValueError::new_err(format!("Invalid header value {}", repr_bytes(&bytes))))
}

/// What `auth=` asks for.
pub enum Auth {
    None,
    /// The Authorization header of a pair, or of requests' own basic authentication.
    Header(String),
    /// Something that wants to see the prepared request.
    Object,
}

pub fn authorization(auth: &Bound<'_, PyAny>) -> PyResult<Auth> {
    if !auth.is_truthy()? {
        return Ok(Auth::None);
    }
    let py = auth.py();
    let pair = if let Ok(pair) = auth.cast::<PyTuple>() {
        (pair.len() == 2).then(|| Ok::<_, PyErr>((pair.get_item(0)?, pair.get_item(1)?))).transpose()?
    } else if auth.get_type().is(basic_auth_class(py)?) {
        Some((auth.getattr(intern!(py, "username"))?, auth.getattr(intern!(py, "password"))?))
    } else {
        None
    };
    let Some((user, password)) = pair else {
        return Ok(Auth::Object);
    };
    let bytes = |object: &Bound<'_, PyAny>| match text_or_bytes(object)? {
        Some(bytes) => Ok(bytes),
        None => text_or_bytes(object.str()?.as_any()).map(Option::unwrap_or_default),
    };
    Ok(Auth::Header(body::basic_auth(&bytes(&user)?, &bytes(&password)?)))
}

fn basic_auth_class(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static CLASS: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    CLASS
        .get_or_try_init(py, || Ok(py.import("requests.auth")?.getattr("HTTPBasicAuth")?.unbind()))
        .map(|class| class.bind(py))
}

/// Cookies of one request: a mapping, or a cookie jar.
pub fn cookies(given: &Bound<'_, PyAny>) -> PyResult<Vec<Cookie>> {
    if is_jar(given)? {
        return given.try_iter()?.map(|cookie| super::cookies::read(&cookie?)).collect();
    }
    let mut cookies = Vec::new();
    let items = given
        .call_method0(intern!(given.py(), "items"))
        .map_err(|_| PyTypeError::new_err("`cookies` must be a dict or a cookie jar of requests"))?;
    for pair in items.try_iter()? {
        let (name, value) = pair?.extract::<(Bound<'_, PyAny>, Option<Bound<'_, PyAny>>)>()?;
        if let Some(value) = value {
            cookies.push(Cookie::new(name.str()?.to_str()?, value.str()?.to_str()?, "", "/"));
        }
    }
    Ok(cookies)
}

fn is_jar(object: &Bound<'_, PyAny>) -> PyResult<bool> {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    Ok(!object.is_exact_instance_of::<PyDict>()
        && object.is_instance(CLASS.import(object.py(), "http.cookiejar", "CookieJar")?)?)
}

/// Whether an argument has a say in the request that only requests' own code honours.
pub fn needs_requests(arguments: &Arguments<'_>) -> PyResult<bool> {
    for given in [&arguments.proxies, &arguments.hooks].into_iter().flatten() {
        if given.is_truthy()? {
            return Ok(true);
        }
    }
    if let Some(auth) = &arguments.auth
        && matches!(authorization(auth)?, Auth::Object)
    {
        return Ok(true);
    }
    if let Some(cookies) = &arguments.cookies
        && !cookies.is_exact_instance_of::<PyDict>()
        && !is_jar(cookies)?
    {
        return Ok(true);
    }
    if arguments.timeout.as_ref().is_some_and(|timeout| !is_number(timeout) && !timeout.is_instance_of::<PyTuple>()) {
        return Ok(true);
    }
    arguments.data.as_ref().map_or(Ok(false), |data| Ok(!is_whole(data)?))
}

fn is_number(object: &Bound<'_, PyAny>) -> bool {
    object.is_instance_of::<PyFloat>() || object.is_instance_of::<PyInt>()
}

/// Whether `data` is there whole, or a form to be made of it: no file, and nothing that has yet to be made.
fn is_whole(data: &Bound<'_, PyAny>) -> PyResult<bool> {
    if data.is_instance_of::<PyString>()
        || data.is_instance_of::<PyBytes>()
        || data.is_instance_of::<PyDict>()
        || data.is_instance_of::<PyList>()
        || data.is_instance_of::<PyTuple>()
        || data.is_instance_of::<PyByteArray>()
    {
        return Ok(true);
    }
    Ok(data.cast::<PyMapping>().is_ok() || !data.hasattr(intern!(data.py(), "__iter__"))?)
}

pub fn not_yet(argument: &str, what: &str) -> PyErr {
    PyNotImplementedError::new_err(format!("gregaria does not support {what} for `{argument}=` yet"))
}

/// Whether a mapping or list was given that has anything in it.
pub fn is_given(object: Option<&Bound<'_, PyAny>>) -> PyResult<bool> {
    match object {
        None => Ok(false),
        Some(object) if object.is_instance_of::<PyList>() => Ok(!object.is_empty()?),
        Some(object) => object.is_truthy(),
    }
}
