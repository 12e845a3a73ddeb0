//! The request that a call makes of its arguments and its session.

use std::borrow::Cow;
use std::sync::Arc;

use pyo3::exceptions::{PyTypeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::PyString;

use super::SessionBase;
use super::call::slow;
use super::state::Snapshot;
use crate::http::request::push_line;
use crate::http::url::{Style, Url, UrlError, UrlErrorKind};
use crate::http::{HeaderLines, Request, body};
use crate::py::arguments::Arguments;
use crate::py::prepare::{self, Auth, Payload};

/// `streamed`: the body is still to be made, and whoever makes it tells of it.
pub fn build(
    slf: &Bound<'_, SessionBase>,
    snapshot: &Snapshot<'_>,
    method: &str,
    url: &Bound<'_, PyAny>,
    arguments: &Arguments<'_>,
    streamed: bool,
) -> PyResult<Request> {
    let style = slf.get().style;
    let method = &*in_upper_case(method);
    let url = whole_url(slf, snapshot, url, arguments)?;
    let mut headers = prepare::merge(style, &snapshot.headers, arguments.headers.as_ref())?;
    if style == Style::Requests {
        prepare::complete(slf.py(), &snapshot.headers, &mut headers)?;
    }
    let mut payload = match &arguments.files {
        Some(files) if files.is_truthy()? => multipart(files, arguments.data.as_ref())?,
        _ => prepare::payload(style, arguments.data.as_ref(), arguments.json.as_ref())?,
    };
    if !streamed {
        describe_body(style, method, &mut payload, &mut headers, arguments.headers.is_some());
    }
    if let Some(authorization) = authorization(snapshot, &url, arguments)? {
        headers.remove("authorization");
        push_line(&mut headers.trailing, b"Authorization", authorization.as_bytes());
    }
    let settings = prepare::settings(&snapshot.settings, arguments, true)?;
    if style == Style::Requests {
        prepare::check_files(&settings.tls, url.origin().is_secure())?;
    }
    let request = Request {
        method: prepare::method(style, method)?,
        url,
        headers,
        body: payload.bytes,
        upload: None,
        bare: false,
        cookies: match &arguments.cookies {
            Some(given) => prepare::cookies(given)?,
            None => Vec::new(),
        },
        settings,
        stream: match &arguments.stream {
            Some(stream) => stream.is_truthy()?,
            None => snapshot.stream,
        },
        names: slf.get().names(slf.py())?,
    };
    prepare::check_cookies(slf.py(), &slf.get().session, &request)?;
    Ok(request)
}

#[inline]
fn in_upper_case(method: &str) -> Cow<'_, str> {
    if method.bytes().all(|byte| byte.is_ascii_uppercase()) {
        Cow::Borrowed(method)
    } else {
        Cow::Owned(method.to_uppercase())
    }
}

/// What was asked for, on the session's base unless it is absolute, with the query of `params=`.
#[inline]
fn whole_url(
    slf: &Bound<'_, SessionBase>,
    snapshot: &Snapshot<'_>,
    url: &Bound<'_, PyAny>,
    arguments: &Arguments<'_>,
) -> PyResult<Url> {
    let Ok(path) = url.cast::<PyString>() else {
        let class = url.get_type().name()?;
        return Err(PyTypeError::new_err(format!("expected string or bytes-like object, got '{class}'")));
    };
    let url = match query(slf, snapshot, arguments)? {
        None => snapshot.base.join(path.to_str()?),
        Some(params) => snapshot.base.join_with(path.to_str()?, &params),
    };
    url.map_err(|error| url_error(slf.py(), &error))
}

/// The headers that tell of the body: its length, or its chunks, and its type.
#[inline]
fn describe_body(style: Style, method: &str, payload: &mut Payload, headers: &mut HeaderLines, has_own: bool) {
    if style == Style::Gevent
        && payload.content_type.as_deref() == Some("application/json")
        && !prepare::has_header(headers, "accept")
    {
        push_line(&mut headers.own, b"Accept", b"application/json");
    }
    let in_chunks = style == Style::Gevent
        && (payload.bytes.is_some() || has_own)
        && prepare::has_header(headers, "transfer-encoding");
    if in_chunks {
        payload.bytes = Some(body::in_chunks(payload.bytes.as_deref().unwrap_or_default()));
    }
    let length = payload.bytes.as_ref().map(|body| body.len());
    if in_chunks {
        headers.remove("content-length");
    } else if length.is_some()
        || !matches!(method, "GET" | "HEAD" | "OPTIONS" | "DELETE")
        || (style == Style::Requests && !matches!(method, "GET" | "HEAD"))
    {
        headers.remove("content-length");
        push_line(&mut headers.trailing, b"Content-Length", itoa::Buffer::new().format(length.unwrap_or(0)).as_bytes());
    }
    if let Some(content_type) = &payload.content_type
        && !prepare::has_header(headers, "content-type")
    {
        push_line(&mut headers.trailing, b"Content-Type", content_type.as_bytes());
    }
}

/// The Authorization header: the call's, the session's, or what the URL says.
#[inline]
fn authorization(snapshot: &Snapshot<'_>, url: &Url, arguments: &Arguments<'_>) -> PyResult<Option<Arc<str>>> {
    if let Some(auth) = &arguments.auth {
        return match prepare::authorization(auth)? {
            Auth::Header(value) => Ok(Some(Arc::from(value))),
            Auth::None | Auth::Object => Ok(None),
        };
    }
    Ok(snapshot.authorization.clone().or_else(|| {
        let (user, password) = url.credentials()?;
        Some(body::basic_auth(user.as_bytes(), password.as_bytes()).into())
    }))
}

/// Files and fields in one body, as requests puts them there.
fn multipart(files: &Bound<'_, PyAny>, data: Option<&Bound<'_, PyAny>>) -> PyResult<Payload> {
    let py = files.py();
    let (bytes, content_type): (Vec<u8>, String) =
        slow(py)?.call_method1(intern!(py, "multipart"), (files, data))?.extract()?;
    Ok(Payload { bytes: Some(bytes.into()), content_type: Some(content_type.into()) })
}

/// The encoded query of `params=` and the session's own; nearly always there is none.
fn query(slf: &Bound<'_, SessionBase>, snapshot: &Snapshot<'_>, arguments: &Arguments<'_>) -> PyResult<Option<String>> {
    if !snapshot.has_params {
        return match &arguments.params {
            Some(params) if params.is_truthy()? => prepare::form(Style::Requests, params).map(Some),
            _ => Ok(None),
        };
    }
    let py = slf.py();
    let merge = py.import("requests.sessions")?.getattr("merge_setting")?;
    let merged = merge.call1((arguments.params.as_ref(), slf.getattr(intern!(py, "params"))?))?;
    if prepare::is_given(Some(&merged))? { prepare::form(Style::Requests, &merged).map(Some) } else { Ok(None) }
}

pub fn url_error(py: Python<'_>, error: &UrlError) -> PyErr {
    let class = match error.kind() {
        UrlErrorKind::MissingSchema => "MissingSchema",
        UrlErrorKind::InvalidSchema => "InvalidSchema",
        UrlErrorKind::InvalidUrl => "InvalidURL",
        UrlErrorKind::ValueError | UrlErrorKind::UnsupportedRedirectScheme => {
            return PyValueError::new_err(error.to_string());
        }
    };
    let raised = py.import("requests.exceptions").and_then(|module| module.getattr(class));
    match raised.and_then(|class| class.call1((error.to_string(),))) {
        Ok(error) => PyErr::from_value(error),
        Err(error) => error,
    }
}
