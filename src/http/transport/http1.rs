//! HTTP/1.1 on one connection: write a request, read its response.
//!
//! Strict where leniency would let a response be read two ways (RFC 9112, 6.3): lengths that contradict each other and
//! a length beside a transfer coding are refused. Everything a server may send has a limit. Knows no cookies, follows
//! no redirects, retries nothing.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::chunks::{Chunks, Sink};
use super::head::{Framing, Head, MAX_HEAD};
use crate::bridge::Ticket;
use crate::http::io::{Lane, Thread};
use crate::http::redirect::is_redirect;
use crate::http::stream::{Reading, Stream as Body};
use crate::http::upload::Upload;
use crate::http::{Failure, Request, Response};

/// Bodies up to here are copied behind the head, so that most requests are one write.
const ONE_WRITE: usize = 16 * 1024;
const MAX_BODY: u64 = 2 << 30;
/// A declared length is believed only so far: memory is taken as bytes arrive.
const MAX_RESERVE: u64 = 1 << 20;
/// As many as http.client takes: without an end to them a response would never come.
const MAX_INTERIM: u32 = 100;
/// A head shorter than this is parsed with every piece that arrives.
const SHORT: usize = 16;

pub trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// What one exchange gave, and whether the connection may serve another.
pub struct Exchanged {
    pub response: Response,
    pub content_encoding: Option<Box<str>>,
    pub keep_alive: bool,
    /// What reads the rest of a body that is handed on as it arrives.
    pub rest: Option<(Reply, Arc<Body>)>,
}

/// Times of one exchange, and how far it got: what a decision to retry needs.
#[derive(Default)]
pub struct Progress {
    pub sent: Option<Instant>,
    pub first_byte: Option<Instant>,
    /// What came of a response whose body broke off.
    pub partial: Option<Response>,
}

pub async fn exchange<S: Stream>(
    stream: &mut S,
    request: &Request,
    cookies: Option<&str>,
    lane: &Lane,
    thread: &Thread,
    progress: &mut Progress,
) -> Result<Exchanged, Failure> {
    let mut reply = Reply::to(request);
    let result = converse(stream, request, cookies, lane, thread, &mut reply, progress).await;
    result.map_err(|failure| {
        if !reply.is_in_body() {
            return failure;
        }
        progress.partial = reply.partial();
        in_body(failure)
    })
}

/// What came may be no TLS any more, which is another failure than a connection that ends.
fn broken(error: io::Error) -> Failure {
    match error.get_ref() {
        Some(inner) if inner.is::<rustls::Error>() => Failure::Tls(error.to_string()),
        _ => Failure::Broken(error),
    }
}

/// A failure in the middle of a body is another one to the clients' users.
pub fn in_body(failure: Failure) -> Failure {
    match failure {
        Failure::ReadTimeout(after) => Failure::BodyTimeout(after),
        Failure::Broken(error) => Failure::BodyBroken(error),
        other => other,
    }
}

async fn converse<S: Stream>(
    stream: &mut S,
    request: &Request,
    cookies: Option<&str>,
    lane: &Lane,
    thread: &Thread,
    reply: &mut Reply,
    progress: &mut Progress,
) -> Result<Exchanged, Failure> {
    let timeout = request.settings.read_timeout;
    let refused = match send(stream, request, cookies, lane, thread, reply, progress).await? {
        Sent::Answered(exchanged) => return Ok(exchanged),
        Sent::Whole => None,
        Sent::Refused(error) => Some(error),
    };
    progress.sent = Some(Instant::now());
    let answer = loop {
        let step = poll_fn(|cx| reply.poll(stream, cx, thread, progress));
        match lane.within(thread, timeout, step).await? {
            Ok(None) => {
                if let Some(exchanged) = reply.begun() {
                    break Ok(exchanged);
                }
            }
            Ok(Some(exchanged)) => break Ok(exchanged),
            Err(failure) => break Err(failure),
        }
    };
    match (answer, refused) {
        (answer, None) => answer,
        (Ok(exchanged), Some(_)) => Ok(Exchanged { keep_alive: false, ..exchanged }),
        // Nothing was said: what counts is why the request could not be sent.
        (Err(_), Some(error)) if progress.first_byte.is_none() => Err(Failure::Broken(error)),
        (Err(failure), Some(_)) => Err(failure),
    }
}

/// What became of a request.
enum Sent {
    Whole,
    /// The whole response was there first: the server did not want the rest of the body.
    Answered(Exchanged),
    /// The server takes no more of it. It may have said why.
    Refused(io::Error),
}

/// Write head and body. One system call when the socket takes all of it, as it nearly always does.
async fn send<S: Stream>(
    stream: &mut S,
    request: &Request,
    cookies: Option<&str>,
    lane: &Lane,
    thread: &Thread,
    reply: &mut Reply,
    progress: &mut Progress,
) -> Result<Sent, Failure> {
    let small_body = request.body.as_deref().filter(|body| body.len() <= ONE_WRITE);
    let first = poll_fn(|cx| {
        let mut buffer = thread.write_buffer();
        request.encode_head(cookies, &mut buffer);
        buffer.extend_from_slice(small_body.unwrap_or_default());
        let written = match Pin::new(&mut *stream).poll_write(cx, &buffer) {
            Poll::Ready(Ok(written)) => written,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => 0,
        };
        Poll::Ready(Ok(if written == buffer.len() { None } else { Some(buffer[written..].to_vec()) }))
    });
    let rest = lane.within(thread, None, first).await?.map_err(Failure::Broken)?;
    let large_body = if small_body.is_some() { None } else { request.body.as_deref() };
    for left in rest.as_deref().into_iter().chain(large_body) {
        if let Some(stopped) = write(left, stream, request, lane, thread, reply, progress).await? {
            return Ok(stopped);
        }
    }
    if let Some(upload) = &request.upload {
        // Boxed: rare, and every idle user's task would be as large as it is.
        let sending = Box::pin(send_upload(upload, stream, request, lane, thread, reply, progress));
        if let Some(stopped) = sending.await? {
            return Ok(stopped);
        }
    }
    flush(stream, request, lane, thread, reply, progress).await
}

/// Write all of `left`. Something else than `None` when the request ends before that.
async fn write<S: Stream>(
    mut left: &[u8],
    stream: &mut S,
    request: &Request,
    lane: &Lane,
    thread: &Thread,
    reply: &mut Reply,
    progress: &mut Progress,
) -> Result<Option<Sent>, Failure> {
    while !left.is_empty() {
        let write = poll_fn(|cx| match Pin::new(&mut *stream).poll_write(cx, left) {
            Poll::Ready(Ok(0)) => Poll::Ready(Ok(Step::Refused(io::ErrorKind::WriteZero.into()))),
            Poll::Ready(Ok(written)) => Poll::Ready(Ok(Step::Written(written))),
            Poll::Ready(Err(error)) => Poll::Ready(Ok(Step::Refused(error))),
            Poll::Pending => reply.poll(stream, cx, thread, progress).map_ok(Step::Read),
        });
        match lane.within(thread, request.settings.read_timeout, write).await?? {
            Step::Written(written) => left = &left[written..],
            Step::Read(None) => {}
            Step::Read(Some(exchanged)) => {
                return Ok(Some(Sent::Answered(Exchanged { keep_alive: false, ..exchanged })));
            }
            Step::Refused(error) => return Ok(Some(Sent::Refused(error))),
        }
    }
    Ok(None)
}

/// Write a body while it is being made.
async fn send_upload<S: Stream>(
    upload: &Upload,
    stream: &mut S,
    request: &Request,
    lane: &Lane,
    thread: &Thread,
    reply: &mut Reply,
    progress: &mut Progress,
) -> Result<Option<Sent>, Failure> {
    loop {
        // No limit: it is our side that is waited for. But the server may answer, or hang up, meanwhile.
        let made = poll_fn(|cx| match upload.poll_take(cx) {
            Poll::Ready(made) => Poll::Ready(Ok(Made::Bytes(made))),
            Poll::Pending => reply.poll(stream, cx, thread, progress).map_ok(Made::Read),
        });
        match lane.within(thread, None, made).await?? {
            Made::Read(None) => {}
            Made::Read(Some(exchanged)) => {
                return Ok(Some(Sent::Answered(Exchanged { keep_alive: false, ..exchanged })));
            }
            Made::Bytes((bytes, maker)) => {
                if let Some(maker) = maker {
                    thread.ready(maker);
                }
                if bytes.is_empty() {
                    return Ok(None);
                }
                if let Some(stopped) = write(&bytes, stream, request, lane, thread, reply, progress).await? {
                    return Ok(Some(stopped));
                }
            }
        }
    }
}

enum Made {
    Bytes((Vec<u8>, Option<Ticket>)),
    Read(Option<Exchanged>),
}

/// Only TLS has something to flush.
async fn flush<S: Stream>(
    stream: &mut S,
    request: &Request,
    lane: &Lane,
    thread: &Thread,
    reply: &mut Reply,
    progress: &mut Progress,
) -> Result<Sent, Failure> {
    loop {
        let flush = poll_fn(|cx| match Pin::new(&mut *stream).poll_flush(cx) {
            Poll::Ready(Ok(())) => Poll::Ready(Ok(Step::Written(0))),
            Poll::Ready(Err(error)) => Poll::Ready(Ok(Step::Refused(error))),
            Poll::Pending => reply.poll(stream, cx, thread, progress).map_ok(Step::Read),
        });
        match lane.within(thread, request.settings.read_timeout, flush).await?? {
            Step::Written(_) => return Ok(Sent::Whole),
            Step::Read(None) => {}
            Step::Read(Some(exchanged)) => return Ok(Sent::Answered(Exchanged { keep_alive: false, ..exchanged })),
            Step::Refused(error) => return Ok(Sent::Refused(error)),
        }
    }
}

/// What happened while a request was being sent. The response is read only when the server takes no more of the
/// request: one that answers early and waits for us to stop would otherwise be waited for in vain.
enum Step {
    Written(usize),
    Read(Option<Exchanged>),
    Refused(io::Error),
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

    fn to(request: &Request) -> Self {
        let head_only = request.method.has_no_response_body();
        let expected = Expected { head_only, stream: request.stream, follow: request.settings.redirects.is_some() };
        Self { expected, collector: None }
    }

    /// The response whose body is handed on as it arrives, when its head is in.
    fn begun(&mut self) -> Option<Exchanged> {
        let (response, stream) = self.collector.as_ref()?.begun()?;
        let reply = Self { expected: self.expected, collector: self.collector.take() };
        Some(Exchanged { response, content_encoding: None, keep_alive: false, rest: Some((reply, stream)) })
    }

    /// Whether the head is in and the body is not.
    fn is_in_body(&self) -> bool {
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
    fn partial(&mut self) -> Option<Response> {
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
