//! HTTP/1.1 on one connection: write a request, read its response.
//!
//! Strict where leniency would let a response be read two ways (RFC 9112, 6.3): lengths that contradict each other and
//! a length beside a transfer coding are refused. Everything a server may send has a limit. Knows no cookies, follows
//! no redirects, retries nothing.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::chunks::Chunks;
use super::head::{Framing, Head, MAX_HEAD};
use crate::http::io::{Lane, Thread};
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
}

/// Times of one exchange, and how far it got: what a decision to retry needs.
#[derive(Default)]
pub struct Progress {
    pub sent: Option<Instant>,
    pub first_byte: Option<Instant>,
}

pub async fn exchange<S: Stream>(
    stream: &mut S,
    request: &Request,
    cookies: Option<&str>,
    lane: &Lane,
    thread: &Thread,
    progress: &mut Progress,
) -> Result<Exchanged, Failure> {
    let mut reply = Reply::new(request.method.has_no_response_body());
    let result = converse(stream, request, cookies, lane, thread, &mut reply, progress).await;
    result.map_err(|failure| if reply.is_in_body() { in_body(failure) } else { failure })
}

/// A failure in the middle of a body is another one to the clients' users.
fn in_body(failure: Failure) -> Failure {
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
            Ok(None) => {}
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
    for mut left in rest.as_deref().into_iter().chain(large_body) {
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
                Step::Read(Some(exchanged)) => return Ok(Sent::Answered(Exchanged { keep_alive: false, ..exchanged })),
                Step::Refused(error) => return Ok(Sent::Refused(error)),
            }
        }
    }
    flush(stream, request, lane, thread, reply, progress).await
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
    head_only: bool,
    collector: Option<Box<Collector>>,
}

impl Reply {
    pub fn new(head_only: bool) -> Self {
        Self { head_only, collector: None }
    }

    /// Whether the head is in and the body is not.
    fn is_in_body(&self) -> bool {
        self.collector.as_ref().is_some_and(|collector| collector.head.is_some())
    }

    /// One read. `None`: there is more to come.
    fn poll<S: Stream>(
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
            // A TLS peer that closes without saying so.
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Poll::Ready(Err(self.break_off())),
            Err(error) => Poll::Ready(Err(Failure::Broken(error))),
        }
    }

    pub fn feed(&mut self, bytes: &[u8]) -> Result<Option<Exchanged>, Failure> {
        let fed = match self.collector.take() {
            None => Collector::start(bytes, self.head_only)?,
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
        match self.collector.take() {
            None => Err(Failure::Disconnected),
            Some(collector) => collector.close(),
        }
    }

    /// The connection has ended, and not as TLS has it: what ends with it may lack its end.
    fn break_off(&mut self) -> Failure {
        self.collector.take().map_or(Failure::Disconnected, |collector| collector.incomplete())
    }
}

enum Fed {
    More(Box<Collector>),
    Done(Exchanged),
}

/// A response that comes in pieces.
struct Collector {
    head_only: bool,
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
    fn start(bytes: &[u8], head_only: bool) -> Result<Fed, Failure> {
        if let Some(head) = Head::parse(bytes, head_only)?
            && head.status >= 200
        {
            return match head.end_within(bytes.len()) {
                Some(end) => Ok(Fed::Done(whole(head, bytes, end))),
                None => Self::new(head_only).with_head(head, bytes),
            };
        }
        Box::new(Self::new(head_only)).feed(bytes)
    }

    fn new(head_only: bool) -> Self {
        Self {
            head_only,
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
        self.raw = room_for(&head, body.len())?;
        self.raw.extend_from_slice(&bytes[..head.length]);
        self.wire_length = head.length as u64;
        self.head = Some(head);
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
            let Some(head) = Head::parse(&raw[at..], self.head_only)? else {
                raw.drain(..at);
                self.raw = raw;
                return Ok(false);
            };
            if head.status >= 200 {
                let rest = &raw[at..];
                self.raw = room_for(&head, rest.len() - head.length)?;
                self.raw.extend_from_slice(&rest[..head.length]);
                self.wire_length += head.length as u64;
                let body = &rest[head.length..];
                self.head = Some(head);
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

    /// Whether the response is complete.
    fn feed_body(&mut self, bytes: &[u8]) -> Result<bool, Failure> {
        let head = self.head.as_ref().expect("the head comes before the body");
        let (used, done) = match head.framing {
            Framing::None => (0, true),
            Framing::Length(length) => {
                let missing = length - (self.raw.len() - head.length) as u64;
                let take = (bytes.len() as u64).min(missing) as usize;
                self.raw.extend_from_slice(&bytes[..take]);
                (take, take as u64 == missing)
            }
            Framing::Chunked => {
                let used = self.chunks.decode(bytes, &mut self.unchunked)?;
                if self.unchunked.len() as u64 > MAX_BODY {
                    return Err(BODY_TOO_LONG);
                }
                (used, self.chunks.is_done())
            }
            Framing::UntilClose => {
                self.raw.extend_from_slice(bytes);
                if (self.raw.len() - head.length) as u64 > MAX_BODY {
                    return Err(BODY_TOO_LONG);
                }
                (bytes.len(), false)
            }
        };
        self.wire_length += used as u64;
        self.surplus = used < bytes.len();
        Ok(done)
    }

    /// The peer has closed its side.
    fn close(self) -> Result<Exchanged, Failure> {
        match &self.head {
            Some(Head { framing: Framing::UntilClose, .. }) => Ok(self.finish()),
            _ => Err(self.incomplete()),
        }
    }

    fn incomplete(&self) -> Failure {
        let Some(head) = &self.head else { return Failure::Protocol("the connection was closed within the head") };
        let in_raw = (self.raw.len() - head.length) as u64;
        match head.framing {
            Framing::Length(length) => Failure::Incomplete { received: in_raw, missing: Some(length - in_raw) },
            Framing::Chunked => Failure::Incomplete { received: self.unchunked.len() as u64, missing: None },
            Framing::None | Framing::UntilClose => Failure::Incomplete { received: in_raw, missing: None },
        }
    }

    fn finish(self) -> Exchanged {
        let head = self.head.expect("finished after the head");
        let raw = self.raw.into_boxed_slice();
        let mut response = if head.framing == Framing::Chunked {
            Response::in_two(head.status, raw, self.unchunked.into_boxed_slice())
        } else {
            Response::whole(head.status, raw, head.length)
        };
        response.wire_length = self.wire_length;
        response.has_cookies = head.has_cookies;
        Exchanged { response, content_encoding: head.content_encoding, keep_alive: head.keep_alive && !self.surplus }
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
    Exchanged { response, content_encoding: head.content_encoding, keep_alive: head.keep_alive && end == bytes.len() }
}
