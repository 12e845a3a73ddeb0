//! From a finished call to its response, which is reported on the way unless the caller wants to judge it first.

use std::sync::atomic::Ordering;
use std::time::Instant;

use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use super::judge::{Report, Verdict, is_success};
use super::{ResponseBase, last_request, outcome};
use crate::http::io::Operation;
use crate::http::text::{from_latin1, repr};
use crate::http::url::{Style, UrlErrorKind};
use crate::http::{Failure, Request, Response};
use crate::py::client::{SessionBase, url_error};
use crate::py::clock::epoch_seconds;
use crate::py::event::{StatsListener, only_statistics};
use crate::stats::Sample;

/// How the caller wants one call counted.
pub struct Call<'py> {
    pub name: Option<Bound<'py, PyAny>>,
    pub context: Option<Bound<'py, PyAny>>,
    pub catch_response: bool,
    /// The URL as the caller wrote it.
    pub url: Bound<'py, PyAny>,
    /// A file that is told of request and response.
    pub debug_stream: Option<Bound<'py, PyAny>>,
}

impl ResponseBase {
    // Out of the caller's frame, which is copied away and back with a parked user's stack.
    #[inline(never)]
    /// Make the response of a finished call and, unless the caller wants to judge it first, report it.
    pub fn deliver<'py>(
        session: &Bound<'py, SessionBase>,
        mut operation: Box<Operation>,
        call: Call<'py>,
        now: Instant,
    ) -> PyResult<Bound<'py, PyAny>> {
        let py = session.py();
        let this = session.get();
        operation.lag = now.saturating_duration_since(outcome(&operation).stamps.end);
        this.exchanged(&outcome(&operation).stamps.phases);
        let event = this.request_event(py).map(|event| event.into_bound(py));
        let mut quiet = match &event {
            Some(event) if !call.catch_response && !this.overrides_context() => only_statistics(event)?,
            _ => None,
        };
        if let Err(Failure::RedirectTarget(error)) = &outcome(&operation).result
            && (this.style() == Style::Requests || matches!(error.kind(), UrlErrorKind::ValueError))
        {
            // As for an address that is written wrong in the locustfile: raised, and not counted.
            return Err(url_error(py, error));
        }
        let failed = outcome(&operation).result.is_err();
        if let (Some(listener), false) = (&quiet, failed) {
            if !count(listener, this.style(), &operation, call.name.as_ref())? {
                quiet = None;
            } else if call.name.is_none() && call.context.is_none() {
                return Self::make(py, this.style(), operation, call.catch_response, None);
            }
        }
        let report = Report {
            session: session.clone().unbind(),
            url: (this.style() == Style::Gevent).then(|| call.url.unbind()),
            name: call.name.map(Bound::unbind),
            context: call.context.map(Bound::unbind),
            catch_response: call.catch_response,
            entered: false,
            verdict: Verdict::None,
            meta: None,
            errors: None,
        };
        let response = Self::make(py, this.style(), operation, call.catch_response, Some(Box::new(report)))?;
        if !call.catch_response && (quiet.is_none() || failed) {
            Self::judge(response.cast::<Self>()?)?;
        }
        Ok(response)
    }

    fn make(
        py: Python<'_>,
        style: Style,
        operation: Box<Operation>,
        catch_response: bool,
        report: Option<Box<Report>>,
    ) -> PyResult<Bound<'_, PyAny>> {
        let lost = outcome(&operation).result.is_err() && outcome(&operation).partial.is_none();
        let class = response_class(py, style, catch_response, lost)?;
        let response = class.call0()?;
        let this = response.cast::<Self>()?.get();
        let _ = this.operation.set(operation);
        if report.is_some() {
            *this.report() = report;
        }
        Ok(response)
    }

    /// The response of an exchange that its caller reports himself, or nobody.
    pub fn unreported(py: Python<'_>, mut operation: Box<Operation>, now: Instant) -> PyResult<Bound<'_, PyAny>> {
        operation.lag = now.saturating_duration_since(outcome(&operation).stamps.end);
        let response = Self::make(py, Style::Requests, operation, false, None)?;
        response.cast::<Self>()?.get().foreign.store(true, Ordering::Relaxed);
        Ok(response)
    }
}

/// The request that a call is counted as: the first; the failing one where there was no response at all.
pub(super) fn counted_request(operation: &Operation) -> &Request {
    match &outcome(operation).result {
        Err(failure) if !failure.is_of_the_body() => last_request(operation),
        _ => &operation.request,
    }
}

/// Path and query of the request that a call is counted as.
pub(super) fn default_name(operation: &Operation) -> &str {
    counted_request(operation).url.path_and_query()
}

/// Bytes of the body; of one that is still to come, as many as the server says.
pub(super) fn length(response: &Response) -> u64 {
    if response.stream.is_none() {
        return response.body().len() as u64;
    }
    let declared = response.header("content-length").and_then(|value| std::str::from_utf8(value).ok());
    declared.and_then(|value| value.trim().parse().ok()).unwrap_or(0)
}

pub(super) fn sample(operation: &Operation) -> Sample {
    let outcome = outcome(operation);
    let response_length = outcome.result.as_ref().map_or(0, length);
    Sample {
        response_time_ms: Some(outcome.stamps.response_time().as_secs_f64() * 1000.0),
        response_length,
        generator_lag: operation.lag,
        phases: Some(outcome.stamps.phases),
        at: epoch_seconds(outcome.stamps.end),
    }
}

/// Count a response nobody but the statistics hears of: no Python object is made for it. Says whether it was counted: the
/// first failure of its kind is not, because Locust shows its exception.
fn count(
    listener: &Bound<'_, StatsListener>,
    style: Style,
    operation: &Operation,
    name: Option<&Bound<'_, PyAny>>,
) -> PyResult<bool> {
    let text = name.map(pyo3::types::PyAnyMethods::str).transpose()?;
    let name = match &text {
        Some(text) => text.to_str()?,
        None => default_name(operation),
    };
    let method = operation.method();
    let sample = sample(operation);
    let Ok(response) = &outcome(operation).result else { unreachable!("failures are reported through Python") };
    if is_success(style == Style::Gevent, operation.request.settings.statuses.as_deref(), response.status) {
        listener.get().count(method, name, sample);
        return Ok(true);
    }
    let words = status_words(style, response, name);
    Ok(listener.get().count_failed(method, name, sample, &words))
}

/// The `repr` of the client's exception for a bad status.
fn status_words(style: Style, response: &Response, name: &str) -> String {
    let status = response.status;
    if style == Style::Gevent {
        return format!("LocustBadStatusCode(code={status})");
    }
    let kind = if status < 500 { "Client" } else { "Server" };
    let reason = match std::str::from_utf8(response.reason()) {
        Ok(reason) => reason.to_owned(),
        Err(_) => from_latin1(response.reason()),
    };
    format!("HTTPError({})", repr(&format!("{status} {kind} Error: {reason} for url: {name}")))
}

fn response_class(py: Python<'_>, style: Style, catch_response: bool, lost: bool) -> PyResult<&Bound<'_, PyType>> {
    static REQUESTS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static FAST: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static FAST_CAUGHT: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    static FAST_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    const FAST_MODULE: &str = "locust.contrib.fasthttp";
    match (style, catch_response, lost) {
        (Style::Requests, ..) => REQUESTS.import(py, "locust.clients", "ResponseContextManager"),
        (Style::Gevent, true, _) => FAST_CAUGHT.import(py, FAST_MODULE, "ResponseContextManager"),
        (Style::Gevent, false, true) => FAST_ERROR.import(py, FAST_MODULE, "ErrorResponse"),
        (Style::Gevent, false, false) => FAST.import(py, FAST_MODULE, "FastResponse"),
    }
}
