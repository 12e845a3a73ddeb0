//! Requests as they arrive: heads by httparse, where the body ends, and what a route wants to know.
//!
//! Nothing here reads from a socket: the connection hands over the bytes it has and is told whether they suffice.

use std::borrow::Cow;
use std::mem::MaybeUninit;
use std::str::FromStr;

use percent_encoding::percent_decode_str;

use super::routes::Refusal;

pub const MOST_HEADERS: usize = 128;
pub const LONGEST_HEAD: usize = 64 * 1024;
pub const LONGEST_BODY: usize = 256 * 1024 * 1024;

/// Why what arrived is no request; the connection answers with the status and closes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Malformed {
    pub status: u16,
    pub message: &'static str,
}

/// How the request's body is delimited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    Length(usize),
    Chunked,
}

/// One request: a view into the connection's buffer.
pub struct Request<'b> {
    pub method: &'b str,
    /// Path and query as sent.
    pub target: &'b str,
    pub path: &'b str,
    pub query: &'b str,
    /// The minor version: 0 or 1. Or 2, which is HTTP/2.
    pub version: u8,
    headers: &'b [httparse::Header<'b>],
    pub body: &'b [u8],
    /// The connection's number, counted from 1.
    pub connection: u64,
    pub tls: bool,
}

/// Give the head at the start of `input`, and its length, to `look`; `None` while it is incomplete.
pub fn with_head<R>(input: &[u8], look: impl FnOnce(Request<'_>, usize) -> R) -> Result<Option<R>, Malformed> {
    let mut headers = [const { MaybeUninit::uninit() }; MOST_HEADERS];
    let mut head = httparse::Request::new(&mut []);
    let length = match head.parse_with_uninit_headers(input, &mut headers) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) if input.len() < LONGEST_HEAD => return Ok(None),
        Ok(httparse::Status::Partial) | Err(httparse::Error::TooManyHeaders) => {
            return Err(Malformed { status: 431, message: "the request's head is too large" });
        }
        Err(_) => return Err(Malformed { status: 400, message: "this is no HTTP/1.x request" }),
    };
    let target = origin_form(head.path.unwrap_or("/"));
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let request = Request {
        method: head.method.unwrap_or_default(),
        target,
        path,
        query,
        version: head.version.unwrap_or(1),
        headers: head.headers,
        body: &[],
        connection: 0,
        tls: false,
    };
    Ok(Some(look(request, length)))
}

/// `http://host/path`, as proxies are asked, is `/path`.
fn origin_form(target: &str) -> &str {
    if target.starts_with('/') {
        return target;
    }
    let rest = target.split_once("://").map_or(target, |(_, rest)| rest);
    rest.find('/').map_or("/", |start| &rest[start..])
}

impl<'b> Request<'b> {
    /// The same request with what the head does not say.
    pub fn on_connection<'a>(self, body: &'a [u8], connection: u64, tls: bool) -> Request<'a>
    where
        'b: 'a,
    {
        Request { body, connection, tls, ..self }
    }

    pub fn headers(&self) -> impl Iterator<Item = (&'b str, Cow<'b, str>)> {
        self.headers.iter().map(|header| (header.name, String::from_utf8_lossy(header.value)))
    }

    /// The header's first value.
    pub fn header(&self, name: &str) -> Option<&'b str> {
        let found = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(found.value).ok().map(str::trim)
    }

    /// Whether the client lets the connection stay open.
    pub fn keeps_alive(&self) -> bool {
        let says = |word: &str| self.header("connection").is_some_and(|value| has_word(value, word));
        if self.version == 0 { says("keep-alive") } else { !says("close") }
    }

    pub fn expects_continue(&self) -> bool {
        self.header("expect").is_some_and(|value| value.eq_ignore_ascii_case("100-continue"))
    }

    /// Where the body ends; whatever could be read in two ways is refused.
    pub fn framing(&self) -> Result<Framing, Malformed> {
        let mut lengths = self.headers.iter().filter(|header| header.name.eq_ignore_ascii_case("content-length"));
        let length = lengths.next().map(|header| header.value);
        if lengths.any(|other| Some(other.value) != length) {
            return Err(Malformed { status: 400, message: "two different content lengths" });
        }
        match (self.header("transfer-encoding"), length) {
            (None, None) => Ok(Framing::Length(0)),
            (None, Some(length)) => parse_length(length),
            (Some(_), Some(_)) => Err(Malformed { status: 400, message: "a content length and a transfer encoding" }),
            (Some(coding), None) if coding.eq_ignore_ascii_case("chunked") => Ok(Framing::Chunked),
            (Some(_), None) => Err(Malformed { status: 501, message: "only the transfer encoding `chunked` is known" }),
        }
    }

    /// The value of the query's parameter `name`, decoded.
    pub fn parameter(&self, name: &str) -> Option<Cow<'b, str>> {
        self.parameters().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    pub fn parameters(&self) -> impl Iterator<Item = (Cow<'b, str>, Cow<'b, str>)> {
        url::form_urlencoded::parse(self.query.as_bytes())
    }

    /// The query's parameter `name` as a number, or `default` where it is not given.
    pub fn number<T: FromStr>(&self, name: &str, default: T) -> Result<T, Refusal> {
        self.parameter(name).map_or(Ok(default), |value| number(name, &value))
    }
}

/// A number out of a path or a query.
pub fn number<T: FromStr>(name: &str, value: &str) -> Result<T, Refusal> {
    value.parse().map_err(|_| Refusal::new(400, format!("`{name}` cannot be `{value}`")))
}

/// A path segment without its percent signs.
pub fn decoded(segment: &str) -> Cow<'_, str> {
    percent_decode_str(segment).decode_utf8_lossy()
}

fn has_word(list: &str, word: &str) -> bool {
    list.split(',').any(|entry| entry.trim().eq_ignore_ascii_case(word))
}

fn parse_length(value: &[u8]) -> Result<Framing, Malformed> {
    let digits = value.trim_ascii();
    let length = digits.iter().try_fold(0_usize, |sum, byte| {
        let digit = byte.is_ascii_digit().then(|| usize::from(byte - b'0'))?;
        sum.checked_mul(10)?.checked_add(digit)
    });
    match length.filter(|_| !digits.is_empty()) {
        None => Err(Malformed { status: 400, message: "the content length is no number" }),
        Some(length) if length > LONGEST_BODY => Err(Malformed { status: 413, message: "the body is too large" }),
        Some(length) => Ok(Framing::Length(length)),
    }
}

/// A chunked body on its way in: how far it has been read.
#[derive(Debug, Default)]
pub struct Chunks {
    position: usize,
    in_trailers: bool,
}

impl Chunks {
    /// Take every chunk that is whole in `input`. At the body's end gives the length of all of it, framing included.
    pub fn take(&mut self, input: &[u8], body: &mut Vec<u8>) -> Result<Option<usize>, Malformed> {
        while !self.in_trailers {
            let rest = &input[self.position..];
            let Some((line, size)) = chunk_size(rest)? else { return Ok(None) };
            if body.len() + size > LONGEST_BODY {
                return Err(Malformed { status: 413, message: "the body is too large" });
            }
            if size == 0 {
                self.position += line;
                self.in_trailers = true;
            } else if rest.len() < line + size + 2 {
                return Ok(None);
            } else if &rest[line + size..line + size + 2] == b"\r\n" {
                body.extend_from_slice(&rest[line..line + size]);
                self.position += line + size + 2;
            } else {
                return Err(Malformed { status: 400, message: "a chunk is longer than its size" });
            }
        }
        self.take_trailers(input)
    }

    fn take_trailers(&mut self, input: &[u8]) -> Result<Option<usize>, Malformed> {
        let rest = &input[self.position..];
        let mut trailers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        match httparse::parse_headers(rest, &mut trailers) {
            Ok(httparse::Status::Complete((length, _))) => Ok(Some(self.position + length)),
            Ok(httparse::Status::Partial) if rest.len() < LONGEST_HEAD => Ok(None),
            Ok(httparse::Status::Partial) => Err(Malformed { status: 431, message: "the trailers are too large" }),
            Err(_) => Err(Malformed { status: 400, message: "the trailers are malformed" }),
        }
    }
}

fn chunk_size(input: &[u8]) -> Result<Option<(usize, usize)>, Malformed> {
    match httparse::parse_chunk_size(input) {
        Ok(httparse::Status::Partial) => Ok(None),
        Ok(httparse::Status::Complete((line, size))) => {
            Ok(Some((line, usize::try_from(size).unwrap_or(usize::MAX / 2))))
        }
        Err(_) => Err(Malformed { status: 400, message: "a chunk's size is no number" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn framing(head: &str) -> Result<Framing, Malformed> {
        with_head(head.as_bytes(), |request, _| request.framing()).unwrap().unwrap()
    }

    #[test]
    fn ambiguous_bodies_are_refused() {
        for head in [
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
            "POST / HTTP/1.1\r\nContent-Length:\r\n\r\n",
        ] {
            assert_eq!(framing(head).unwrap_err().status, 400, "{head}");
        }
        assert_eq!(framing("GET / HTTP/1.1\r\n\r\n"), Ok(Framing::Length(0)));
        assert_eq!(framing("POST / HTTP/1.1\r\nTransfer-Encoding: Chunked\r\n\r\n"), Ok(Framing::Chunked));
    }

    #[test]
    fn an_absolute_target_is_its_path() {
        assert_eq!(origin_form("http://host:80/a?b=/c"), "/a?b=/c");
        assert_eq!(origin_form("http://host"), "/");
        assert_eq!(origin_form("*"), "/");
    }

    #[test]
    fn parameters_are_decoded() {
        let (text, count, wrong) = with_head(b"GET /x?q=a%20b+c&n=5&w=z HTTP/1.1\r\n\r\n", |request, _| {
            let text = request.parameter("q").unwrap().into_owned();
            (text, request.number("n", 0_u32).ok(), request.number("w", 0_u32).is_err())
        })
        .unwrap()
        .unwrap();
        assert_eq!((text.as_str(), count, wrong), ("a b c", Some(5), true));
    }

    proptest! {
        #[test]
        fn chunked_bodies_come_out_whole_however_they_come_in(
            chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..50), 0..8),
            step in 1..40usize,
        ) {
            let mut wire = Vec::new();
            for chunk in &chunks {
                wire.extend_from_slice(format!("{:X};note\r\n", chunk.len()).as_bytes());
                wire.extend_from_slice(chunk);
                wire.extend_from_slice(b"\r\n");
            }
            wire.extend_from_slice(b"0\r\nx-trailer: 1\r\n\r\n");
            let end = wire.len();
            wire.extend_from_slice(b"GET / HTTP/1.1");
            let (mut state, mut body, mut known) = (Chunks::default(), Vec::new(), 0);
            let taken = loop {
                known = (known + step).min(wire.len());
                if let Some(taken) = state.take(&wire[..known], &mut body).unwrap() { break taken; }
                prop_assert!(known < wire.len());
            };
            prop_assert_eq!(taken, end);
            prop_assert_eq!(body, chunks.concat());
        }

        #[test]
        fn no_bytes_make_the_parsers_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = with_head(&bytes, |request, _| request.framing());
            let _ = Chunks::default().take(&bytes, &mut Vec::new());
        }
    }
}
