//! A failed exchange as the exceptions of the client in question.

use pyo3::prelude::*;

use super::response::responses;
use crate::http::Failure;
use crate::http::decode::DecodeError;
use crate::http::failure::ProxyFailure;

/// The client's exception, and the root cause that Locust reports in its place.
pub fn exceptions<'py>(
    response: &Bound<'py, PyAny>,
    fast: bool,
    failure: &Failure,
) -> PyResult<(Bound<'py, PyAny>, Bound<'py, PyAny>)> {
    let (kind, code, text) = parts(failure);
    responses(response.py())?.call_method1("exceptions", (response, fast, kind, code, text))?.extract()
}

/// Kind, number (an errno, a limit, seconds) and words. Python tells them apart by the kind, never by the words.
pub fn parts(failure: &Failure) -> (&'static str, Option<f64>, String) {
    match failure {
        Failure::Resolve { host, code, message } => ("resolve", Some(f64::from(*code)), format!("{host}\n{message}")),
        Failure::AskCaller { host, .. } => ("resolve", None, host.clone()),
        Failure::Connect(error) => ("connect", error.raw_os_error().map(f64::from), error.to_string()),
        Failure::ConnectTimeout(after) => ("connect_timeout", Some(after.as_secs_f64()), String::new()),
        Failure::Certificate(text) => ("certificate", None, text.clone()),
        Failure::BodyTimeout(after) => ("body_timeout", Some(after.as_secs_f64()), String::new()),
        Failure::BodyBroken(error) => ("body_broken", error.raw_os_error().map(f64::from), error.to_string()),
        Failure::Tls(text) => ("tls", None, text.clone()),
        Failure::ReadTimeout(after) => ("read_timeout", Some(after.as_secs_f64()), String::new()),
        Failure::Disconnected => ("disconnected", None, String::new()),
        Failure::Broken(error) => ("broken", error.raw_os_error().map(f64::from), error.to_string()),
        Failure::Incomplete { received, missing } => {
            ("incomplete", missing.map(|missing| missing as f64), received.to_string())
        }
        Failure::Chunks(what) => ("chunks", None, (*what).to_owned()),
        Failure::Protocol(what) => ("protocol", None, (*what).to_owned()),
        Failure::Decode(DecodeError::Corrupt { encoding, cause }) => ("corrupt", None, format!("{encoding}\n{cause}")),
        Failure::Decode(error) => ("decode", None, error.to_string()),
        Failure::Proxy(ProxyFailure::Connect(error)) => {
            ("proxy_connect", error.raw_os_error().map(f64::from), error.to_string())
        }
        Failure::Proxy(ProxyFailure::Resolve(host)) => ("proxy_resolve", None, host.clone()),
        Failure::Proxy(ProxyFailure::Disconnected) => ("proxy_disconnected", None, String::new()),
        Failure::Proxy(ProxyFailure::Refused(words)) => ("proxy_refused", None, words.clone()),
        Failure::Reset(reason) => ("reset", None, reason.clone()),
        Failure::Unsendable(why) => ("unsendable", None, why.clone()),
        Failure::TooManyRedirects(limit) => ("too_many_redirects", Some(f64::from(*limit)), String::new()),
        Failure::RedirectTarget(error) => ("redirect_target", None, error.to_string()),
        Failure::Cancelled => ("broken", None, failure.to_string()),
        Failure::Bug(_) => ("bug", None, failure.to_string()),
    }
}
