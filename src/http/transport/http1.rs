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

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf};

use super::chunks::Chunks;
use super::head::{Framing, Head, MAX_HEAD};
use crate::http::io::{Lane, Thread};
use crate::http::{Failure, Request, Response};

/// Bodies up to here are copied behind the head, so that most requests are one write.
const ONE_WRITE: usize = 16 * 1024;
const MAX_BODY: u64 = 2 << 30;
/// A declared length is believed only so far: memory is taken as bytes arrive.
const MAX_RESERVE: u64 = 1 << 20;

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
    let timeout = request.settings.read_timeout;
    if let Err(error) = lane.within(thread, timeout, send(stream, request, cookies, thread)).await? {
        // A server may refuse a body before it has read it: what it said counts more than that it stopped reading.
        if !matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset) || request.body.is_none() {
            return Err(Failure::Broken(error));
        }
    }
    progress.sent = Some(Instant::now());
    receive(stream, request, lane, thread, progress).await
}

/// Write head and body. One system call when the socket takes all of it, as it nearly always does.
async fn send<S: Stream>(stream: &mut S, request: &Request, cookies: Option<&str>, thread: &Thread) -> io::Result<()> {
    let small_body = request.body.as_deref().filter(|body| body.len() <= ONE_WRITE);
    let rest = poll_fn(|cx| {
        let mut buffer = thread.write_buffer();
        request.encode_head(cookies, &mut buffer);
        buffer.extend_from_slice(small_body.unwrap_or_default());
        let written = match Pin::new(&mut *stream).poll_write(cx, &buffer) {
            Poll::Ready(Ok(written)) => written,
            Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
            Poll::Pending => 0,
        };
        Poll::Ready(Ok(if written == buffer.len() { None } else { Some(buffer[written..].to_vec()) }))
    })
    .await?;
    if let Some(rest) = rest {
        stream.write_all(&rest).await?;
    }
    if let (Some(body), None) = (request.body.as_deref(), small_body) {
        stream.write_all(body).await?;
    }
    stream.flush().await
}

/// Read one response. It is taken out of the thread's buffer when it arrives in one piece, and otherwise collected.
async fn receive<S: Stream>(
    stream: &mut S,
    request: &Request,
    lane: &Lane,
    thread: &Thread,
    progress: &mut Progress,
) -> Result<Exchanged, Failure> {
    let head_only = request.method.has_no_response_body();
    let timeout = request.settings.read_timeout;
    let first = poll_fn(|cx| {
        let mut buffer = thread.read_buffer();
        let bytes = ready!(poll_read(stream, cx, &mut buffer))?;
        Poll::Ready(Ok::<_, io::Error>(Collector::start(bytes, head_only)))
    });
    let step = lane.within(thread, timeout, first).await?;
    progress.first_byte = Some(Instant::now());
    let mut collector = match step {
        Ok(Started::Whole(exchanged)) => return Ok(exchanged),
        Ok(Started::Closed) => {
            progress.first_byte = None;
            return Err(Failure::Disconnected);
        }
        Ok(Started::Bad(failure)) => return Err(failure),
        Ok(Started::Partial(collector)) => collector,
        Err(error) => {
            progress.first_byte = None;
            return Err(Failure::Broken(error));
        }
    };
    loop {
        let more = poll_fn(|cx| {
            let mut buffer = thread.read_buffer();
            let bytes = ready!(poll_read(stream, cx, &mut buffer))?;
            Poll::Ready(Ok::<_, io::Error>(if bytes.is_empty() { collector.close() } else { collector.feed(bytes) }))
        });
        match lane.within(thread, timeout, more).await? {
            Ok(Fed::More) => {}
            Ok(Fed::Done) => return collector.finish(),
            Ok(Fed::Bad(failure)) => return Err(failure),
            Err(error) => return Err(collector.broken(error)),
        }
    }
}

fn poll_read<'b, S: Stream>(stream: &mut S, cx: &mut Context<'_>, buffer: &'b mut [u8]) -> Poll<io::Result<&'b [u8]>> {
    let mut read = ReadBuf::new(buffer);
    ready!(Pin::new(stream).poll_read(cx, &mut read))?;
    let filled = read.filled().len();
    Poll::Ready(Ok(&buffer[..filled]))
}

enum Started {
    Whole(Exchanged),
    Partial(Box<Collector>),
    Closed,
    Bad(Failure),
}

enum Fed {
    More,
    Done,
    Bad(Failure),
}

/// A response that comes in pieces.
struct Collector {
    head_only: bool,
    /// Head, and after it a body that has a length or ends with the connection.
    raw: Vec<u8>,
    head: Option<Head>,
    chunks: Chunks,
    /// The body when it comes in chunks.
    unchunked: Vec<u8>,
    wire_length: u64,
    /// Bytes came after the end of the response: nobody asked for them, so the connection is not to be trusted.
    surplus: bool,
}

impl Collector {
    fn start(bytes: &[u8], head_only: bool) -> Started {
        if bytes.is_empty() {
            return Started::Closed;
        }
        match Head::parse(bytes, head_only) {
            Ok(Some(head)) if head.status >= 200 => {
                if let Some(end) = head.end_within(bytes.len()) {
                    return Started::Whole(whole(&head, bytes, end));
                }
            }
            Ok(_) => {}
            Err(failure) => return Started::Bad(failure),
        }
        let mut collector = Box::new(Self {
            head_only,
            raw: Vec::new(),
            head: None,
            chunks: Chunks::default(),
            unchunked: Vec::new(),
            wire_length: 0,
            surplus: false,
        });
        match collector.feed(bytes) {
            Fed::More => Started::Partial(collector),
            Fed::Done => match collector.finish() {
                Ok(exchanged) => Started::Whole(exchanged),
                Err(failure) => Started::Bad(failure),
            },
            Fed::Bad(failure) => Started::Bad(failure),
        }
    }

    fn feed(&mut self, bytes: &[u8]) -> Fed {
        self.wire_length += bytes.len() as u64;
        let fed = if self.head.is_some() { self.feed_body(bytes) } else { self.feed_head(bytes) };
        fed.unwrap_or_else(Fed::Bad)
    }

    fn feed_head(&mut self, bytes: &[u8]) -> Result<Fed, Failure> {
        // Two bytes back: the end of the head may straddle two pieces. Without an end in sight, parsing is in vain.
        let seen = self.raw.len().saturating_sub(3);
        self.raw.extend_from_slice(bytes);
        if !Head::may_end_in(&self.raw[seen..]) {
            return if self.raw.len() > MAX_HEAD { Err(Failure::Protocol("the head is too long")) } else { Ok(Fed::More) };
        }
        loop {
            let Some(head) = Head::parse(&self.raw, self.head_only)? else {
                return if self.raw.len() > MAX_HEAD { Err(Failure::Protocol("the head is too long")) } else { Ok(Fed::More) };
            };
            if head.status < 200 {
                self.raw.drain(..head.length);
                continue;
            }
            let body = self.raw.split_off(head.length);
            if let Framing::Length(length) = head.framing {
                if length > MAX_BODY {
                    return Err(Failure::Protocol("the body is too long"));
                }
                self.raw.reserve_exact(length.min(MAX_RESERVE) as usize);
            }
            self.head = Some(head);
            return self.feed_body(&body);
        }
    }

    fn feed_body(&mut self, bytes: &[u8]) -> Result<Fed, Failure> {
        let head = self.head.as_ref().expect("the head comes before the body");
        match head.framing {
            Framing::None => {
                self.surplus = !bytes.is_empty();
                Ok(Fed::Done)
            }
            Framing::Length(length) => {
                let missing = length - (self.raw.len() - head.length) as u64;
                let take = (bytes.len() as u64).min(missing) as usize;
                self.raw.extend_from_slice(&bytes[..take]);
                self.surplus = take < bytes.len();
                Ok(if take as u64 == missing { Fed::Done } else { Fed::More })
            }
            Framing::Chunked => {
                let used = self.chunks.decode(bytes, &mut self.unchunked)?;
                if self.unchunked.len() as u64 > MAX_BODY {
                    return Err(Failure::Protocol("the body is too long"));
                }
                self.surplus = used < bytes.len();
                Ok(if self.chunks.is_done() { Fed::Done } else { Fed::More })
            }
            Framing::UntilClose => {
                self.raw.extend_from_slice(bytes);
                if (self.raw.len() - head.length) as u64 > MAX_BODY {
                    return Err(Failure::Protocol("the body is too long"));
                }
                Ok(Fed::More)
            }
        }
    }

    /// The peer has closed its side.
    fn close(&mut self) -> Fed {
        match &self.head {
            Some(Head { framing: Framing::UntilClose, .. }) => Fed::Done,
            None if self.raw.is_empty() => Fed::Bad(Failure::Disconnected),
            None => Fed::Bad(Failure::Protocol("the connection was closed within the head")),
            Some(_) => Fed::Bad(self.incomplete()),
        }
    }

    fn incomplete(&self) -> Failure {
        let head = self.head.as_ref().expect("only a body can be incomplete");
        let in_raw = (self.raw.len() - head.length) as u64;
        match head.framing {
            Framing::Length(length) => Failure::Incomplete { received: in_raw, missing: Some(length - in_raw) },
            Framing::Chunked => Failure::Incomplete { received: self.unchunked.len() as u64, missing: None },
            Framing::None | Framing::UntilClose => Failure::Incomplete { received: in_raw, missing: None },
        }
    }

    /// The connection broke: within a body that is the body's fault as a user sees it.
    fn broken(&self, error: io::Error) -> Failure {
        if self.head.is_some() && error.kind() == io::ErrorKind::UnexpectedEof {
            return self.incomplete();
        }
        Failure::Broken(error)
    }

    fn finish(self: Box<Self>) -> Result<Exchanged, Failure> {
        let this = *self;
        let mut head = this.head.expect("finished after the head");
        let chunked = matches!(head.framing, Framing::Chunked);
        let mut response = Response::whole(head.status, this.raw.into_boxed_slice(), head.length);
        if chunked {
            response.set_body(this.unchunked.into_boxed_slice());
        }
        response.wire_length = this.wire_length;
        response.has_cookies = head.has_cookies;
        let keep_alive = head.keep_alive && !this.surplus;
        Ok(Exchanged { response, content_encoding: head.content_encoding.take(), keep_alive })
    }
}

/// The ordinary response: all of it within one read, copied once.
fn whole(head: &Head, bytes: &[u8], end: usize) -> Exchanged {
    let mut response = Response::whole(head.status, Box::from(&bytes[..end]), head.length);
    response.has_cookies = head.has_cookies;
    Exchanged {
        response,
        content_encoding: head.content_encoding.clone(),
        keep_alive: head.keep_alive && end == bytes.len(),
    }
}
