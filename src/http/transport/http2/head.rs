//! The head of a request as HTTP/2 has it: pseudo-headers for the first line and the host, names in lower case.

use http::header::{COOKIE, HeaderMap, HeaderName, HeaderValue};
use http::uri::{Authority, PathAndQuery, Scheme, Uri};

use crate::http::text::to_latin1;
use crate::http::url;
use crate::http::{Failure, Request};

const HEX: &[u8; 16] = b"0123456789ABCDEF";

pub fn of(request: &Request, cookies: Option<&str>) -> Result<http::Request<()>, Failure> {
    let mut head = http::Request::new(());
    *head.method_mut() = http::Method::from_bytes(request.method.as_str().as_bytes())
        .map_err(|_| Failure::Unsendable(format!("`{}` is no method", request.method.as_str())))?;
    *head.uri_mut() = uri(request)?;
    *head.headers_mut() = headers(request, cookies)?;
    *head.version_mut() = http::Version::HTTP_2;
    Ok(head)
}

fn uri(request: &Request) -> Result<Uri, Failure> {
    let host = request.headers.host().unwrap_or_else(|| request.url.authority_for_host_header());
    let authority = Authority::try_from(host).map_err(|_| Failure::Unsendable(format!("`{host}` is no host")))?;
    let target = request.url.target();
    let target = PathAndQuery::try_from(&*target)
        .or_else(|_| PathAndQuery::try_from(quoted(&target)))
        .map_err(|_| Failure::Unsendable(format!("`{target}` is no path")))?;
    let mut parts = http::uri::Parts::default();
    parts.scheme = Some(match request.url.scheme() {
        url::Scheme::Http | url::Scheme::Unix => Scheme::HTTP,
        url::Scheme::Https => Scheme::HTTPS,
    });
    (parts.authority, parts.path_and_query) = (Some(authority), Some(target));
    Uri::from_parts(parts).map_err(|error| Failure::Unsendable(error.to_string()))
}

/// HTTP/1.1 takes a target as it stands; the types of HTTP/2 take none with bytes that no URL may hold: these are escaped.
fn quoted(target: &str) -> String {
    let mut out = String::with_capacity(target.len() + 16);
    for byte in target.bytes() {
        match byte {
            b'!' | b'$'..=b';' | b'=' | b'?'..=b'[' | b']' | b'_' | b'a'..=b'z' | b'~' => out.push(char::from(byte)),
            _ => out.extend(['%', char::from(HEX[usize::from(byte >> 4)]), char::from(HEX[usize::from(byte & 15)])]),
        }
    }
    out
}

/// The headers of a request, those of its connection and its host left out.
pub fn headers(request: &Request, cookies: Option<&str>) -> Result<HeaderMap, Failure> {
    let mut headers = HeaderMap::with_capacity(12);
    for (name, value) in request.headers.pairs() {
        if is_left_out(name, value) {
            continue;
        }
        let unsendable =
            || Failure::Unsendable(format!("the header `{}` cannot be sent", String::from_utf8_lossy(name)));
        let name = HeaderName::from_bytes(name).map_err(|_| unsendable())?;
        headers.append(name, HeaderValue::from_bytes(value).map_err(|_| unsendable())?);
    }
    if let Some(cookies) = cookies {
        let bytes = to_latin1(cookies);
        let bytes = bytes.as_deref().unwrap_or(cookies.as_bytes());
        let value = HeaderValue::from_bytes(bytes);
        headers.insert(COOKIE, value.map_err(|_| Failure::Unsendable("the cookies cannot be sent".to_owned()))?);
    }
    Ok(headers)
}

/// What belongs to a connection of HTTP/1.1, and the host, which is a pseudo-header.
fn is_left_out(name: &[u8], value: &[u8]) -> bool {
    const LEFT_OUT: [&[u8]; 6] =
        [b"connection", b"host", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade"];
    LEFT_OUT.into_iter().any(|own| own.eq_ignore_ascii_case(name))
        || (name.eq_ignore_ascii_case(b"te") && !value.eq_ignore_ascii_case(b"trailers"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_url_is_escaped() {
        assert_eq!(quoted("/a b?c=\"<ü>\"&d=%41[]^`{|}"), "/a%20b?c=%22%3C%C3%BC%3E%22&d=%41[]%5E%60%7B%7C%7D");
    }

    #[test]
    fn headers_of_a_connection_are_left_out() {
        assert!(is_left_out(b"Connection", b"close") && is_left_out(b"HOST", b"a") && is_left_out(b"te", b"gzip"));
        assert!(!is_left_out(b"TE", b"trailers") && !is_left_out(b"Accept", b"*/*"));
    }
}
