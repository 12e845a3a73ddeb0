//! The head of a response: what of it decides how the rest is read.

use std::mem::MaybeUninit;

use crate::http::Failure;
use crate::http::response::MAX_HEADERS;

/// Status line and headers together, bytes. http.client allows 64 KiB for each line.
pub const MAX_HEAD: usize = 256 * 1024;

/// How the end of the body is found (RFC 9112, 6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    None,
    Length(u64),
    Chunked,
    UntilClose,
}

#[derive(Debug)]
pub struct Head {
    pub status: u16,
    /// Bytes up to and including the empty line.
    pub length: usize,
    pub framing: Framing,
    pub keep_alive: bool,
    /// What undoes the body's coding, where it has one.
    pub content_encoding: Option<Box<str>>,
    pub has_cookies: bool,
}

#[derive(Default)]
struct Fields {
    length: Option<u64>,
    chunked: bool,
    other_coding: bool,
    close: bool,
    keep_alive: bool,
    content_encoding: Option<Box<str>>,
    has_cookies: bool,
}

impl Head {
    /// `None` while the head is incomplete. Heads of interim responses (1xx) come out like any other.
    pub fn parse(bytes: &[u8], head_only: bool) -> Result<Option<Self>, Failure> {
        if matches!(bytes.first(), Some(b'\r' | b'\n')) {
            // httparse skips empty lines before the status line; RFC 9112, 2.2 has only servers do so.
            return Err(Failure::Protocol("it begins with an empty line"));
        }
        let mut headers = [const { MaybeUninit::uninit() }; MAX_HEADERS];
        let mut parsed = httparse::Response::new(&mut []);
        let config = httparse::ParserConfig::default();
        let length = match config.parse_response_with_uninit_headers(&mut parsed, bytes, &mut headers) {
            Ok(httparse::Status::Complete(length)) if length <= MAX_HEAD => length,
            Ok(httparse::Status::Partial) if bytes.len() <= MAX_HEAD => return Ok(None),
            Ok(_) => return Err(Failure::Protocol("the head is too long")),
            Err(error) => return Err(Failure::Protocol(describe(error))),
        };
        let status = parsed.code.ok_or(Failure::Protocol("no status code"))?;
        let http11 = parsed.version == Some(1);
        let mut fields = Fields::default();
        for header in parsed.headers.iter() {
            fields.read(header.name, header.value)?;
        }
        Self::new(status, http11, length, fields, head_only).map(Some)
    }

    fn new(status: u16, http11: bool, length: usize, fields: Fields, head_only: bool) -> Result<Self, Failure> {
        match status {
            ..=99 => return Err(Failure::Protocol("its status code is below 100")),
            101 => return Err(Failure::Protocol("it switches to another protocol")),
            _ => {}
        }
        let framing = fields.framing(status, http11, head_only)?;
        let persistent = if http11 { !fields.close } else { fields.keep_alive && !fields.close };
        Ok(Self {
            status,
            length,
            framing,
            keep_alive: persistent && framing != Framing::UntilClose,
            content_encoding: fields.content_encoding,
            has_cookies: fields.has_cookies,
        })
    }

    /// Where the response ends, if it does so within the first `available` bytes and needs no decoding of chunks.
    pub fn end_within(&self, available: usize) -> Option<usize> {
        let body = match self.framing {
            Framing::None => 0,
            Framing::Length(length) => usize::try_from(length).ok()?,
            Framing::Chunked | Framing::UntilClose => return None,
        };
        let end = self.length.checked_add(body)?;
        (end <= available).then_some(end)
    }
}

impl Fields {
    fn read(&mut self, name: &str, value: &[u8]) -> Result<(), Failure> {
        // By length first: most headers are none of these.
        match name.len() {
            10 if name.eq_ignore_ascii_case("connection") => {
                for token in tokens(value) {
                    self.close |= token.eq_ignore_ascii_case(b"close");
                    self.keep_alive |= token.eq_ignore_ascii_case(b"keep-alive");
                }
            }
            10 if name.eq_ignore_ascii_case("set-cookie") => self.has_cookies = true,
            14 if name.eq_ignore_ascii_case("content-length") => self.read_length(value)?,
            16 if name.eq_ignore_ascii_case("content-encoding") => self.read_encoding(value),
            17 if name.eq_ignore_ascii_case("transfer-encoding") => self.read_coding(value)?,
            _ => {}
        }
        Ok(())
    }

    /// A list is taken only if it repeats one number (RFC 9112, 6.3).
    fn read_length(&mut self, value: &[u8]) -> Result<(), Failure> {
        for text in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
            let length = parse_decimal(text).ok_or(Failure::Protocol("its content-length is no number"))?;
            if self.length.is_some_and(|other| other != length) {
                return Err(Failure::Protocol("two content-lengths contradict each other"));
            }
            self.length = Some(length);
        }
        Ok(())
    }

    /// `chunked` must come last and once; other transfer codings are not implemented by anyone who serves browsers.
    fn read_coding(&mut self, value: &[u8]) -> Result<(), Failure> {
        for token in value.split(|b| *b == b',').map(<[u8]>::trim_ascii) {
            if self.chunked {
                // Be it an empty one: RFC 9110, 5.6.1 has us pass over it, hyper and http.client see no chunks then.
                return Err(Failure::Protocol("a transfer coding after chunked"));
            }
            if token.eq_ignore_ascii_case(b"chunked") {
                self.chunked = true;
            } else if !token.is_empty() && !token.eq_ignore_ascii_case(b"identity") {
                self.other_coding = true;
            }
        }
        Ok(())
    }

    fn read_encoding(&mut self, value: &[u8]) {
        let text = String::from_utf8_lossy(value);
        let text = text.trim();
        if text.is_empty() || text.eq_ignore_ascii_case("identity") {
            return;
        }
        self.content_encoding = Some(match self.content_encoding.take() {
            Some(before) => format!("{before}, {text}").into(),
            None => text.into(),
        });
    }

    fn framing(&self, status: u16, http11: bool, head_only: bool) -> Result<Framing, Failure> {
        if head_only || status < 200 || matches!(status, 204 | 304) {
            return Ok(Framing::None);
        }
        if self.chunked || self.other_coding {
            return match self {
                Self { length: Some(_), .. } => Err(Failure::Protocol("both content-length and transfer-encoding")),
                Self { other_coding: true, .. } => Err(Failure::Protocol("an unknown transfer coding")),
                _ if !http11 => Err(Failure::Protocol("a transfer coding in HTTP/1.0")),
                _ => Ok(Framing::Chunked),
            };
        }
        Ok(self.length.map_or(Framing::UntilClose, Framing::Length))
    }
}

fn tokens(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    value.split(|b| *b == b',').map(<[u8]>::trim_ascii).filter(|token| !token.is_empty())
}

/// Digits only: no sign, no space, no overflow.
fn parse_decimal(text: &[u8]) -> Option<u64> {
    if text.is_empty() {
        return None;
    }
    text.iter().try_fold(0u64, |number, byte| {
        let digit = byte.is_ascii_digit().then(|| u64::from(byte - b'0'))?;
        number.checked_mul(10)?.checked_add(digit)
    })
}

fn describe(error: httparse::Error) -> &'static str {
    match error {
        httparse::Error::HeaderName => "a header name is malformed",
        httparse::Error::HeaderValue => "a header value is malformed",
        httparse::Error::NewLine => "a line end is malformed",
        httparse::Error::Status => "the status line is malformed",
        httparse::Error::TooManyHeaders => "it has more than 100 headers",
        httparse::Error::Token => "a token is malformed",
        httparse::Error::Version => "it does not begin with an HTTP version",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn framing(headers: &str) -> Result<Framing, String> {
        let text = format!("HTTP/1.1 200 OK\r\n{headers}\r\n\r\n");
        Head::parse(text.as_bytes(), false).map(|head| head.expect("complete").framing).map_err(|f| f.to_string())
    }

    #[test]
    fn lengths_that_agree_are_one_and_lengths_that_do_not_are_refused() {
        assert_eq!(framing("Content-Length: 5"), Ok(Framing::Length(5)));
        assert_eq!(framing("Content-Length: 5\r\nContent-Length: 5"), Ok(Framing::Length(5)));
        assert_eq!(framing("Content-Length: 5, 5"), Ok(Framing::Length(5)));
        assert!(framing("Content-Length: 5\r\nContent-Length: 6").is_err());
        for bad in ["", "5,", ",5", "5,,5", "+5", "-1", "5 5", "0x5", "99999999999999999999999"] {
            assert!(framing(&format!("Content-Length: {bad}")).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_transfer_coding_is_chunked_once_last_and_alone() {
        assert_eq!(framing("Transfer-Encoding: chunked"), Ok(Framing::Chunked));
        assert_eq!(framing("transfer-encoding: identity, Chunked"), Ok(Framing::Chunked));
        for bad in ["chunked, gzip", "chunked,", "gzip, chunked", "chunked, chunked", "xyz"] {
            assert!(framing(&format!("Transfer-Encoding: {bad}")).is_err(), "{bad:?}");
        }
        assert!(framing("Transfer-Encoding: chunked\r\nContent-Length: 5").is_err());
    }

    #[test]
    fn what_has_no_body_needs_no_length() {
        for status in [204, 304] {
            let text = format!("HTTP/1.1 {status} x\r\nContent-Length: 7\r\n\r\n");
            assert_eq!(Head::parse(text.as_bytes(), false).unwrap().unwrap().framing, Framing::None);
        }
        let text = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
        assert_eq!(Head::parse(text, true).unwrap().unwrap().framing, Framing::None);
    }

    #[test]
    fn connections_persist_as_the_version_has_it() {
        let keep = |head: &str| Head::parse(head.as_bytes(), false).unwrap().unwrap().keep_alive;
        assert!(keep("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"));
        assert!(!keep("HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: Close\r\n\r\n"));
        assert!(!keep("HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n"));
        assert!(keep("HTTP/1.0 200 OK\r\nContent-Length: 0\r\nConnection: keep-alive\r\n\r\n"));
        assert!(!keep("HTTP/1.1 200 OK\r\n\r\n"));
    }
}
