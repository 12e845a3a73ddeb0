//! One request and its response, on a stream of a connection.

use std::future::{Future, poll_fn};
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::client::{ResponseFuture, SendRequest};
use h2::{Reason, RecvStream, SendStream};

use super::head;
use crate::http::io::{Lane, Thread};
use crate::http::transport::parts::Collected;
use crate::http::transport::{Phase, Stamps};
use crate::http::{Failure, Request};

/// Bodies up to here are handed to the connection at once, longer ones in pieces as the server takes them.
const AT_ONCE: usize = 64 * 1024;

/// Why there is no response, and what that says about sending the request once more.
pub enum Fault {
    /// The server has not looked at it; the connection is good.
    Refused(Failure),
    /// The server has not looked at it and takes no more on this connection.
    Gone(Failure),
    Failed(Failure),
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

/// What came in answer to a request: nothing yet, or the head of the response.
struct Answer {
    future: ResponseFuture,
    head: Option<Result<http::Response<RecvStream>, h2::Error>>,
}

impl Answer {
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.head.is_none()
            && let Poll::Ready(head) = Pin::new(&mut self.future).poll(cx)
        {
            self.head = Some(head);
        }
        if self.head.is_some() { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// The head of the response, and its body that is still to be read. `body`: the request's.
pub async fn exchange(
    sender: &mut SendRequest<Bytes>,
    request: &Request,
    body: &[u8],
    cookies: Option<&str>,
    stamps: &mut Stamps,
    lane: &Lane,
    thread: &Thread,
) -> Result<(Collected, RecvStream), Fault> {
    let timeout = request.settings.read_timeout;
    let head = head::of(request, cookies)?;
    let (future, mut stream) =
        sender.send_request(head, body.is_empty()).map_err(|error| Fault::Gone(as_failure(error)))?;
    stamps.was_sent = true;
    let mut answer = Answer { future, head: None };
    send_body(&mut stream, body, &mut answer, timeout, lane, thread).await?;
    stamps.enter(Phase::Waiting, Instant::now());
    lane.within(thread, timeout, poll_fn(|cx| answer.poll(cx))).await?;
    stamps.exchanged(None, Some(Instant::now()));
    let (head, body) = match answer.head.expect("polled until it is there") {
        Ok(response) => response.into_parts(),
        Err(error) => {
            let fault = as_fault(error);
            stamps.was_sent = matches!(fault, Fault::Failed(_));
            return Err(fault);
        }
    };
    Ok((Collected::new("HTTP/2", head.status, b"", &head.headers)?, body))
}

/// Until the server has all of it, or has answered: then it wants no more.
async fn send_body(
    stream: &mut SendStream<Bytes>,
    body: &[u8],
    answer: &mut Answer,
    timeout: Option<Duration>,
    lane: &Lane,
    thread: &Thread,
) -> Result<(), Failure> {
    if body.is_empty() {
        return Ok(());
    }
    let mut left = body;
    while left.len() > AT_ONCE {
        stream.reserve_capacity(AT_ONCE);
        let taken = poll_fn(|cx| {
            if answer.poll(cx).is_ready() {
                return Poll::Ready(0);
            }
            if stream.capacity() > 0 {
                return Poll::Ready(stream.capacity());
            }
            match stream.poll_capacity(cx) {
                Poll::Ready(Some(Ok(capacity))) if capacity > 0 => Poll::Ready(capacity),
                // The stream is over: its answer says why.
                _ => Poll::Pending,
            }
        });
        let taken = lane.within(thread, timeout, taken).await?.min(left.len());
        if taken == 0 {
            return Ok(());
        }
        let (piece, rest) = left.split_at(taken);
        if stream.send_data(Bytes::copy_from_slice(piece), rest.is_empty()).is_err() {
            return Ok(()); // as above
        }
        left = rest;
    }
    if !left.is_empty() {
        let _ = stream.send_data(Bytes::copy_from_slice(left), true); // as above
    }
    Ok(())
}

/// A stream is refused before anything is done with it (RFC 9113, 8.7), and a GOAWAY reaches only those streams that the
/// server has not looked at (6.8): h2 lets the others finish.
fn as_fault(error: h2::Error) -> Fault {
    if error.is_remote() && error.is_go_away() {
        Fault::Gone(as_failure(error))
    } else if error.is_remote() && error.reason() == Some(Reason::REFUSED_STREAM) {
        Fault::Refused(as_failure(error))
    } else {
        Fault::Failed(as_failure(error))
    }
}

pub fn as_failure(error: h2::Error) -> Failure {
    let reason = error.reason();
    match reason {
        Some(reason) if error.is_remote() => Failure::Reset(reason.description().to_owned()),
        _ => match error.into_io() {
            // What h2 says of streams whose connection has ended.
            Some(error) if error.raw_os_error().is_none() && is_end(error.kind()) => Failure::Disconnected,
            Some(error) => Failure::Broken(error),
            None => Failure::Protocol("what came is no HTTP/2, or breaks its rules"),
        },
    }
}

fn is_end(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::BrokenPipe | io::ErrorKind::UnexpectedEof)
}
