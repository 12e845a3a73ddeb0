//! Which scripts of other sites may read an answer: all, as with Locust, of what may be asked for at all.

use hyper::Method;
use hyper::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_REQUEST_HEADERS, ACCESS_CONTROL_REQUEST_METHOD, HeaderMap, HeaderValue, ORIGIN, VARY,
};
use hyper::http::request::Parts;

const METHODS: HeaderValue = HeaderValue::from_static("DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT");

/// Who asks, if a browser says so.
pub fn origin(headers: &HeaderMap) -> Option<HeaderValue> {
    headers.get(ORIGIN).cloned()
}

/// Where a browser asks whether it may ask: the headers that it wants to send.
pub fn preflight(parts: &Parts) -> Option<Vec<String>> {
    let asks = parts.method == Method::OPTIONS && parts.headers.contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    asks.then(|| {
        let wanted = parts.headers.get(ACCESS_CONTROL_REQUEST_HEADERS).and_then(|value| value.to_str().ok());
        let mut names: Vec<String> =
            wanted.unwrap_or_default().split(',').map(|name| name.trim().to_lowercase()).collect();
        names.retain(|name| !name.is_empty());
        names.sort();
        names
    })
}

/// Say so, unless the answer says something already.
pub fn allow(headers: &mut HeaderMap, origin: Option<HeaderValue>, preflight: Option<Vec<String>>) {
    if headers.contains_key(ACCESS_CONTROL_ALLOW_ORIGIN) {
        return;
    }
    if origin.is_some() {
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin.unwrap_or(HeaderValue::from_static("*")));
    if let Some(wanted) = preflight {
        headers.insert(ACCESS_CONTROL_ALLOW_METHODS, METHODS);
        if let Ok(wanted) = HeaderValue::from_str(&wanted.join(", "))
            && !wanted.is_empty()
        {
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, wanted);
        }
    }
}
