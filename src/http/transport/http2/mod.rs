//! HTTP/2: one connection for each origin of a session, which all its lanes share.
//!
//! Over TLS the server chooses (ALPN): where it chooses HTTP/1.1 the session speaks that with this origin from then on.
//! Without TLS the server is taken to speak HTTP/2, there being no way to ask it.

mod exchange;
mod head;

use std::cell::{Cell, RefCell};
use std::io;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use h2::RecvStream;
use h2::client::{Builder, SendRequest};
use tokio::sync::Notify;

use super::connect::{Alpn, Connected, connect};
use super::head::MAX_HEAD;
use super::parts::Collected;
use super::{Phase, Stamps, Tls};
use crate::http::io::{Lane, Thread};
use crate::http::url::{Origin, Scheme};
use crate::http::{Failure, Request};

pub use exchange::as_failure as stream_failure;
use exchange::{Fault, exchange};
pub use head::headers as header_map;

/// What a server may send of one body, and of all, before it has to wait for us. A reader that is slow holds up no other.
const STREAM_WINDOW: u32 = 2 << 20;
const CONNECTION_WINDOW: u32 = 16 << 20;
/// Larger pieces than the protocol's least: a long body costs fewer of them.
const MAX_FRAME: u32 = 64 * 1024;
/// How often a request that was provably not looked at is sent again, on this or on a new connection.
const MOST_ATTEMPTS: u32 = 3;

/// A session's connections. Its lanes, all on one thread, share them.
#[derive(Default)]
pub struct Connections {
    slots: RefCell<Vec<Slot>>,
    last_number: Cell<u64>,
}

/// What is known of an origin.
struct Slot {
    number: u64,
    origin: Arc<Origin>,
    tls: Option<Tls>,
    state: State,
}

#[derive(Clone)]
enum State {
    Opening(Rc<Attempt>),
    Open(SendRequest<Bytes>),
    /// The server prefers it.
    Http1,
}

/// A connection that is being opened, as those see it who wait for it.
#[derive(Default)]
struct Attempt {
    over: Notify,
    failure: RefCell<Option<Failure>>,
}

/// What a request is to be sent on.
pub enum Line {
    Http2(Shared),
    /// With the connection over which the server said so, if it was opened just now.
    Http1(Option<Connected>),
}

/// A connection that other lanes may be using.
pub struct Shared {
    number: u64,
    sender: SendRequest<Bytes>,
}

impl Slot {
    fn serves(&self, request: &Request) -> bool {
        self.origin == *request.url.origin() && self.tls.as_ref().is_none_or(|tls| *tls == request.settings.tls)
    }
}

impl Connections {
    /// Close them; what is under way on them is finished first.
    pub fn close(&self) {
        self.slots.borrow_mut().retain(|slot| matches!(slot.state, State::Opening(_)));
    }

    /// Send a request on `line`, and again while it is certain that no server has seen it. `Err(None)`: another line
    /// must be found.
    #[allow(clippy::too_many_arguments)] // what an exchange needs
    pub async fn send(
        &self,
        mut shared: Shared,
        request: &Request,
        body: &[u8],
        cookies: Option<&str>,
        stamps: &mut Stamps,
        lane: &Lane,
        thread: &Thread,
        attempt: &mut u32,
    ) -> Result<(Collected, RecvStream), Option<Failure>> {
        *attempt += 1;
        match exchange(&mut shared.sender, request, body, cookies, stamps, lane, thread).await {
            Ok(answered) => Ok(answered),
            Err(Fault::Refused(_)) if *attempt < MOST_ATTEMPTS => Err(None),
            Err(Fault::Gone(_)) if *attempt < MOST_ATTEMPTS => {
                self.forget(shared.number);
                Err(None)
            }
            Err(Fault::Refused(failure) | Fault::Failed(failure)) => Err(Some(failure)),
            Err(Fault::Gone(failure)) => {
                self.forget(shared.number);
                Err(Some(failure))
            }
        }
    }

    /// The line to the origin of `request`: opened if there is none, waited for while another lane opens it.
    pub async fn line(
        &self,
        request: &Request,
        stamps: &mut Stamps,
        lane: &Lane,
        thread: &Thread,
    ) -> Result<Line, Failure> {
        loop {
            match self.find(request) {
                None => return self.open(request, stamps, lane, thread).await,
                Some((_, State::Http1)) => return Ok(Line::Http1(None)),
                Some((number, State::Open(sender))) => match lane.within(thread, None, sender.ready()).await? {
                    Ok(sender) => {
                        stamps.phases.reused += 1;
                        return Ok(Line::Http2(Shared { number, sender }));
                    }
                    Err(_closed) => self.forget(number),
                },
                Some((_, State::Opening(attempt))) => {
                    stamps.enter(Phase::Connect, Instant::now());
                    lane.within(thread, None, attempt.over.notified()).await?;
                    stamps.enter(Phase::Sending, Instant::now());
                    if let Some(failure) = &*attempt.failure.borrow() {
                        return Err(copy(failure));
                    }
                }
            }
        }
    }

    fn find(&self, request: &Request) -> Option<(u64, State)> {
        let slots = self.slots.borrow();
        slots.iter().find(|slot| slot.serves(request)).map(|slot| (slot.number, slot.state.clone()))
    }

    fn forget(&self, number: u64) {
        self.slots.borrow_mut().retain(|slot| slot.number != number);
    }

    async fn open(
        &self,
        request: &Request,
        stamps: &mut Stamps,
        lane: &Lane,
        thread: &Thread,
    ) -> Result<Line, Failure> {
        let attempt = Rc::new(Attempt::default());
        let number = self.last_number.get() + 1;
        self.last_number.set(number);
        let tls = (request.url.scheme() == Scheme::Https).then(|| request.settings.tls.clone());
        let (origin, state) = (Arc::clone(request.url.origin()), State::Opening(Rc::clone(&attempt)));
        self.slots.borrow_mut().push(Slot { number, origin, tls, state });

        let opened = Box::pin(open(request, stamps, lane, thread)).await;
        let line = match opened {
            Err(failure) => {
                self.forget(number);
                // Who was killed while it opened a connection says nothing about the server: the next one tries.
                let shown = (!matches!(failure, Failure::Cancelled)).then(|| copy(&failure));
                attempt.failure.replace(shown);
                Err(failure)
            }
            Ok(Opened::Http2(sender)) => {
                stamps.opened(Instant::now());
                self.become_state(number, State::Open(sender.clone()));
                Ok(Line::Http2(Shared { number, sender }))
            }
            Ok(Opened::Http1(stream)) => {
                stamps.opened(Instant::now());
                self.become_state(number, State::Http1);
                Ok(Line::Http1(Some(stream)))
            }
        };
        attempt.over.notify_waiters();
        line
    }

    fn become_state(&self, number: u64, state: State) {
        if let Some(slot) = self.slots.borrow_mut().iter_mut().find(|slot| slot.number == number) {
            slot.state = state;
        }
    }
}

enum Opened {
    Http2(SendRequest<Bytes>),
    Http1(Connected),
}

async fn open(request: &Request, stamps: &mut Stamps, lane: &Lane, thread: &Thread) -> Result<Opened, Failure> {
    let stream = connect(request, Alpn::Http2, lane, thread, stamps).await?;
    if !stream.speaks_http2() {
        return Ok(Opened::Http1(stream));
    }
    let handshake = Builder::new()
        .enable_push(false)
        .initial_window_size(STREAM_WINDOW)
        .initial_connection_window_size(CONNECTION_WINDOW)
        .max_frame_size(MAX_FRAME)
        .max_header_list_size(MAX_HEAD as u32)
        .handshake(stream);
    let (sender, connection) =
        lane.within(thread, request.settings.connect_timeout, handshake).await?.map_err(stream_failure)?;
    // It ends when the connection does, or when nobody holds a sender any more. What went wrong its streams are told.
    tokio::task::spawn_local(async move { drop(connection.await) });
    Ok(Opened::Http2(sender))
}

/// The same once more, for each of those who waited for one connection.
fn copy(failure: &Failure) -> Failure {
    match failure {
        Failure::Resolve { host, code, message } => {
            Failure::Resolve { host: host.clone(), code: *code, message: message.clone() }
        }
        Failure::AskCaller { host, port } => Failure::AskCaller { host: host.clone(), port: *port },
        Failure::Connect(error) => Failure::Connect(copy_io(error)),
        Failure::ConnectTimeout(after) => Failure::ConnectTimeout(*after),
        Failure::Certificate(message) => Failure::Certificate(message.clone()),
        Failure::Tls(message) => Failure::Tls(message.clone()),
        Failure::Broken(error) => Failure::Broken(copy_io(error)),
        other => Failure::Connect(io::Error::other(other.to_string())),
    }
}

fn copy_io(error: &io::Error) -> io::Error {
    match error.raw_os_error() {
        Some(code) => io::Error::from_raw_os_error(code),
        None => io::Error::new(error.kind(), error.to_string()),
    }
}
