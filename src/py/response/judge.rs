//! Whether a response failed: the client's own rule, or the caller's verdict; and what is told of it to whom.

use std::sync::MutexGuard;
use std::sync::atomic::Ordering;

use pyo3::exceptions::PyException;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString};

use super::deliver::{counted_request, default_name, length, sample};
use super::{ResponseBase, outcome, responses};
use crate::http::io::Outcome;
use crate::http::request::Statuses;
use crate::py::client::SessionBase;
use crate::py::clock::epoch_seconds;
use crate::py::event::only_statistics;
use crate::py::failures;
use crate::stats::Sample;

pub(super) struct Report {
    pub session: Py<SessionBase>,
    pub url: Option<Py<PyAny>>,
    pub name: Option<Py<PyAny>>,
    pub context: Option<Py<PyAny>>,
    pub catch_response: bool,
    pub entered: bool,
    pub verdict: Verdict,
    /// The event's arguments, once somebody has asked for them: then they are what is reported.
    pub meta: Option<Py<PyDict>>,
    /// The client's exception when there was no response, and the cause that is reported for it.
    pub errors: Option<(Py<PyAny>, Py<PyAny>)>,
}

/// What the caller said of the response, if anything.
pub(super) enum Verdict {
    None,
    Success,
    Failure(Py<PyAny>),
}

impl ResponseBase {
    pub(super) fn report(&self) -> MutexGuard<'_, Option<Box<Report>>> {
        self.report.lock().expect("nothing panics under this lock")
    }

    /// Report by the client's own rule: what `raise_for_status` would say.
    pub(super) fn judge(slf: &Bound<'_, Self>) -> PyResult<()> {
        let this = slf.get();
        if this.foreign.load(Ordering::Relaxed) {
            return Self::with_name_as_url(slf, || {
                let failure = responses(slf.py())?.call_method1("failure_of", (slf,))?;
                Self::fire(slf, Some(failure).filter(|failure| !failure.is_none()))
            });
        }
        let failure = Self::own_verdict(slf)?;
        // Listeners see the name in place of the URL: the texts of errors are grouped by it.
        let hide_url = !this.is_fast() && this.response().is_some();
        if !hide_url {
            return Self::fire(slf, failure);
        }
        Self::with_name_as_url(slf, || Self::fire(slf, failure))
    }

    /// What it has failed with by the client's own rule, if it has.
    pub(super) fn own_verdict<'py>(slf: &Bound<'py, Self>) -> PyResult<Option<Bound<'py, PyAny>>> {
        let this = slf.get();
        match this.response() {
            Some(response) if is_success(this.is_fast(), this.own_statuses(), response.status) => Ok(None),
            Some(_) => Self::status_error(slf).map(Some),
            None => Self::errors(slf).map(|(_, cause)| Some(cause)),
        }
    }

    pub(super) fn with_name_as_url<T>(slf: &Bound<'_, Self>, work: impl FnOnce() -> PyResult<T>) -> PyResult<T> {
        let py = slf.py();
        let url = slf.getattr(intern!(py, "url"))?;
        slf.setattr(intern!(py, "url"), Self::name(slf)?)?;
        let result = work();
        slf.setattr(intern!(py, "url"), url)?;
        result
    }

    /// The error of a bad status, as the client words it.
    pub(super) fn status_error<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let helper = if slf.get().is_fast() { "bad_status" } else { "http_error" };
        responses(slf.py())?.call_method1(helper, (slf, Self::name(slf)?))
    }

    /// The exceptions of a call without a response: the client's own, and the cause that is reported.
    pub(super) fn errors<'py>(slf: &Bound<'py, Self>) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
        let py = slf.py();
        let this = slf.get();
        if let Some((error, cause)) = this.report().as_ref().and_then(|report| report.errors.as_ref()) {
            return Ok((error.bind(py).clone(), cause.bind(py).clone()));
        }
        let Some(Outcome { result: Err(failure), .. }) = this.outcome() else {
            return Err(PyException::new_err("the response has no error"));
        };
        let (error, cause) = failures::exceptions(slf.as_any(), this.is_fast(), failure)?;
        if let Some(report) = this.report().as_mut() {
            report.errors = Some((error.clone().unbind(), cause.clone().unbind()));
        }
        Ok((error, cause))
    }

    /// The name it is counted under.
    pub(super) fn name<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let this = slf.get();
        if let Some(meta) = this.report().as_ref().and_then(|report| report.meta.as_ref())
            && let Some(name) = meta.bind(py).get_item("name")?
        {
            return Ok(name);
        }
        if let Some(name) =
            this.report().as_ref().and_then(|report| report.name.as_ref().map(|name| name.clone_ref(py)))
        {
            return Ok(name.into_bound(py));
        }
        let name = this.operation.get().map_or("", |operation| default_name(operation));
        Ok(PyString::new(py, name).into_any())
    }

    /// Tell the listeners of `request`.
    pub(super) fn fire(slf: &Bound<'_, Self>, failure: Option<Bound<'_, PyAny>>) -> PyResult<()> {
        let py = slf.py();
        let this = slf.get();
        let Some((session, has_meta)) =
            this.report().as_ref().map(|report| (report.session.clone_ref(py), report.meta.is_some()))
        else {
            return Ok(());
        };
        let session = session.into_bound(py);
        let Some(event) = session.get().request_event(py).map(|event| event.into_bound(py)) else { return Ok(()) };
        if !has_meta
            && !session.get().overrides_context()
            && let Some(listener) = only_statistics(&event)?
        {
            let operation = this.operation.get().expect("a reported response has an operation");
            let name = Self::name(slf)?.str()?;
            let (method, name) = (operation.method(), name.to_str()?);
            let sample = Sample { generator_lag: this.lag().unwrap_or_default(), ..sample(operation) };
            let at = sample.at;
            listener.get().count(method, name, sample);
            return failure.map_or(Ok(()), |failure| listener.get().fail(method, name, &failure, at));
        }
        let meta = Self::request_meta(slf)?;
        if failure.is_some() || this.verdict(py).is_some() {
            // Else nobody has judged it otherwise than the locustfile may have written there.
            meta.set_item(intern!(py, "exception"), failure)?;
        }
        let fired = event.call_method(intern!(py, "fire"), (), Some(&meta));
        // It holds the response, which held it: without this both would wait for the garbage collector.
        let held = this.report().as_mut().and_then(|report| report.meta.take());
        drop(held);
        fired.map(drop)
    }

    pub(super) fn new_meta<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyDict>> {
        let py = slf.py();
        let this = slf.get();
        let meta = PyDict::new(py);
        let Some(operation) = this.operation.get() else { return Ok(meta) };
        let outcome = outcome(operation);
        let first = counted_request(operation);
        let response_time = outcome.stamps.response_time().as_secs_f64() * 1000.0;
        meta.set_item("request_type", operation.method())?;
        if !this.is_fast() {
            meta.set_item("response_time", response_time)?;
        }
        meta.set_item("name", Self::name(slf)?)?;
        meta.set_item("context", Self::context(slf)?)?;
        meta.set_item("response", slf)?;
        meta.set_item("exception", py.None())?;
        meta.set_item("start_time", epoch_seconds(outcome.stamps.start))?;
        match Self::url_as_written(slf)? {
            Some(url) => meta.set_item("url", url)?,
            None => meta.set_item("url", first.url.to_string())?,
        }
        meta.set_item("response_length", this.response().map_or(0, length))?;
        if this.is_fast() {
            // Where Locust's fast client has it; and it has judged the response by now.
            meta.set_item("response_time", response_time)?;
            meta.set_item("exception", Self::own_verdict(slf)?)?;
        }
        Ok(meta)
    }

    /// The fast client reports the URL as it was written, behind its base.
    pub(super) fn url_as_written(slf: &Bound<'_, Self>) -> PyResult<Option<String>> {
        let py = slf.py();
        let held = slf
            .get()
            .report()
            .as_ref()
            .and_then(|report| Some((report.session.clone_ref(py), report.url.as_ref()?.clone_ref(py))));
        let Some((session, url)) = held else { return Ok(None) };
        Ok(Some(session.get().full_url(url.bind(py).str()?.to_str()?)))
    }

    /// The user's context under the call's.
    pub(super) fn context<'py>(slf: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        let py = slf.py();
        let held =
            slf.get().report().as_ref().map(|report| {
                (report.session.clone_ref(py), report.context.as_ref().map(|context| context.clone_ref(py)))
            });
        let Some((session, context)) = held else { return Ok(PyDict::new(py).into_any()) };
        let Some(user) = session.get().user(py) else {
            return Ok(context.map_or_else(|| PyDict::new(py).into_any(), |context| context.into_bound(py)));
        };
        let merged = PyDict::new(py);
        merged.call_method1(intern!(py, "update"), (user.bind(py).call_method0(intern!(py, "context"))?,))?;
        if let Some(context) = context {
            merged.call_method1(intern!(py, "update"), (context,))?;
        }
        Ok(merged.into_any())
    }

    /// Set the caller's verdict, if this is the time for one.
    pub(super) fn set_verdict(slf: &Bound<'_, Self>, verdict: Verdict, call: &str) -> PyResult<()> {
        let old = match slf.get().report().as_mut() {
            Some(report) if report.entered => Some(std::mem::replace(&mut report.verdict, verdict)),
            _ => None,
        };
        match old {
            Some(_) => Ok(()),
            None => Err(responses(slf.py())?
                .call_method1("not_entered", (call,))
                .map_or_else(|error| error, PyErr::from_value)),
        }
    }

    pub(super) fn verdict<'py>(&self, py: Python<'py>) -> Option<Option<Bound<'py, PyAny>>> {
        match &self.report().as_ref()?.verdict {
            Verdict::None => None,
            Verdict::Success => Some(None),
            Verdict::Failure(exception) => Some(Some(exception.bind(py).clone())),
        }
    }
}

/// requests fails what is 4xx or 5xx; Locust's fast client what it does not know, or was not told, to be good.
pub(super) fn is_success(fast: bool, own: Option<&Statuses>, status: u16) -> bool {
    if let Some(own) = own {
        own.valid.contains(&status)
    } else if fast {
        matches!(status, 200..=208 | 226 | 301..=304 | 307 | 308)
    } else {
        !(400..600).contains(&status)
    }
}
