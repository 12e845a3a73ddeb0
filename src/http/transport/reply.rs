//! A response, read off an HTTP/1.1 connection piece by piece.
//!
//! Strict where leniency would let a response be read two ways (RFC 9112, 6.3): lengths that contradict each other and
//! a length beside a transfer coding are refused. Everything a server may send has a limit.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::ReadBuf;

use super::chunks::{Chunks, Sink};
use super::head::{Framing, Head, MAX_HEAD};
use super::http1::{Progress, Stream};
use crate::http::io::Thread;
use crate::http::redirect::is_redirect;
use crate::http::stream::{Reading, Stream as Body};
use crate::http::{Failure, Request, Response};

const MAX_BODY: u64 = 2 << 30;
/// A declared length is believed only so far: memory is taken as bytes arrive.
const MAX_RESERVE: u64 = 1 << 20;
/// As many as http.client takes: without an end to them a response would never come.
const MAX_INTERIM: u32 = 100;
/// A head shorter than this is parsed with every piece that arrives.
const SHORT: usize = 16;

/// What one exchange gave, and whether the connection may serve another.
pub struct Exchanged {
    pub response: Response,
    pub content_encoding: Option<Box<str>>,
    pub keep_alive: bool,
    /// What reads the rest of a body that is handed on as it arrives.
    pub rest: Option<(Reply, Arc<Body>)>,
}

/// The response so far. It is taken out of the thread's buffer when it arrives in one piece, and otherwise collected.
pub struct Reply {
    expected: Expected,
    collector: Option<Box<Collector>>,
}

/// What of a response depends on the request.
#[derive(Clone, Copy)]
struct Expected {
    head_only: bool,
    /// The body is handed on as it arrives.
    stream: bool,
    /// But not that of a redirect: it is followed.
    follow: bool,
}

impl Expected {
    fn streams(self, head: &Head, bytes: &[u8]) -> bool {
        let redirects = || {
            let response = Response::whole(head.status, Box::from(&bytes[..head.length]), head.length);
            is_redirect(head.status, response.header("location"))
        };
        self.stream && !(self.follow && redirects())
    }
}

impl Reply {
    pub fn new(head_only: bool) -> Self {
        Self { expected: Expected { head_only, stream: false, follow: false }, collector: None }
    }

    pub fn to(request: &Request) -> Self {
        let head_only = request.method.has_no_response_body();
        let expected = Expected { head_only, stream: request.stream, follow: request.settings.redirects.is_some() };
        Self { expected, collector: None }
    }

    /// The response whose body is handed on as it arrives, when its head is in.
    pub fn begun(&mut self) -> Option<Exchanged> {
        let (response, stream) = self.collector.as_ref()?.begun()?;
        let reply = Self { expected: self.expected, collector: self.collector.take() };
        Some(Exchanged { response, content_encoding: None, keep_alive: false, rest: Some((reply, stream)) })
    }

    /// Whether the head is in and the body is not.
    pub fn is_in_body(&self) -> bool {
        self.collector.as_ref().is_some_and(|collector| collector.head.is_some())
    }

    /// One read. `None`: there is more to come.
    pub fn poll<S: Stream>(
        &mut self,
        stream: &mut S,
        cx: &mut Context<'_>,
        thread: &Thread,
        progress: &mut Progress,
    ) -> Poll<Result<Option<Exchanged>, Failure>> {
        let mut buffer = thread.read_buffer();
        let mut read = ReadBuf::new(&mut buffer);
        match ready!(Pin::new(stream).poll_read(cx, &mut read)) {
            Ok(()) if read.filled().is_empty() => Poll::Ready(self.close().map(Some)),
            Ok(()) => {
                progress.first_byte.get_or_insert_with(Instant::now);
                Poll::Ready(self.feed(read.filled()))
            }
            // A TLS peer that closes without saying so: many do, and Python's clients take it for the end as well.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(self.close().map(Some)),
            Err(error) => Poll::Ready(Err(broken(error))),
        }
    }

    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<Exchanged>, Failure> {
        let fed = match self.collector.take() {
            None => Collector::start(bytes, self.expected)?,
            Some(collector) => collector.feed(bytes)?,
        };
        match fed {
            Fed::Done(exchanged) => Ok(Some(exchanged)),
            Fed::More(collector) => {
                self.collector = Some(collector);
                Ok(None)
            }
        }
    }

    /// The peer has closed its side.
    pub fn close(&mut self) -> Result<Exchanged, Failure> {
        match self.collector.take_if(|collector| collector.ends_with_the_connection()) {
            Some(collector) => Ok(collector.finish()),
            None => Err(self.break_off()),
        }
    }

    /// Why the response is none, now that the connection has ended.
    fn break_off(&self) -> Failure {
        self.collector.as_ref().map_or(Failure::Disconnected, |collector| collector.incomplete())
    }

    /// The response as far as it came, unless its body was handed on.
    pub fn partial(&mut self) -> Option<Response> {
        let collector = self.collector.take_if(|collector| collector.stream.is_none())?;
        Some(collector.finish().response)
    }
}

enum Fed {
    More(Box<Collector>),
    Done(Exchanged),
}

/// A response that comes in pieces.
struct Collector {
    expected: Expected,
    /// Where the body goes when it is handed on as it arrives.
    stream: Option<Arc<Body>>,
    /// Bytes of the body so far, where they are counted.
    received: u64,
    /// Head, and after it a body that has a length or ends with the connection.
    raw: Vec<u8>,
    head: Option<Head>,
    /// Responses before the final one (1xx).
    interim: u32,
    chunks: Chunks,
    /// The body when it comes in chunks.
    unchunked: Vec<u8>,
    wire_length: u64,
    /// Bytes came after the end of the response: nobody asked for them, so the connection is not to be trusted.
    surplus: bool,
}

impl Collector {
    fn start(bytes: &[u8], expected: Expected) -> Result<Fed, Failure> {
        if let Some(head) = Head::parse(bytes, expected.head_only)?
            && head.status >= 200
        {
            return match head.end_within(bytes.len()) {
                Some(end) if !expected.stream => Ok(Fed::Done(whole(head, bytes, end))),
                _ => Self::new(expected).with_head(head, bytes),
            };
        }
        Box::new(Self::new(expected)).feed(bytes)
    }

    fn new(expected: Expected) -> Self {
        Self {
            expected,
            stream: None,
            received: 0,
            raw: Vec::new(),
            head: None,
            interim: 0,
            chunks: Chunks::default(),
            unchunked: Vec::new(),
            wire_length: 0,
            surplus: false,
        }
    }

    fn feed(mut self: Box<Self>, bytes: &[u8]) -> Result<Fed, Failure> {
        let done = if self.head.is_some() { self.feed_body(bytes)? } else { self.feed_head(bytes)? };
        Ok(if done { Fed::Done(self.finish()) } else { Fed::More(self) })
    }

    /// `bytes` is all there is so far, and begins with `head`.
    fn with_head(mut self, head: Head, bytes: &[u8]) -> Result<Fed, Failure> {
        let body = &bytes[head.length..];
        self.take_head(head, bytes)?;
        let done = self.feed_body(body)?;
        Ok(if done { Fed::Done(self.finish()) } else { Fed::More(Box::new(self)) })
    }

    fn feed_head(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        self.raw.extend_from_slice(bytes);
        // Once a line, not once a byte that drips in; the first few tell what is no HTTP at all.
        if self.raw.len() > SHORT && memchr::memchr(b'\n', bytes).is_none() && self.raw.len() <= MAX_HEAD {
            return Ok(false);
        }
        let mut raw = std::mem::take(&mut self.raw);
        let mut at = 0;
        loop {
            let Some(head) = Head::parse(&raw[at..], self.expected.head_only)? else {
                raw.drain(..at);
                self.raw = raw;
                return Ok(false);
            };
            if head.status >= 200 {
                let rest = &raw[at..];
                let body = &rest[head.length..];
                self.take_head(head, rest)?;
                return self.feed_body(body);
            }
            self.interim += 1;
            if self.interim > MAX_INTERIM {
                return Err(Failure::Protocol("too many interim responses"));
            }
            self.wire_length += head.length as u64;
            at += head.length;
        }
    }

    /// `bytes` begins with the final `head`.
    fn take_head(&mut self, head: Head, bytes: &[u8]) -> Result<(), Failure> {
        if self.expected.streams(&head, bytes) {
            self.stream = Some(Arc::default());
        } else {
            self.raw = room_for(&head, bytes.len() - head.length)?;
        }
        self.raw.extend_from_slice(&bytes[..head.length]);
        self.wire_length += head.length as u64;
        self.head = Some(head);
        Ok(())
    }

    /// Whether the response is complete.
    fn feed_body(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        let framing = self.head.as_ref().expect("the head comes before the body").framing;
        let (used, done) = match framing {
            Framing::None => (0, true),
            Framing::Length(length) => {
                let missing = length - self.received;
                let take = (bytes.len() as u64).min(missing) as usize;
                self.keep(&bytes[..take]);
                (take, take as u64 == missing)
            }
            Framing::Chunked => {
                let used = match &self.stream {
                    Some(stream) => self.chunks.decode(bytes, &mut Handed(stream))?,
                    None => self.chunks.decode(bytes, &mut self.unchunked)?,
                };
                if self.unchunked.len() as u64 > MAX_BODY {
                    return Err(BODY_TOO_LONG);
                }
                (used, self.chunks.is_done())
            }
            Framing::UntilClose => {
                self.keep(bytes);
                if self.stream.is_none() && self.received > MAX_BODY {
                    return Err(BODY_TOO_LONG);
                }
                (bytes.len(), false)
            }
        };
        self.wire_length += used as u64;
        self.surplus = used < bytes.len();
        Ok(done)
    }

    fn keep(&mut self, bytes: &[u8]) {
        self.received += bytes.len() as u64;
        match &self.stream {
            Some(stream) => stream.push(bytes),
            None => self.raw.extend_from_slice(bytes),
        }
    }

    /// The response without its body, when that is handed on as it arrives.
    fn begun(&self) -> Option<(Response, Arc<Body>)> {
        let (head, stream) = (self.head.as_ref()?, self.stream.as_ref()?);
        let mut response = Response::whole(head.status, Box::from(&self.raw[..head.length]), head.length);
        response.has_cookies = head.has_cookies;
        response.stream = Some(Reading::new(stream));
        Some((response, Arc::clone(stream)))
    }

    /// Whether the peer says that the body is whole by closing its side.
    fn ends_with_the_connection(&self) -> bool {
        matches!(&self.head, Some(Head { framing: Framing::UntilClose, .. }))
    }

    fn incomplete(&self) -> Failure {
        let Some(head) = &self.head else { return Failure::Protocol("the connection was closed within the head") };
        let received = self.received;
        match head.framing {
            Framing::Length(length) => Failure::Incomplete { received, missing: Some(length - received) },
            Framing::Chunked => Failure::Incomplete { received: self.unchunked.len() as u64, missing: None },
            Framing::None | Framing::UntilClose => Failure::Incomplete { received, missing: None },
        }
    }

    fn finish(self) -> Exchanged {
        let begun = self.begun();
        let head = self.head.expect("finished after the head");
        let raw = self.raw.into_boxed_slice();
        let mut response = if let Some((response, stream)) = begun {
            stream.finish(Ok(()));
            response
        } else if head.framing == Framing::Chunked {
            Response::in_two(head.status, raw, self.unchunked.into_boxed_slice())
        } else {
            Response::whole(head.status, raw, head.length)
        };
        response.wire_length = self.wire_length;
        response.has_cookies = head.has_cookies;
        let content_encoding = head.content_encoding.filter(|_| self.stream.is_none());
        Exchanged { response, content_encoding, keep_alive: head.keep_alive && !self.surplus, rest: None }
    }
}

/// The chunks of a body that is handed on, one by one.
struct Handed<'a>(&'a Body);

impl Sink for Handed<'_> {
    fn data(&mut self, bytes: &[u8]) {
        self.0.push(bytes);
    }

    fn end_of_chunk(&mut self) {
        self.0.end_chunk();
    }
}

const BODY_TOO_LONG: Failure = Failure::Protocol("the body is too long");

/// An empty buffer for the head and what follows it there, `arrived` bytes of which are in.
fn room_for(head: &Head, arrived: usize) -> Result<Vec<u8>, Failure> {
    let body = match head.framing {
        Framing::Length(length) if length > MAX_BODY => return Err(BODY_TOO_LONG),
        Framing::Length(length) => length.min(MAX_RESERVE) as usize,
        Framing::UntilClose => arrived,
        Framing::None | Framing::Chunked => 0,
    };
    Ok(Vec::with_capacity(head.length + body))
}

/// The ordinary response: all of it within one read, copied once.
fn whole(head: Head, bytes: &[u8], end: usize) -> Exchanged {
    let mut response = Response::whole(head.status, Box::from(&bytes[..end]), head.length);
    response.has_cookies = head.has_cookies;
    Exchanged {
        response,
        content_encoding: head.content_encoding,
        keep_alive: head.keep_alive && end == bytes.len(),
        rest: None,
    }
}

/// What came may be no TLS any more, which is another failure than a connection that ends.
fn broken(error: io::Error) -> Failure {
    match error.get_ref() {
        Some(inner) if inner.is::<rustls::Error>() => Failure::Tls(error.to_string()),
        _ => Failure::Broken(error),
    }
}
