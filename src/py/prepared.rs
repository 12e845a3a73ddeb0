//! Requests that requests' own code has prepared, sent as they are.

use std::sync::Arc;
use std::time::{Duration, Instant};

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyString};

use super::arguments::Arguments;
use super::client::{self, SessionBase, url_error};
use super::names;
use super::prepare::{self as preparing, SessionHeaders};
use super::response::{ResponseBase, StoredHeaders, request_headers, stored};
use super::upload::Upload;
use crate::http::io::Operation;
use crate::http::url::{Style, Url};
use crate::http::{HeaderLines, Request, Settings};

/// Send a `requests.PreparedRequest` and park until it is answered. The response is reported to nobody, and is one
/// without a status when there was none: `_error` says why.
///
/// No redirect is followed, and the session's cookies are left alone: requests' code does both.
#[pyfunction]
#[pyo3(signature = (session, request, body, upload, *, stream, timeout, verify, cert, proxy))]
#[allow(clippy::too_many_arguments)] // those of an adapter's `send`
fn send_prepared<'py>(
    session: &Bound<'py, SessionBase>,
    request: &Bound<'py, PyAny>,
    body: Option<&Bound<'py, PyAny>>,
    upload: Option<&Bound<'py, Upload>>,
    stream: bool,
    timeout: Option<Bound<'py, PyAny>>,
    verify: Option<Bound<'py, PyAny>>,
    cert: Option<Bound<'py, PyAny>>,
    proxy: Option<&str>,
) -> PyResult<Bound<'py, PyAny>> {
    let py = session.py();
    let arguments = Arguments { timeout, verify, cert, ..Arguments::default() };
    let this = session.get();
    let url = url(&request.getattr(intern!(py, "url"))?)?;
    let mut settings = preparing::settings(&this.settings(), &arguments, false)?;
    if let Some(proxy) = proxy {
        let proxy = Some(preparing::proxy(py, proxy)?);
        settings = Arc::new(Settings { proxy, ..Settings::clone(&settings) });
    }
    preparing::check_files(&settings.tls, url.origin().is_secure())?;
    let request = Request {
        method: preparing::method(Style::Requests, request.getattr(intern!(py, "method"))?.str()?.to_str()?)?,
        url,
        headers: headers(&request.getattr(intern!(py, "headers"))?)?,
        body: body.map(bytes).transpose()?,
        upload: upload.map(|upload| upload.get().shared()),
        cookies: Vec::new(),
        settings,
        stream,
        bare: true,
        names: names::of(py, Style::Requests)?,
    };
    let session = Arc::clone(this.session());
    let operation =
        Box::new(Operation { ticket: None, session, request, label: None, outcome: None, lag: Duration::ZERO });
    let operation = names::exchange(py, operation)?;
    ResponseBase::unreported(py, operation, Instant::now())
}

/// Method, URL, headers as requests keeps them, body.
type Prepared<'py> = (String, String, StoredHeaders, Option<Bound<'py, PyBytes>>);

/// Prepare a request as the session would send it, but for authentication objects and hooks. `streamed`: its body is
/// still to be made, and so are the headers that tell of it.
#[pyfunction]
fn prepare<'py>(
    session: &Bound<'py, SessionBase>,
    method: &str,
    url: &Bound<'py, PyAny>,
    arguments: &Bound<'py, PyDict>,
    streamed: bool,
) -> PyResult<Prepared<'py>> {
    let arguments = Arguments::read(Some(arguments))?;
    let snapshot = SessionBase::snapshot(session)?;
    let request = client::build(session, &snapshot, method, url, &arguments, streamed)?;
    let cookies = session.get().session().cookie_header(&request);
    let mut headers = request_headers(&request);
    headers.extend(cookies.map(|cookies| ("Cookie".to_owned(), cookies)));
    let body = request.body.as_ref().map(|body| PyBytes::new(session.py(), body));
    Ok((request.method.as_str().to_owned(), request.url.to_string(), stored(headers), body))
}

fn url(given: &Bound<'_, PyAny>) -> PyResult<Url> {
    Url::prepare(Style::Requests, given.str()?.to_str()?, "").map_err(|error| url_error(given.py(), &error))
}

fn headers(mapping: &Bound<'_, PyAny>) -> PyResult<HeaderLines> {
    let own = SessionHeaders::of_mapping(Style::Requests, mapping)?;
    let mut lines = preparing::merge(Style::Requests, &own, None)?;
    preparing::complete(mapping.py(), &own, &mut lines)?;
    Ok(lines)
}

fn bytes(body: &Bound<'_, PyAny>) -> PyResult<Box<[u8]>> {
    match body.cast::<PyString>() {
        Ok(text) => Ok(text.to_str()?.as_bytes().into()),
        Err(_) => Ok(body.cast::<PyBytes>()?.as_bytes().into()),
    }
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_function(wrap_pyfunction!(prepare, module)?)?;
    module.add_function(wrap_pyfunction!(send_prepared, module)?)
}
