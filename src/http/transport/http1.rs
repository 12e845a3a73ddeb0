//! HTTP/1.1 on one connection: write a request, read its response.
//!
//! Knows no cookies, follows no redirects, retries nothing. How a response is read is the [`Reply`]'s business.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncWrite};

use super::reply::{Exchanged, Reply};
use crate::http::io::{Lane, Thread};
use crate::http::upload::Upload;
use crate::http::{Failure, Request, Response};

/// Bodies up to here are copied behind the head, so that most requests are one write.
const ONE_WRITE: usize = 16 * 1024;

pub trait Stream: AsyncRead + AsyncWrite + Unpin {}
impl<T: AsyncRead + AsyncWrite + Unpin> Stream for T {}

/// Times of one exchange, and how far it got: what a decision to retry needs.
#[derive(Default)]
pub struct Progress {
    pub sent: Option<Instant>,
    pub first_byte: Option<Instant>,
    /// What came of a response whose body broke off.
    pub partial: Option<Response>,
}

/// One exchange. When it fails, `progress` tells how far it got.
pub async fn exchange<S: Stream>(
    stream: &mut S,
    request: &Request,
    cookies: Option<&str>,
    lane: &Lane,
    thread: &Thread,
    progress: &mut Progress,
) -> Result<Exchanged, Failure> {
    let mut exchange = Exchange { stream, request, cookies, lane, thread, progress, reply: Reply::to(request) };
    let result = exchange.converse().await;
    let Exchange { mut reply, progress, .. } = exchange;
    result.map_err(|failure| {
        if !reply.is_in_body() {
            return failure;
        }
        progress.partial = reply.partial();
        in_body(failure)
    })
}

/// A failure in the middle of a body is another one to the clients' users.
pub fn in_body(failure: Failure) -> Failure {
    match failure {
        Failure::ReadTimeout(after) => Failure::BodyTimeout(after),
        Failure::Broken(error) => Failure::BodyBroken(error),
        other => other,
    }
}

/// An exchange under way.
struct Exchange<'a, S> {
    stream: &'a mut S,
    request: &'a Request,
    cookies: Option<&'a str>,
    lane: &'a Lane,
    thread: &'a Thread,
    progress: &'a mut Progress,
    reply: Reply,
}

/// What became of a request.
enum Sent {
    Whole,
    /// The whole response was there first: the server did not want the rest of the body.
    Answered(Exchanged),
    /// The server takes no more of it. It may have said why.
    Refused(io::Error),
}

impl Sent {
    fn answered_early(exchanged: Exchanged) -> Self {
        Self::Answered(Exchanged { keep_alive: false, ..exchanged })
    }
}

/// What happened while a request was being sent. The response is read only when the server takes no more of the
/// request: one that answers early and waits for us to stop would otherwise be waited for in vain.
enum Step<T> {
    Done(T),
    Read(Option<Exchanged>),
    Refused(io::Error),
}

impl<S: Stream> Exchange<'_, S> {
    async fn converse(&mut self) -> Result<Exchanged, Failure> {
        let refused = match self.send().await? {
            Sent::Answered(exchanged) => return Ok(exchanged),
            Sent::Whole => None,
            Sent::Refused(error) => Some(error),
        };
        self.progress.sent = Some(Instant::now());
        let answer = self.receive().await?;
        match (answer, refused) {
            (answer, None) => answer,
            (Ok(exchanged), Some(_)) => Ok(Exchanged { keep_alive: false, ..exchanged }),
            // Nothing was said: what counts is why the request could not be sent.
            (Err(_), Some(error)) if self.progress.first_byte.is_none() => Err(Failure::Broken(error)),
            (Err(failure), Some(_)) => Err(failure),
        }
    }

    /// Read until the response is there, or its head where the body is handed on. The outer failure: waiting was.
    async fn receive(&mut self) -> Result<Result<Exchanged, Failure>, Failure> {
        let (lane, thread, timeout) = (self.lane, self.thread, self.request.settings.read_timeout);
        loop {
            match lane.within(thread, timeout, poll_fn(|cx| self.poll_reply(cx))).await? {
                Ok(None) => {
                    if let Some(exchanged) = self.reply.begun() {
                        return Ok(Ok(exchanged));
                    }
                }
                Ok(Some(exchanged)) => return Ok(Ok(exchanged)),
                Err(failure) => return Ok(Err(failure)),
            }
        }
    }

    fn poll_reply(&mut self, cx: &mut Context<'_>) -> Poll<Result<Option<Exchanged>, Failure>> {
        self.reply.poll(self.stream, cx, self.thread, self.progress)
    }

    /// Write head and body. One system call when the socket takes all of it, as it nearly always does.
    async fn send(&mut self) -> Result<Sent, Failure> {
        let (lane, thread, request) = (self.lane, self.thread, self.request);
        let small_body = request.body.as_deref().filter(|body| body.len() <= ONE_WRITE);
        let first = poll_fn(|cx| {
            let mut buffer = thread.write_buffer();
            request.encode_head(self.cookies, &mut buffer);
            buffer.extend_from_slice(small_body.unwrap_or_default());
            let written = match Pin::new(&mut *self.stream).poll_write(cx, &buffer) {
                Poll::Ready(Ok(written)) => written,
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => 0,
            };
            Poll::Ready(Ok(if written == buffer.len() { None } else { Some(buffer[written..].to_vec()) }))
        });
        let rest = lane.within(thread, None, first).await?.map_err(Failure::Broken)?;
        let large_body = if small_body.is_some() { None } else { request.body.as_deref() };
        for left in rest.as_deref().into_iter().chain(large_body) {
            if let Err(stopped) = self.write(left).await? {
                return Ok(stopped);
            }
        }
        if let Some(upload) = &request.upload {
            // Boxed: rare, and every idle user's task would be as large as it is.
            if let Err(stopped) = Box::pin(self.send_upload(upload)).await? {
                return Ok(stopped);
            }
        }
        // Only TLS has something to flush.
        let flushed = self.push(tokio::io::AsyncWrite::poll_flush).await?;
        Ok(flushed.map_or_else(|stopped| stopped, |()| Sent::Whole))
    }

    /// Write all of `left`, or say what stopped it.
    async fn write(&mut self, mut left: &[u8]) -> Result<Result<(), Sent>, Failure> {
        while !left.is_empty() {
            let written = self.push(|stream, cx| match stream.poll_write(cx, left) {
                Poll::Ready(Ok(0)) => Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                written => written,
            });
            match written.await? {
                Ok(written) => left = &left[written..],
                Err(stopped) => return Ok(Err(stopped)),
            }
        }
        Ok(Ok(()))
    }

    /// Have the stream do `work`, reading what the server says meanwhile. What came of it, or what stopped it.
    async fn push<T>(
        &mut self,
        mut work: impl FnMut(Pin<&mut S>, &mut Context<'_>) -> Poll<io::Result<T>>,
    ) -> Result<Result<T, Sent>, Failure> {
        let (lane, thread, timeout) = (self.lane, self.thread, self.request.settings.read_timeout);
        loop {
            let step = poll_fn(|cx| match work(Pin::new(&mut *self.stream), cx) {
                Poll::Ready(Ok(done)) => Poll::Ready(Ok(Step::Done(done))),
                Poll::Ready(Err(error)) => Poll::Ready(Ok(Step::Refused(error))),
                Poll::Pending => self.poll_reply(cx).map_ok(Step::Read),
            });
            match lane.within(thread, timeout, step).await?? {
                Step::Done(done) => return Ok(Ok(done)),
                Step::Read(None) => {}
                Step::Read(Some(exchanged)) => return Ok(Err(Sent::answered_early(exchanged))),
                Step::Refused(error) => return Ok(Err(Sent::Refused(error))),
            }
        }
    }

    /// Write a body while it is being made.
    async fn send_upload(&mut self, upload: &Upload) -> Result<Result<(), Sent>, Failure> {
        let (lane, thread) = (self.lane, self.thread);
        loop {
            // No limit: it is our side that is waited for. But the server may answer, or hang up, meanwhile.
            let step = poll_fn(|cx| match upload.poll_take(cx) {
                Poll::Ready(made) => Poll::Ready(Ok(Step::Done(made))),
                Poll::Pending => self.poll_reply(cx).map_ok(Step::Read),
            });
            let (bytes, maker) = match lane.within(thread, None, step).await?? {
                Step::Done(made) => made,
                Step::Read(None) => continue,
                Step::Read(Some(exchanged)) => return Ok(Err(Sent::answered_early(exchanged))),
                Step::Refused(error) => return Ok(Err(Sent::Refused(error))),
            };
            if let Some(maker) = maker {
                thread.ready(maker);
            }
            if bytes.is_empty() {
                return Ok(Ok(()));
            }
            if let Err(stopped) = self.write(&bytes).await? {
                return Ok(Err(stopped));
            }
        }
    }
}
