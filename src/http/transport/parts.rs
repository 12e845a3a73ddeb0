//! Responses that a library has read and taken apart, as the rest of the engine knows them: a raw head, then the body.

use http::header::{CONTENT_ENCODING, CONTENT_LENGTH, LOCATION, SET_COOKIE};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::head::MAX_HEAD;
use crate::http::redirect::is_redirect;
use crate::http::response::MAX_HEADERS;
use crate::http::{Failure, Request, Response};

const MAX_BODY: usize = 2 << 30;
/// A declared length is believed only so far: memory is taken as bytes arrive.
const MAX_RESERVE: u64 = 1 << 20;

/// A response in the making: its head as it would have been written, and what has arrived of the body behind it.
pub struct Collected {
    status: u16,
    raw: Vec<u8>,
    head_length: usize,
    /// What the head says of the body's length.
    declared: Option<u64>,
    content_encoding: Option<Box<str>>,
    has_cookies: bool,
    redirects: bool,
}

impl Collected {
    /// `version` as the status line has it: `HTTP/2`.
    pub fn new(version: &str, status: StatusCode, reason: &[u8], headers: &HeaderMap) -> Result<Self, Failure> {
        if headers.len() > MAX_HEADERS {
            return Err(Failure::Protocol("too many headers"));
        }
        let mut head = Vec::with_capacity(64 + headers.len() * 48);
        for part in [version.as_bytes(), b" ", status.as_str().as_bytes(), b" ", reason, b"\r\n"] {
            head.extend_from_slice(part);
        }
        for (name, value) in headers {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                head.extend_from_slice(part);
            }
        }
        head.extend_from_slice(b"\r\n");
        if head.len() > MAX_HEAD {
            return Err(Failure::Protocol("the head is too long"));
        }
        let declared = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok()?.parse().ok());
        Ok(Self {
            status: status.as_u16(),
            head_length: head.len(),
            raw: head,
            declared,
            content_encoding: content_encoding(headers),
            has_cookies: headers.contains_key(SET_COOKIE),
            redirects: is_redirect(status.as_u16(), headers.get(LOCATION).map(HeaderValue::as_bytes)),
        })
    }

    /// Add a piece of the body.
    pub fn push(&mut self, bytes: &[u8]) -> Result<(), Failure> {
        let received = self.raw.len() - self.head_length;
        if received == 0 {
            let expected = self.declared.unwrap_or(0).min(MAX_RESERVE) as usize;
            self.raw.reserve_exact(expected.max(bytes.len()));
        }
        if received + bytes.len() > MAX_BODY {
            return Err(Failure::Protocol("the body is too long"));
        }
        self.raw.extend_from_slice(bytes);
        Ok(())
    }

    /// The connection has ended before the body did.
    pub fn incomplete(&self) -> Failure {
        let received = (self.raw.len() - self.head_length) as u64;
        Failure::Incomplete { received, missing: self.declared.map(|declared| declared.saturating_sub(received)) }
    }

    /// Whether the body is to be handed on as it arrives: not that of a redirect which is followed.
    pub fn is_streamed(&self, request: &Request) -> bool {
        request.stream && !(self.redirects && request.settings.redirects.is_some())
    }

    /// Whether the body lacks something of the length that was declared.
    pub fn is_short(&self) -> bool {
        self.declared.is_some_and(|declared| ((self.raw.len() - self.head_length) as u64) < declared)
    }

    /// The response, and the coding of its body where it has one.
    pub fn finish(self) -> (Response, Option<Box<str>>) {
        let mut response = Response::whole(self.status, self.raw.into_boxed_slice(), self.head_length);
        response.has_cookies = self.has_cookies;
        (response, self.content_encoding)
    }
}

fn content_encoding(headers: &HeaderMap) -> Option<Box<str>> {
    let codings = headers.get_all(CONTENT_ENCODING).iter();
    let codings: Vec<_> = codings.map(|value| String::from_utf8_lossy(value.as_bytes())).collect();
    let is_coding = |text: &str| !text.is_empty() && !text.eq_ignore_ascii_case("identity");
    let codings: Vec<_> = codings.iter().map(|text| text.trim()).filter(|text| is_coding(text)).collect();
    (!codings.is_empty()).then(|| codings.join(", ").into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_response_reads_back_as_one_from_the_wire() {
        let given = headers(&[("content-length", "5"), ("set-cookie", "a=1"), ("x-empty", ""), ("set-cookie", "b=2")]);
        let mut collected = Collected::new("HTTP/2", StatusCode::IM_A_TEAPOT, b"", &given).unwrap();
        collected.push(b"hel").unwrap();
        assert!(collected.is_short());
        assert!(matches!(collected.incomplete(), Failure::Incomplete { received: 3, missing: Some(2) }));
        collected.push(b"lo").unwrap();
        let (response, coding) = collected.finish();
        assert_eq!((response.status, response.body(), coding), (418, &b"hello"[..], None));
        assert_eq!((response.version(), response.reason(), response.has_cookies), (20, &b""[..], true));
        let cookies: Vec<_> = response.headers().into_iter().filter(|(name, _)| *name == "set-cookie").collect();
        assert_eq!(cookies, [("set-cookie", &b"a=1"[..]), ("set-cookie", b"b=2")]);
        assert_eq!(response.header("X-Empty"), Some(&b""[..]));
    }

    #[test]
    fn codings_of_several_lines_are_one_list() {
        let of = |pairs: &[_]| content_encoding(&headers(pairs));
        assert_eq!(of(&[("content-encoding", "identity")]), None);
        assert_eq!(of(&[("content-encoding", " gzip "), ("content-encoding", "br")]).as_deref(), Some("gzip, br"));
    }

    #[test]
    fn a_head_has_limits() {
        let mut many = HeaderMap::new();
        for _ in 0..=MAX_HEADERS {
            many.append("a", HeaderValue::from_static("b"));
        }
        assert!(Collected::new("HTTP/2", StatusCode::OK, b"", &many).is_err());
        let mut long = HeaderMap::new();
        long.insert("a", HeaderValue::from_maybe_shared(vec![b'x'; MAX_HEAD]).unwrap());
        assert!(Collected::new("HTTP/2", StatusCode::OK, b"", &long).is_err());
    }
}
