//! The default transport: connections of our own, kept alive, one for each origin.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, ReadBuf};

use super::connect::{Alpn, Connected, connect};
use super::http1::{self, Progress, in_body};
use super::reply::{Exchanged, Reply};
use super::{Stamps, Tls, Transport};
use crate::http::decode;
use crate::http::io::{Lane, Thread, caught};
use crate::http::stream::Stream;
use crate::http::url::{Origin, Scheme, Style};
use crate::http::{Failure, Request, Response};

/// Decoded bodies may be this long: a few kilobytes on the wire can claim to be anything.
const MAX_DECODED: usize = 1 << 30;

/// Connections one lane keeps alive, as many as urllib3 has pools: the one that served longest ago gives way.
const MAX_IDLE: usize = 10;
/// How long to wait for the reset that proves that a request met a closed connection: it is a round trip away.
const RESET_PATIENCE: Duration = Duration::from_secs(1);

/// A connection kept alive, and for whom: nobody gets one whose certificate was checked less than he asks for.
struct Idle {
    origin: Arc<Origin>,
    tls: Option<Tls>,
    stream: Connected,
}

impl Idle {
    fn new(request: &Request, stream: Connected) -> Self {
        let tls = (request.url.scheme() == Scheme::Https).then(|| request.settings.tls.clone());
        Self { origin: Arc::clone(request.url.origin()), tls, stream }
    }

    fn serves(&self, request: &Request) -> bool {
        self.origin == *request.url.origin() && self.tls.as_ref().is_none_or(|tls| *tls == request.settings.tls)
    }
}

/// What happened while a body was handed on.
enum Step {
    Abandoned,
    Read(Result<Option<Exchanged>, Failure>),
}

impl Open {
    /// Until the body ends or nobody wants more of it. Whether the connection can serve another request.
    async fn hand_on(&mut self, lane: &Lane, thread: &Thread) -> bool {
        loop {
            if let Some(reader) = self.stream.satisfied_reader() {
                thread.ready(reader);
            }
            // No limit here: it is the reader who keeps the server waiting.
            let wanted = lane.within(thread, None, poll_fn(|cx| self.stream.poll_room(cx))).await;
            if !matches!(wanted, Ok(true)) {
                return false;
            }
            let failure = match lane.within(thread, self.read_timeout, self.step(thread)).await {
                Ok(Step::Read(Ok(None))) => continue,
                Ok(Step::Read(Ok(Some(exchanged)))) => {
                    return exchanged.keep_alive && is_quiet(&mut self.connection.stream);
                }
                Ok(Step::Abandoned) => return false,
                Ok(Step::Read(Err(failure))) | Err(failure) => failure,
            };
            self.stream.finish(Err(in_body(failure)));
            return false;
        }
    }

    /// One read, unless the body is abandoned before something arrives.
    async fn step(&mut self, thread: &Thread) -> Step {
        let mut progress = Progress::default();
        let Self { connection, reply, stream, .. } = self;
        poll_fn(|cx| match stream.poll_room(cx) {
            Poll::Ready(false) => Poll::Ready(Step::Abandoned),
            _ => reply.poll(&mut connection.stream, cx, thread, &mut progress).map(Step::Read),
        })
        .await
    }
}

/// The connections of one lane.
pub struct Direct {
    lane: Rc<Lane>,
    thread: Rc<Thread>,
    idle: Vec<Idle>,
    /// A body that is being handed on.
    open: Option<Box<Open>>,
    /// What came of the response that failed last.
    partial: Option<Response>,
}

/// A connection whose response has been delivered before its body.
struct Open {
    connection: Idle,
    reply: Reply,
    stream: Arc<Stream>,
    read_timeout: Option<Duration>,
}

impl Direct {
    pub fn new(lane: Rc<Lane>, thread: Rc<Thread>) -> Self {
        Self { lane, thread, idle: Vec::new(), open: None, partial: None }
    }

    /// Close what is kept alive.
    pub fn close(&mut self) {
        self.idle = Vec::new();
    }

    fn take_idle(&mut self, request: &Request) -> Option<Connected> {
        let at = self.idle.iter().position(|idle| idle.serves(request))?;
        let mut stream = self.idle.remove(at).stream;
        is_quiet(&mut stream).then_some(stream)
    }

    /// Serve the next request to that origin on a connection that was opened elsewhere.
    pub fn adopt(&mut self, request: &Request, stream: Connected) {
        self.keep(Idle::new(request, stream));
    }

    fn keep(&mut self, connection: Idle) {
        if self.idle.len() == MAX_IDLE {
            self.idle.remove(0);
        }
        if self.idle.len() == self.idle.capacity() {
            // Nearly every user has one origin: no room for more than are there.
            self.idle.reserve_exact(1);
        }
        self.idle.push(connection);
    }

    /// Hand on the rest of the body of the last response, if that was asked for before its body was in.
    pub async fn hand_on(&mut self) {
        let Some(mut open) = self.open.take() else { return };
        let stream = Arc::clone(&open.stream);
        let kept = caught(Box::pin(open.hand_on(&self.lane, &self.thread)).as_mut()).await.unwrap_or_else(|bug| {
            stream.finish(Err(bug));
            false
        });
        if let Some(reader) = open.stream.satisfied_reader() {
            self.thread.ready(reader);
        }
        if kept {
            self.keep(open.connection);
        }
    }

    /// The response, and its connection to where it is needed next.
    fn deliver(&mut self, request: &Request, exchanged: Exchanged, stream: Connected) -> Result<Response, Failure> {
        let Exchanged { mut response, content_encoding, keep_alive, rest } = exchanged;
        match rest {
            Some((reply, body)) => {
                let connection = Idle::new(request, stream);
                let read_timeout = request.settings.read_timeout;
                self.open = Some(Box::new(Open { connection, reply, stream: body, read_timeout }));
            }
            None if keep_alive => self.keep(Idle::new(request, stream)),
            None => {}
        }
        match content_encoding {
            None => Ok(response),
            Some(encoding) => match decode_body(&mut response, request.url.style(), &encoding) {
                Ok(()) => Ok(response),
                Err(failure) => {
                    self.partial = Some(response);
                    Err(failure)
                }
            },
        }
    }

    async fn open(&self, request: &Request, stamps: &mut Stamps) -> Result<Connected, Failure> {
        // Boxed: look-up and handshake are large and rare, and every idle user's task would be as large as they are.
        let stream = Box::pin(connect(request, Alpn::None, &self.lane, &self.thread, stamps)).await?;
        stamps.opened(Instant::now());
        Ok(stream)
    }

    /// Whether the server had closed a kept-alive connection before the request reached it: then, and only then,
    /// sending it again on a new one cannot make it count twice. `written`: what had been written before the request.
    async fn met_a_closed_connection(
        &self,
        failure: &Failure,
        stream: &Connected,
        written: u64,
    ) -> Result<bool, Failure> {
        let written = stream.socket().written() - written;
        match failure {
            Failure::Broken(_) | Failure::Disconnected if written == 0 => Ok(true),
            // The error of a write is the socket's: taken, so it cannot be asked for again.
            Failure::Broken(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                Ok(stream.socket().unacknowledged() == Some(written))
            }
            Failure::Disconnected => {
                let proof = stream.socket().was_closed_before(written);
                match self.lane.within(&self.thread, Some(RESET_PATIENCE), proof).await {
                    Err(Failure::Cancelled) => Err(Failure::Cancelled),
                    proven => Ok(proven.unwrap_or(false)),
                }
            }
            _ => Ok(false),
        }
    }
}

impl Transport for Direct {
    async fn send(
        &mut self,
        request: &Request,
        cookies: Option<&str>,
        stamps: &mut Stamps,
    ) -> Result<Response, Failure> {
        self.partial = None;
        let (mut stream, mut reused) = match self.take_idle(request) {
            Some(stream) => (stream, true),
            None => (self.open(request, stamps).await?, false),
        };
        loop {
            let mut progress = Progress::default();
            let written = stream.socket().written();
            let result = http1::exchange(&mut stream, request, cookies, &self.lane, &self.thread, &mut progress).await;
            stamps.exchanged(progress.sent, progress.first_byte);
            match result {
                Ok(exchanged) => {
                    stamps.was_sent = true;
                    stamps.phases.reused += u32::from(reused);
                    return self.deliver(request, exchanged, stream);
                }
                Err(failure) => {
                    let again = reused
                        && progress.first_byte.is_none()
                        && !request.upload.as_ref().is_some_and(|upload| upload.is_begun())
                        && self.met_a_closed_connection(&failure, &stream, written).await?;
                    if !again {
                        stamps.phases.reused += u32::from(reused);
                        stamps.was_sent |= stream.socket().written() > written;
                        self.partial = progress.partial;
                        return Err(failure);
                    }
                    reused = false;
                    stream = self.open(request, stamps).await?;
                }
            }
        }
    }

    fn take_partial(&mut self) -> Option<Response> {
        self.partial.take()
    }

    async fn pause(&mut self, pause: Duration) -> Result<(), Failure> {
        match self.lane.within(&self.thread, Some(pause), std::future::pending::<()>()).await {
            Err(Failure::Cancelled) => Err(Failure::Cancelled),
            _ => Ok(()),
        }
    }
}

/// Undo the coding of a response's body.
pub fn decode_body(response: &mut Response, style: Style, encoding: &str) -> Result<(), Failure> {
    if response.body().is_empty() {
        return Ok(());
    }
    let body = decode::decode(style, encoding, response.body().to_vec(), MAX_DECODED).map_err(Failure::Decode)?;
    response.set_body(body.into_boxed_slice());
    Ok(())
}

/// Whether nothing has happened on an idle connection. tokio knows without a system call unless something has.
pub fn is_quiet<S: AsyncRead + Unpin>(stream: &mut S) -> bool {
    let mut byte = [0; 1];
    let mut buffer = ReadBuf::new(&mut byte);
    let mut cx = Context::from_waker(Waker::noop());
    Pin::new(stream).poll_read(&mut cx, &mut buffer).is_pending()
}
