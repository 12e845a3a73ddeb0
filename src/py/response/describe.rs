//! Requests and responses as Python's values, for what is made only when it is asked for.

use pyo3::prelude::*;
use pyo3::types::PyBytes;

use crate::http::text::from_latin1;
use crate::http::{Request, Response};

/// (name, value) of each header line of a response.
pub(super) fn header_pairs(response: &Response) -> Vec<(String, String)> {
    response.headers().into_iter().map(|(name, value)| (name.to_owned(), from_latin1(value))).collect()
}

/// Each name in lower case, with name and value.
pub type StoredHeaders = Vec<(String, (String, String))>;

/// Header lines as requests' mapping keeps them.
pub fn stored(pairs: impl IntoIterator<Item = (String, String)>) -> StoredHeaders {
    let mut stored: StoredHeaders = Vec::new();
    for (name, value) in pairs {
        let key = name.to_lowercase();
        match stored.iter_mut().find(|(other, _)| *other == key) {
            Some((_, held)) => *held = (name, format!("{}, {value}", held.1)),
            None => stored.push((key, (name, value))),
        }
    }
    stored
}

/// Method, URL, header pairs and body of a request as it was sent, with these cookies.
pub(super) fn describe_request(py: Python<'_>, request: &Request, cookies: Option<&str>) -> PyResult<Py<PyAny>> {
    let mut headers = request_headers(request);
    headers.extend(cookies.map(|cookies| ("Cookie".to_owned(), cookies.to_owned())));
    let body = request.body.as_ref().map(|body| PyBytes::new(py, body));
    Ok((request.method.as_str(), request.url.to_string(), headers, body).into_pyobject(py)?.into_any().unbind())
}

/// (name, value) of each header line of a request.
pub fn request_headers(request: &Request) -> Vec<(String, String)> {
    request.headers.pairs().map(|(name, value)| (from_latin1(name), from_latin1(value))).collect()
}
