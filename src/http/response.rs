//! A response as it came off the wire: raw head, decoded body, nothing parsed that nobody asked for.

use std::mem::MaybeUninit;
use std::sync::Arc;

use super::stream::Reading;

/// At most this many header lines, as much as Python's http.client takes.
pub const MAX_HEADERS: usize = 100;

#[derive(Debug, Default)]
pub struct Response {
    pub status: u16,
    /// Status line and headers up to and including the empty line, then (unless `decoded` is set) the body: one
    /// allocation for the whole of an ordinary response.
    raw: Box<[u8]>,
    head_length: u32,
    /// The body where it is not the tail of `raw`: it came in chunks, or its content encoding was undone.
    body: Option<Box<[u8]>>,
    /// Bytes read off the connection for this response.
    pub wire_length: u64,
    pub has_cookies: bool,
    /// The body, where it is handed on as it arrives, as the server coded it; `body` is empty then.
    pub stream: Option<Arc<Reading>>,
}

impl Response {
    /// From head and body in one piece.
    pub fn whole(status: u16, raw: Box<[u8]>, head_length: usize) -> Self {
        let wire_length = raw.len() as u64;
        Self { status, raw, head_length: head_length as u32, body: None, wire_length, has_cookies: false, stream: None }
    }

    /// From a head and the body that was not sent in one piece with it.
    pub fn in_two(status: u16, head: Box<[u8]>, body: Box<[u8]>) -> Self {
        let (wire_length, head_length) = ((head.len() + body.len()) as u64, head.len() as u32);
        Self { status, raw: head, head_length, body: Some(body), wire_length, has_cookies: false, stream: None }
    }

    pub fn set_body(&mut self, body: Box<[u8]>) {
        self.raw = Box::from(self.head());
        self.body = Some(body);
    }

    pub fn head(&self) -> &[u8] {
        &self.raw[..self.head_length as usize]
    }

    /// The body, content encodings undone.
    pub fn body(&self) -> &[u8] {
        self.body.as_deref().unwrap_or(&self.raw[self.head_length as usize..])
    }

    /// Header lines in the order received.
    pub fn headers(&self) -> Vec<(&str, &[u8])> {
        if self.version() == 20 {
            return self.http2_headers();
        }
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut []);
        match httparse::ParserConfig::default().parse_response_with_uninit_headers(
            &mut parsed,
            self.head(),
            &mut headers,
        ) {
            Ok(_) => parsed.headers.iter().map(|h| (h.name, h.value)).collect(),
            Err(_) => Vec::new(),
        }
    }

    /// httparse knows no status line of HTTP/2, so the lines behind it are parsed alone.
    fn http2_headers(&self) -> Vec<(&str, &[u8])> {
        let head = self.head();
        let lines = memchr::memchr(b'\n', head).map_or(&[][..], |end| &head[end + 1..]);
        let mut headers = [httparse::EMPTY_HEADER; MAX_HEADERS];
        match httparse::parse_headers(lines, &mut headers) {
            Ok(httparse::Status::Complete((_, headers))) => headers.iter().map(|h| (h.name, h.value)).collect(),
            _ => Vec::new(),
        }
    }

    /// The first header of that name (any case).
    pub fn header(&self, name: &str) -> Option<&[u8]> {
        self.headers().into_iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The words behind the status code.
    pub fn reason(&self) -> &[u8] {
        let line = self.head().split(|b| *b == b'\r' || *b == b'\n').next().unwrap_or_default();
        line.splitn(3, |b| *b == b' ').nth(2).unwrap_or_default().trim_ascii()
    }

    /// `10`, `11` or `20`, as http.client and urllib3 have it.
    pub fn version(&self) -> u8 {
        match self.head() {
            head if head.starts_with(b"HTTP/1.0") => 10,
            head if head.starts_with(b"HTTP/2") => 20,
            _ => 11,
        }
    }
}
