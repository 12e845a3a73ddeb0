//! What a route answers, down to the bytes and the moments: a first piece, further steps, and what becomes of the connection.
//!
//! A well-behaved answer is one piece and costs one write and no allocation: the buffer is the connection's. Routes that
//! misbehave write their bytes themselves ([`Reply::raw`]) and add [`Step`]s; the connection does as it is told.

use std::io::Write;
use std::time::{Duration, Instant};

use super::request::Request;

/// Bodies up to this size go out with their head in one write.
const IN_ONE_PIECE: usize = 32 * 1024;

/// What to do after the first piece.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    Send(Vec<u8>),
    /// So many bytes of the pattern that [`fill`] repeats.
    Fill(u64),
    Wait(Duration),
    /// Send this so many times.
    Times(usize, Vec<u8>),
    /// Send this again and again until the client goes away.
    Repeat(Vec<u8>),
    /// Write this to the socket beneath TLS.
    Below(Vec<u8>),
}

/// What becomes of the connection after the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum End {
    #[default]
    KeepAlive,
    /// An orderly end, with TLS's own farewell.
    Close,
    /// The socket is closed and nothing is said.
    Drop,
    /// TCP's RST.
    Reset,
}

/// An answer in the making.
#[derive(Default)]
pub struct Reply {
    /// Say nothing before this moment.
    pub not_before: Option<Instant>,
    pub out: Vec<u8>,
    pub then: Vec<Step>,
    pub end: End,
    /// `None` where this is no answer: the request then counts as cut.
    pub status: Option<u16>,
    head_only: bool,
    version: u8,
}

impl Reply {
    /// Forget the previous answer.
    pub fn begin(&mut self, request: &Request<'_>) {
        self.not_before = None;
        self.out.clear();
        self.out.shrink_to(2 * IN_ONE_PIECE);
        self.then.clear();
        self.end = if request.keeps_alive() { End::KeepAlive } else { End::Close };
        self.status = None;
        self.head_only = request.method == "HEAD";
        self.version = request.version;
    }

    /// The status line and the headers that every answer has.
    pub fn start(&mut self, status: u16) -> &mut Self {
        self.status = Some(status);
        self.out.extend_from_slice(b"HTTP/1.1 ");
        self.append_number(status.into());
        self.out.push(b' ');
        self.out.extend_from_slice(reason(status).as_bytes());
        self.out.extend_from_slice(b"\r\nserver: gregaria-target\r\n");
        match (self.end, self.version) {
            (End::Close, _) => self.header("connection", "close"),
            (_, 0) => self.header("connection", "keep-alive"),
            _ => self,
        }
    }

    pub fn header(&mut self, name: &str, value: &str) -> &mut Self {
        for part in [name, ": ", value, "\r\n"] {
            self.out.extend_from_slice(part.as_bytes());
        }
        self
    }

    /// The end of the head, and the body.
    pub fn body(&mut self, body: &[u8]) {
        self.length(body.len() as u64);
        if !self.head_only && self.has_body() {
            self.out.extend_from_slice(body);
        }
    }

    /// The end of the head, and a body of any size.
    pub fn fill(&mut self, length: u64) {
        self.length(length);
        if self.head_only {
            return;
        }
        if length <= IN_ONE_PIECE as u64 {
            pattern(0, length).for_each(|piece| self.out.extend_from_slice(piece));
        } else {
            self.then.push(Step::Fill(length));
        }
    }

    /// Bytes of the answer's body, or of no answer at all, as they are.
    pub fn raw(&mut self, bytes: impl AsRef<[u8]>) -> &mut Self {
        match self.then.last_mut() {
            None => self.out.extend_from_slice(bytes.as_ref()),
            Some(Step::Send(last)) => last.extend_from_slice(bytes.as_ref()),
            Some(_) => self.then.push(Step::Send(bytes.as_ref().to_vec())),
        }
        self
    }

    pub fn wait(&mut self, pause: Duration) -> &mut Self {
        self.then.push(Step::Wait(pause));
        self
    }

    /// From here on only body: whether the client wants one.
    pub fn wants_body(&self) -> bool {
        !self.head_only
    }

    /// This is no proper answer.
    pub fn cut(&mut self, end: End) {
        self.status = None;
        self.end = end;
    }

    pub fn json(&mut self, status: u16, body: impl AsRef<[u8]>) {
        self.start(status).header("content-type", "application/json").body(body.as_ref());
    }

    pub fn text(&mut self, status: u16, body: &str) {
        self.start(status).header("content-type", "text/plain; charset=utf-8").body(body.as_bytes());
    }

    fn length(&mut self, length: u64) {
        if self.has_body() {
            self.out.extend_from_slice(b"content-length: ");
            self.append_number(length);
            self.out.extend_from_slice(b"\r\n");
        }
        self.out.extend_from_slice(b"\r\n");
    }

    fn has_body(&self) -> bool {
        !matches!(self.status, Some(204 | 304))
    }

    fn append_number(&mut self, number: u64) {
        let mut digits = itoa::Buffer::new();
        self.out.extend_from_slice(digits.format(number).as_bytes());
    }
}

/// The pattern that fills bodies: the byte at position `p` is the same in every body, so a lost piece is noticed.
const PATTERN: &[u8; 64] = b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-\n";
static BLOCK: [u8; 16 * 1024] = block();

const fn block() -> [u8; 16 * 1024] {
    let mut block = [0; 16 * 1024];
    let mut i = 0;
    while i < block.len() {
        block[i] = PATTERN[i % PATTERN.len()];
        i += 1;
    }
    block
}

/// `length` bytes of the pattern from position `from` on, in pieces.
pub fn pattern(from: u64, length: u64) -> impl Iterator<Item = &'static [u8]> {
    let mut at = (from % PATTERN.len() as u64) as usize;
    let mut left = length;
    std::iter::from_fn(move || {
        let size = left.min((BLOCK.len() - at) as u64);
        let piece = &BLOCK[at..][..size as usize];
        left -= size;
        at = 0;
        (size > 0).then_some(piece)
    })
}

/// One chunk of a chunked body.
pub fn write_chunk(out: &mut Vec<u8>, data: impl Iterator<Item = &'static [u8]>, size: u64) {
    let _ = write!(out, "{size:x}\r\n"); // a Vec takes everything
    data.for_each(|piece| out.extend_from_slice(piece));
    out.extend_from_slice(b"\r\n");
}

fn reason(status: u16) -> &'static str {
    match status {
        100 => "Continue",
        200 => "OK",
        201 => "Created",
        202 => "Accepted",
        204 => "No Content",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        303 => "See Other",
        304 => "Not Modified",
        307 => "Temporary Redirect",
        308 => "Permanent Redirect",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        410 => "Gone",
        413 => "Content Too Large",
        418 => "I'm a Teapot",
        422 => "Unprocessable Content",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        501 => "Not Implemented",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Unnamed",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pattern_is_the_same_at_every_position() {
        let all: Vec<u8> = pattern(0, 200_000).flatten().copied().collect();
        let tail: Vec<u8> = pattern(70_001, 129_999).flatten().copied().collect();
        assert_eq!(all.len(), 200_000);
        assert_eq!(all[70_001..], tail);
    }
}
