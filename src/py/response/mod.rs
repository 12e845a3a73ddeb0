//! Responses as Python sees them: the engine's part of both clients' response classes.
//!
//! A response keeps its bytes in Rust; what a locustfile does not ask for is never made. `deliver.rs`: from a finished
//! call to its response, counted at once where nobody wants a say; `judge.rs`: whether it failed, and who is told; `describe.rs`: its
//! parts as Python's values.

mod deliver;
mod describe;
mod judge;

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBytes, PyDict, PyList, PyString, PyType};

pub use self::deliver::Call;
pub use self::describe::{StoredHeaders, request_headers, stored};
use self::describe::{describe_request, header_pairs};
use self::judge::{Report, Verdict, is_success};
use super::client::SessionBase;
use super::stream::BodyStream;
use crate::http::io::{Operation, Outcome};
use crate::http::request::Statuses;
use crate::http::text::from_latin1;
use crate::http::url::Style;
use crate::http::{Phase, Phases, Request, Response};

#[pyclass(subclass, frozen, weakref, module = "gregaria._engine")]
pub struct ResponseBase {
    operation: OnceLock<Box<Operation>>,
    /// Of a call that took several exchanges, made one by one by requests' code: all of them.
    exchanges: OnceLock<Box<Exchanges>>,
    content: PyOnceLock<Py<PyBytes>>,
    /// What is needed to report it later, or to tell what was reported; absent for most.
    report: Mutex<Option<Box<Report>>>,
    /// A status that a locustfile has put in the place of the real one.
    status_set: AtomicU32,
    /// Made by requests' code, or by a locustfile's: Python says what is in it and whether it failed.
    foreign: AtomicBool,
}

type TimingsTuple = (f64, f64, f64, f64, f64, f64, f64, u32, u32);

/// Sums over the exchanges of one call.
struct Exchanges {
    phases: Phases,
    lag: Duration,
}

impl Exchanges {
    fn of(responses: &[Bound<'_, ResponseBase>]) -> Self {
        let mut sums = Self { phases: Phases::default(), lag: Duration::ZERO };
        for response in responses {
            sums.phases.include(&response.get().phases().unwrap_or_default());
            sums.lag += response.get().lag().unwrap_or_default();
        }
        sums
    }
}

const NO_STATUS: u32 = u32::MAX;

impl ResponseBase {
    /// How long the finished response waited for Python.
    pub fn lag(&self) -> Option<Duration> {
        let of_call = self.exchanges.get().map(|exchanges| exchanges.lag);
        of_call.or_else(|| self.operation.get().map(|operation| operation.lag))
    }

    /// Where its response time went.
    pub fn phases(&self) -> Option<Phases> {
        let of_call = self.exchanges.get().map(|exchanges| exchanges.phases);
        of_call.or_else(|| self.outcome().map(|outcome| outcome.stamps.phases))
    }

    /// The response, and the request that it answers.
    pub fn answered(&self) -> Option<(&Request, &Response)> {
        Some((last_request(self.operation.get()?), self.response()?))
    }

    fn outcome(&self) -> Option<&Outcome> {
        self.operation.get().map(|operation| outcome(operation))
    }

    fn response(&self) -> Option<&Response> {
        self.outcome().and_then(|outcome| outcome.result.as_ref().ok())
    }

    /// What a locustfile sees of it: the fast client's users also see a response whose body is the failure.
    fn shown(&self) -> Option<&Response> {
        self.response().or_else(|| self.partial())
    }

    fn partial(&self) -> Option<&Response> {
        if self.is_fast() { self.outcome()?.partial.as_deref() } else { None }
    }

    /// Whether its body is the engine's: not streamed, and nobody has put anything in its place.
    fn is_plain(&self) -> bool {
        !self.foreign.load(Ordering::Relaxed)
            && self.partial().is_none()
            && self
                .outcome()
                .is_some_and(|outcome| outcome.result.as_ref().map_or(true, |response| response.stream.is_none()))
    }

    /// The statuses that a locustfile has set on its client.
    fn own_statuses(&self) -> Option<&Statuses> {
        self.operation.get()?.request.settings.statuses.as_deref()
    }

    fn is_fast(&self) -> bool {
        self.operation.get().is_some_and(|operation| operation.request.url.style() == Style::Gevent)
    }
}

#[pymethods]
impl ResponseBase {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs))]
    fn new(_args: &Bound<'_, pyo3::types::PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self {
            operation: OnceLock::new(),
            exchanges: OnceLock::new(),
            content: PyOnceLock::new(),
            report: Mutex::new(None),
            status_set: AtomicU32::new(NO_STATUS),
            foreign: AtomicBool::new(false),
        }
    }

    /// Takes the place of `requests.Response.__init__`, whose attributes are made when asked for.
    /// The engine's come without arguments; who makes one by hand may give the error it stands for.
    #[pyo3(signature = (error = None))]
    fn __init__(slf: &Bound<'_, Self>, error: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        error.map_or(Ok(()), |error| slf.setattr(intern!(slf.py(), "error"), error))
    }

    /// The HTTP status; 0 when there was no response.
    #[getter]
    fn status_code(&self) -> u16 {
        match self.status_set.load(Ordering::Relaxed) {
            NO_STATUS => self._status(),
            set => set as u16,
        }
    }

    #[setter]
    fn set_status_code(&self, status: u16) {
        self.status_set.store(u32::from(status), Ordering::Relaxed);
    }

    /// As `status_code`, whatever was assigned to that.
    #[getter]
    fn _status(&self) -> u16 {
        self.shown().map_or(0, |response| response.status)
    }

    /// Whether the client counts it as a success by its own rule.
    #[getter]
    fn _is_success(&self) -> bool {
        self.shown().is_some_and(|response| is_success(self.is_fast(), self.own_statuses(), response.status))
    }

    /// The body, content encodings undone; None when there was no response.
    #[getter]
    fn content<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        if slf.get().is_plain() && !slf.getattr(intern!(py, "__dict__"))?.contains(intern!(py, "_content"))? {
            return slf.get()._body(py).into_pyobject(py).map(Bound::into_any).map_err(Into::into);
        }
        let helper = if slf.get().is_fast() { "fast_content" } else { "content" };
        responses(py)?.call_method1(helper, (slf,))
    }

    /// The body as it arrives, where it was asked for so.
    fn _stream(&self) -> Option<BodyStream> {
        let ends_early = !self.is_fast();
        self.response()?.stream.as_ref().map(|stream| BodyStream::new(stream, ends_early))
    }

    /// Whether the body is to be streamed.
    #[getter]
    fn _is_streamed(&self) -> bool {
        self.response().is_some_and(|response| response.stream.is_some())
    }

    /// Its exchanges took so long, in ms.
    #[getter]
    fn _response_time(&self) -> f64 {
        self.outcome().map_or(0.0, |outcome| outcome.stamps.response_time().as_secs_f64() * 1000.0)
    }

    #[getter]
    fn _body(&self, py: Python<'_>) -> Option<Py<PyBytes>> {
        let body = self.shown()?.body();
        Some(self.content.get_or_init(py, || PyBytes::new(py, body).unbind()).clone_ref(py))
    }

    /// The body as text where it is UTF-8, else None.
    fn _utf8<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyString>> {
        if !self.is_plain() {
            return None;
        }
        std::str::from_utf8(self.response()?.body()).ok().map(|text| PyString::new(py, text))
    }

    /// Whether its content type is JSON without a charset: text is UTF-8 then.
    #[getter]
    fn _is_plain_json(&self) -> bool {
        let content_type = self.response().and_then(|response| response.header("content-type"));
        content_type.is_some_and(|value| value.trim_ascii().eq_ignore_ascii_case(b"application/json"))
    }

    /// (name, value) of each header line of the response; ISO-8859-1 as http.client reads it.
    fn _header_pairs(&self) -> Vec<(String, String)> {
        self.shown().map_or_else(Vec::new, header_pairs)
    }

    /// The headers as requests keeps them: for each name in lower case, name and value; lines of one name joined.
    #[getter]
    fn _stored_headers(&self) -> StoredHeaders {
        self.shown().map_or_else(Vec::new, |response| stored(header_pairs(response)))
    }

    /// Whether the response's body is what has failed: not all of it came, or it cannot be decoded.
    #[getter]
    fn _is_partial(&self) -> bool {
        self.partial().is_some()
    }

    /// Whether the exchange failed when the head of its response was in.
    #[getter]
    fn _is_of_the_body(&self) -> bool {
        self.outcome().is_some_and(|outcome| outcome.result.as_ref().is_err_and(crate::http::Failure::is_of_the_body))
    }

    /// How often the request may have been sent again.
    #[getter]
    fn _retries(&self) -> u32 {
        self.operation.get().map_or(0, |operation| operation.request.settings.retries.limit)
    }

    /// Where it is, or was, reported.
    #[getter]
    fn _request_event(&self, py: Python<'_>) -> Option<Py<PyAny>> {
        let session = self.report().as_ref().map(|report| report.session.clone_ref(py));
        session?.get().request_event(py)
    }

    #[getter]
    fn _catch_response(&self) -> bool {
        self.report().as_ref().is_some_and(|report| report.catch_response)
    }

    /// Whether its `with` block has begun.
    #[getter]
    fn _entered(&self) -> bool {
        self.report().as_ref().is_some_and(|report| report.entered)
    }

    #[getter]
    fn _reason(&self) -> Option<String> {
        self.shown().map(|response| from_latin1(response.reason()))
    }

    #[getter]
    fn _http_version(&self) -> u8 {
        self.shown().map_or(11, Response::version)
    }

    /// The URL of the response: after redirects, the last one.
    #[getter]
    fn _url(&self) -> Option<String> {
        self.shown()?;
        self.operation.get().map(|operation| last_request(operation).url.to_string())
    }

    /// Seconds from sending the last request of the chain to the head of its response.
    #[getter]
    fn _elapsed(&self) -> f64 {
        let Some(outcome) = self.outcome() else { return 0.0 };
        if outcome.result.is_err() {
            return 0.0;
        }
        outcome.stamps.first_byte.saturating_duration_since(outcome.stamps.hop).as_secs_f64()
    }

    /// Method, URL, header pairs and body of the request that was answered (after redirects, the last one).
    #[getter]
    fn _sent(&self, py: Python<'_>) -> PyResult<Option<Py<PyAny>>> {
        let Some(operation) = self.operation.get() else { return Ok(None) };
        let outcome = outcome(operation);
        describe_request(py, last_request(operation), outcome.cookies_behind(outcome.hops.len())).map(Some)
    }

    /// The URL that was asked for, before any redirect.
    #[getter]
    fn _asked(slf: &Bound<'_, Self>) -> PyResult<Option<String>> {
        if let Some(url) = Self::url_as_written(slf)? {
            return Ok(Some(url));
        }
        Ok(slf.get().operation.get().map(|operation| operation.request.url.to_string()))
    }

    /// For each redirect on the way: the request, and status, reason, header pairs and body of its response.
    #[getter]
    fn _hops<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let hops = PyList::empty(py);
        let Some(operation) = self.operation.get() else { return Ok(hops) };
        let mut request = &operation.request;
        let outcome = outcome(operation);
        for (behind, hop) in outcome.hops.iter().enumerate() {
            let response = &hop.response;
            hops.append((
                describe_request(py, request, outcome.cookies_behind(behind))?,
                response.status,
                from_latin1(response.reason()),
                header_pairs(response),
                PyBytes::new(py, response.body()),
            ))?;
            request = &hop.next;
        }
        Ok(hops)
    }

    /// Look-up, connect, TLS, sending, waiting, receiving and their sum in ms; connections opened and reused.
    /// None where nothing was sent.
    #[getter]
    fn _timings(&self) -> Option<TimingsTuple> {
        let phases = self.phases()?;
        let ms = |time: Duration| time.as_secs_f64() * 1000.0;
        let [look_up, connect, tls, sending, waiting, receiving] = Phase::ALL.map(|phase| ms(phases.of(phase)));
        let total = ms(Phase::ALL.into_iter().map(|phase| phases.of(phase)).sum());
        let Phases { opened, reused, .. } = phases;
        Some((look_up, connect, tls, sending, waiting, receiving, total, opened, reused))
    }

    /// How long the finished response waited for Python, in ms. Not part of its response time.
    #[getter]
    fn _generator_lag(&self) -> f64 {
        self.lag().unwrap_or_default().as_secs_f64() * 1000.0
    }

    /// The arguments of the `request` event; what they hold when the response is reported is what is fired.
    #[getter]
    fn request_meta<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        let py = slf.py();
        let this = slf.get();
        if let Some(meta) =
            this.report().as_ref().and_then(|report| report.meta.as_ref().map(|meta| meta.clone_ref(py)))
        {
            return Ok(meta.into_bound(py));
        }
        let meta = Self::new_meta(slf)?;
        if let Some(report) = this.report().as_mut() {
            report.meta = Some(meta.clone().unbind());
        }
        Ok(meta)
    }

    /// Be what is reported for a request that requests' code has made, or could not make: `meta` is the event's arguments.
    fn _stand_for(
        slf: &Bound<'_, Self>,
        session: &Bound<'_, SessionBase>,
        meta: Py<PyDict>,
        error: Option<Py<PyAny>>,
        catch_response: bool,
        exchanges: Vec<Bound<'_, Self>>,
    ) -> PyResult<()> {
        let py = slf.py();
        if !exchanges.is_empty() {
            let _ = slf.get().exchanges.set(Box::new(Exchanges::of(&exchanges)));
        }
        let errors = error.map(|error| (error.clone_ref(py), error));
        let report = Report {
            session: session.clone().unbind(),
            url: None,
            name: None,
            context: None,
            catch_response,
            entered: false,
            verdict: Verdict::None,
            meta: Some(meta),
            errors,
        };
        slf.get().foreign.store(true, Ordering::Relaxed);
        let old = slf.get().report().replace(Box::new(report));
        drop(old);
        if catch_response { Ok(()) } else { Self::judge(slf) }
    }

    /// The client's exception, when there was no response.
    #[getter]
    fn _error<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let stands_for_one = slf.get().report().as_ref().is_some_and(|report| report.errors.is_some());
        match slf.get().outcome() {
            Some(Outcome { result: Err(_), .. }) => Self::errors(slf).map(|(error, _)| Some(error)),
            None if stands_for_one => Self::errors(slf).map(|(error, _)| Some(error)),
            _ => Ok(None),
        }
    }

    /// The verdict given so far: None, True or the failure's exception.
    #[getter]
    fn _manual_result<'py>(&self, py: Python<'py>) -> Option<Bound<'py, PyAny>> {
        self.verdict(py)
            .map(|verdict| verdict.unwrap_or_else(|| pyo3::types::PyBool::new(py, true).to_owned().into_any()))
    }

    fn __enter__(slf: Bound<'_, Self>) -> PyResult<Bound<'_, Self>> {
        let py = slf.py();
        let caught = slf.get().report().as_mut().is_some_and(|report| {
            report.entered = true;
            report.catch_response
        });
        if caught {
            return Ok(slf);
        }
        Err(responses(py)?.call_method0("not_caught").map_or_else(|error| error, PyErr::from_value))
    }

    fn __exit__(
        slf: &Bound<'_, Self>,
        class: &Bound<'_, PyAny>,
        raised: &Bound<'_, PyAny>,
        _traceback: &Bound<'_, PyAny>,
    ) -> PyResult<bool> {
        if let Some(verdict) = slf.get().verdict(slf.py()) {
            Self::fire(slf, verdict)?;
            return Ok(raised.is_none());
        }
        if class.is_none() {
            Self::judge(slf)?;
            return Ok(true);
        }
        static RESPONSE_ERROR: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        if raised.is_instance(RESPONSE_ERROR.import(slf.py(), "locust.exception", "ResponseError")?)? {
            Self::fire(slf, Some(raised.clone()))?;
            return Ok(true);
        }
        Ok(false)
    }

    /// Report the response as a success, whatever its status. Only within a `with` block of `catch_response=True`.
    fn success(slf: &Bound<'_, Self>) -> PyResult<()> {
        Self::set_verdict(slf, Verdict::Success, "success()")
    }

    /// Report the response as failed with `exc`, an exception or a text. Only within a `with` block of `catch_response=True`.
    fn failure(slf: &Bound<'_, Self>, exc: &Bound<'_, PyAny>) -> PyResult<()> {
        static WRAPPER: PyOnceLock<Py<PyType>> = PyOnceLock::new();
        let exception = if exc.is_instance_of::<PyException>() {
            exc.clone()
        } else {
            WRAPPER.import(slf.py(), "locust.exception", "CatchResponseError")?.call1((exc,))?
        };
        Self::set_verdict(slf, Verdict::Failure(exception.unbind()), "failure(...)")
    }

    fn __traverse__(&self, visit: pyo3::PyVisit<'_>) -> Result<(), pyo3::PyTraverseError> {
        // A held lock means that this thread is inside: it is alive, and so is what it holds.
        let Ok(report) = self.report.try_lock() else { return Ok(()) };
        let Some(report) = report.as_ref() else { return Ok(()) };
        visit.call(&report.session)?;
        visit.call(&report.name)?;
        visit.call(&report.url)?;
        visit.call(&report.context)?;
        visit.call(&report.meta)?;
        if let Some((error, cause)) = &report.errors {
            visit.call(error)?;
            visit.call(cause)?;
        }
        if let Verdict::Failure(exception) = &report.verdict { visit.call(exception) } else { Ok(()) }
    }

    fn __clear__(&self) {
        let report = self.report().take();
        drop(report);
    }
}

fn outcome(operation: &Operation) -> &Outcome {
    operation.outcome.as_ref().expect("an operation comes home with an outcome")
}

/// The request that the outcome is about: the one that was redirected to, if any was.
fn last_request(operation: &Operation) -> &Request {
    outcome(operation).hops.last().map_or(&operation.request, |hop| &hop.next)
}

/// Python's part of all this: `gregaria._responses`.
pub fn responses(py: Python<'_>) -> PyResult<&Bound<'_, PyAny>> {
    static MODULE: PyOnceLock<Py<PyAny>> = PyOnceLock::new();
    MODULE
        .get_or_try_init(py, || Ok(py.import("gregaria._responses")?.into_any().unbind()))
        .map(|module| module.bind(py))
}

pub fn register(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<ResponseBase>()
}
