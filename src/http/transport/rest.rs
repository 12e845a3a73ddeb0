//! Bodies that are handed on as they arrive, where a library reads them off the connection.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use bytes::Bytes;
use h2::RecvStream;

use super::http1::in_body;
use super::http2::stream_failure;
use super::proxied;
use crate::http::Failure;
use crate::http::io::{Lane, Thread};
use crate::http::stream::Stream;

/// What is left to read of a response. Dropping it gives up the rest: a stream is reset, a connection closed.
pub enum Rest {
    Http2(RecvStream),
    Proxied(reqwest::Response),
}

impl Rest {
    /// The next piece; `None` at the end. A failure is one in the middle of a body.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Failure> {
        let piece = match self {
            Self::Proxied(response) => response.chunk().await.map_err(|error| proxied::broken_off(&error)),
            Self::Http2(stream) => match stream.data().await {
                Some(Ok(bytes)) => {
                    let _ = stream.flow_control().release_capacity(bytes.len()); // fails for more than was received
                    Ok(Some(bytes))
                }
                // Nobody reads trailers, but the stream ends behind them.
                None => stream.trailers().await.map(|_| None).map_err(stream_failure),
                Some(Err(error)) => Err(stream_failure(error)),
            },
        };
        piece.map_err(in_body)
    }
}

/// A response that was delivered before its body was in.
pub struct Open {
    pub rest: Rest,
    pub body: Arc<Stream>,
    pub read_timeout: Option<Duration>,
}

impl Open {
    /// Until the body ends or nobody wants more of it.
    pub async fn hand_on(mut self, lane: &Lane, thread: &Thread) {
        loop {
            if let Some(reader) = self.body.satisfied_reader() {
                thread.ready(reader);
            }
            // No limit here: it is the reader who keeps the server waiting.
            let wanted = lane.within(thread, None, poll_fn(|cx| self.body.poll_room(cx))).await;
            if !matches!(wanted, Ok(true)) {
                return;
            }
            match lane.within(thread, self.read_timeout, self.step()).await.map_err(in_body) {
                Ok(Step::Abandoned) => return,
                Ok(Step::Read(Ok(Some(bytes)))) => self.body.push(&bytes),
                Ok(Step::Read(Ok(None))) => {
                    self.body.finish(Ok(()));
                    break;
                }
                Ok(Step::Read(Err(failure))) | Err(failure) => {
                    self.body.finish(Err(failure));
                    break;
                }
            }
        }
        if let Some(reader) = self.body.satisfied_reader() {
            thread.ready(reader);
        }
    }

    /// One piece, unless the body is abandoned before it arrives.
    async fn step(&mut self) -> Step {
        let Self { rest, body, .. } = self;
        let mut next = pin!(rest.next());
        poll_fn(|cx| match body.poll_room(cx) {
            Poll::Ready(false) => Poll::Ready(Step::Abandoned),
            _ => next.as_mut().poll(cx).map(Step::Read),
        })
        .await
    }
}

enum Step {
    Abandoned,
    Read(Result<Option<Bytes>, Failure>),
}
