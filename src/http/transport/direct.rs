//! The default transport: connections of our own, kept alive, one for each origin.

use std::io;
use std::rc::Rc;
use std::sync::Arc;

use tokio::io::{AsyncRead, ReadBuf};

use super::connect::{Connected, connect};
use super::http1::{self, Progress};
use super::{Stamps, Transport};
use crate::http::decode;
use crate::http::io::{Lane, Thread};
use crate::http::url::{Origin, Style, Url};
use crate::http::{Failure, Request, Response};

/// Decoded bodies may be this long: a few kilobytes on the wire can claim to be anything.
const MAX_DECODED: usize = 1 << 30;

struct Idle {
    origin: Arc<Origin>,
    stream: Connected,
}

/// The connections of one lane.
pub struct Direct {
    lane: Rc<Lane>,
    thread: Rc<Thread>,
    idle: Vec<Idle>,
}

impl Direct {
    pub fn new(lane: Rc<Lane>, thread: Rc<Thread>) -> Self {
        Self { lane, thread, idle: Vec::new() }
    }

    /// Close what is kept alive.
    pub fn close(&mut self) {
        self.idle = Vec::new();
    }

    fn take_idle(&mut self, url: &Url) -> Option<Connected> {
        let at = self.idle.iter().position(|idle| idle.origin == *url.origin())?;
        let mut stream = self.idle.swap_remove(at).stream;
        is_quiet(&mut stream).then_some(stream)
    }

    fn keep(&mut self, url: &Url, stream: Connected) {
        if self.idle.len() == self.idle.capacity() {
            // Nearly every user has one origin: no room for more than are there.
            self.idle.reserve_exact(1);
        }
        self.idle.push(Idle { origin: Arc::clone(url.origin()), stream });
    }

    async fn open(&self, request: &Request, stamps: &mut Stamps) -> Result<Connected, Failure> {
        // Boxed: look-up and handshake are large and rare, and every idle user's task would be as large as they are.
        let (stream, opening) = Box::pin(connect(&request.url, &request.settings, &self.lane, &self.thread)).await?;
        stamps.opening = Some(opening);
        Ok(stream)
    }
}

impl Transport for Direct {
    async fn send(
        &mut self,
        request: &Request,
        cookies: Option<&str>,
        stamps: &mut Stamps,
    ) -> Result<Response, Failure> {
        let (mut stream, mut reused) = match self.take_idle(&request.url) {
            Some(stream) => (stream, true),
            None => (self.open(request, stamps).await?, false),
        };
        loop {
            let mut progress = Progress::default();
            let result =
                http1::exchange(&mut stream, request, cookies, &self.lane, &self.thread, &mut progress).await;
            match result {
                Ok(exchanged) => {
                    stamps.sent = progress.sent.unwrap_or(stamps.start);
                    stamps.first_byte = progress.first_byte.unwrap_or(stamps.sent);
                    if exchanged.keep_alive {
                        self.keep(&request.url, stream);
                    }
                    return match exchanged.content_encoding {
                        None => Ok(exchanged.response),
                        Some(encoding) => decoded(exchanged.response, request.url.style(), &encoding),
                    };
                }
                Err(failure) if reused && progress.first_byte.is_none() && was_already_closed(&failure, &stream) => {
                    reused = false;
                    stream = self.open(request, stamps).await?;
                }
                Err(failure) => return Err(failure),
            }
        }
    }
}

fn decoded(mut response: Response, style: Style, encoding: &str) -> Result<Response, Failure> {
    if response.body().is_empty() {
        return Ok(response);
    }
    let body = decode::decode(style, encoding, response.body().to_vec(), MAX_DECODED).map_err(Failure::Decode)?;
    response.set_body(body.into_boxed_slice());
    Ok(response)
}

/// Whether nothing has happened on an idle connection. tokio knows without a system call unless something has.
fn is_quiet(stream: &mut Connected) -> bool {
    let mut byte = [0; 1];
    let mut buffer = ReadBuf::new(&mut byte);
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    std::pin::Pin::new(stream).poll_read(&mut cx, &mut buffer).is_pending()
}

/// Whether the server had closed a kept-alive connection before the request reached it: then, and only then, sending it
/// again on a new one cannot make it count twice.
///
/// Linux tells the two apart. A segment that arrives at a closed socket is answered by a reset, and a reset on a
/// connection whose FIN is already in leaves EPIPE as the socket's error, behind the end of file that is read first.
/// A server that took the request and then closed leaves an end of file and no error.
fn was_already_closed(failure: &Failure, stream: &Connected) -> bool {
    match failure {
        Failure::Broken(error) => error.kind() == io::ErrorKind::BrokenPipe,
        Failure::Disconnected => {
            matches!(stream.tcp().take_error(), Ok(Some(error)) if error.kind() == io::ErrorKind::BrokenPipe)
        }
        _ => false,
    }
}
