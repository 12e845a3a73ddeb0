//! One connection: introductions, then messages both ways until it breaks.

use std::io;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::ReadHalf;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::Settings;
use super::inbound::{Arrived, Inbound};
use super::outgoing::Outgoing;
use super::queue::Queue;
use super::room::{Grant, Rooms, Step};
use super::shaking::Shaking;
use super::silence::{Patience, Silence, Verdict};
use super::wire::{self, Command, Greeting, Mechanism, Reader, Ready, Violation, Writer};

/// How long a stranger may take to introduce himself.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// How long one's own attempt may take: the network may have been silent when it began, and be well now.
const ATTEMPT: Duration = Duration::from_secs(3);
/// Why a connection ended, or never began.
#[derive(Debug, thiserror::Error)]
pub(super) enum Broken {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Violation(#[from] Violation),
    /// The two sides are set up differently; the text says how.
    #[error("{0}")]
    Refused(String),
    /// The peer refuses this side, in words of its own: nobody vouches for them.
    #[error("{0:?}")]
    Told(String),
    #[error("it is silent")]
    Silent,
    /// Whoever reads what arrives is gone.
    #[error("it is not needed any more")]
    Unwanted,
}

/// What this side is.
#[derive(Debug, Clone)]
pub(super) struct Us {
    pub(super) settings: Settings,
    pub(super) is_router: bool,
    pub(super) identity: Bytes,
    /// For large messages of all its connections.
    rooms: Rooms,
}

impl Us {
    pub(super) fn new(settings: Settings, is_router: bool, identity: Bytes) -> Self {
        let rooms = Rooms::new(settings.most_bytes);
        Self { settings, is_router, identity, rooms }
    }

    fn ready(&self) -> Command {
        let socket_type = Bytes::from_static(if self.is_router { b"ROUTER" } else { b"DEALER" });
        Command::Ready(Ready { socket_type, identity: self.identity.clone(), is_ours: true })
    }

    /// Why the two sides cannot talk at all.
    fn difference(&self, theirs: Mechanism) -> String {
        let text = match (self.is_router, theirs) {
            (_, Mechanism::Other) => {
                "the other side wants a security mechanism of ZeroMQ's own, which Locust has no word for"
            }
            (true, Mechanism::Null) => {
                "a worker was refused because it has no cluster key: give it this master's `--cluster-key` (Locust's own workers have none)"
            }
            (true, Mechanism::Sealed) => {
                "a worker was refused because it has a cluster key and this master has none: give both the same `--cluster-key`"
            }
            (false, Mechanism::Sealed) => {
                "the master wants a cluster key: give this worker the master's `--cluster-key`"
            }
            (false, Mechanism::Null) => {
                "the master has no cluster key, and this worker has one: give both the same `--cluster-key` (Locust's own master has none)"
            }
        };
        text.into()
    }

    /// Which sockets may talk to which is the protocol's rule.
    fn takes(&self, socket_type: &[u8]) -> bool {
        let others: [&[u8]; 3] =
            if self.is_router { [b"DEALER", b"REQ", b"ROUTER"] } else { [b"ROUTER", b"REP", b"DEALER"] };
        others.contains(&socket_type)
    }
}

/// A connection whose peer has introduced itself.
pub(super) struct Link {
    stream: TcpStream,
    arrived: BytesMut,
    reader: Reader,
    writer: Writer,
    pub(super) peer: Ready,
    greeting: Greeting,
    patience: Patience,
    rooms: Rooms,
}

impl Link {
    /// Introduce both sides to each other.
    pub(super) async fn open(stream: TcpStream, us: &Us) -> Result<Self, Broken> {
        let within = if us.is_router { HANDSHAKE } else { ATTEMPT };
        timeout(within, Self::introduce(stream, us)).await.map_err(|_| Broken::Silent)?
    }

    async fn introduce(stream: TcpStream, us: &Us) -> Result<Self, Broken> {
        let mechanism = if us.settings.key.is_some() { Mechanism::Sealed } else { Mechanism::Null };
        let mut shaking = Shaking::new(stream);
        shaking.stream.write_all(&wire::greeting(mechanism, us.is_router)).await?;
        let greeting = shaking.greeting().await?;
        if greeting.mechanism != mechanism {
            return Err(Broken::Refused(us.difference(greeting.mechanism)));
        }
        if let Some(key) = &us.settings.key {
            shaking.prove(key, us.is_router).await?;
        }
        shaking.send(&us.ready()).await?;
        let peer = loop {
            match shaking.command().await? {
                Command::Ready(peer) if us.takes(&peer.socket_type) => break peer,
                Command::Other => {}
                _ => return Err(Violation::OutOfPlace.into()),
            }
        };
        let Shaking { stream, arrived, mut reader, writer } = shaking;
        reader.accept(us.settings.most_bytes);
        let patience = Patience::with(us.is_router, peer.is_ours, greeting.answers_pings);
        Ok(Self { stream, arrived, reader, writer, peer, greeting, patience, rooms: us.rooms.clone() })
    }

    /// Send what the queue has and deliver what arrives, until something breaks.
    pub(super) async fn pump<T>(
        &mut self,
        queue: &Queue,
        incoming: &mpsc::Sender<T>,
        wrap: impl Fn(Arrived) -> T,
        challenged: &Notify,
    ) -> Broken {
        let (mut reader, mut writer) = self.stream.split();
        let mut out = Outgoing::new(queue, &mut self.writer);
        let mut inbound = Inbound::new(&mut self.arrived, &mut self.reader);
        let mut silence = Silence::new(self.patience);
        let mut held = None;
        loop {
            if held.is_none() {
                held = match inbound.next(&mut out) {
                    Ok(message) => message,
                    Err(violation) => return violation.into(),
                };
            }
            // While nobody takes messages, or there is no room for a large one, nothing is read: TCP slows the peer down.
            let step = inbound.wants_room().filter(|_| held.is_none());
            let is_reading = held.is_none() && step.is_none();
            tokio::select! {
                slot = incoming.reserve(), if held.is_some() => match (slot, held.take()) {
                    (Ok(slot), Some(message)) => slot.send(wrap(message)),
                    _ => return Broken::Unwanted,
                },
                Some(grant) = find_room(&self.rooms, step), if step.is_some() => inbound.has_room(grant),
                read = read(&mut reader, &mut inbound), if is_reading => match read {
                    Ok(0) => return io::Error::from(io::ErrorKind::UnexpectedEof).into(),
                    Ok(_) => silence.is_over(),
                    Err(error) => return error.into(),
                },
                written = writer.write_buf(&mut out.buffer), if !out.buffer.is_empty() => match written {
                    Ok(bytes) => out.wrote(bytes),
                    Err(error) => return error.into(),
                },
                message = queue.take(), if out.buffer.is_empty() => out.fill(message),
                () = silence.goes_on() => match silence.verdict() {
                    // Who is not listened to is not silent.
                    _ if !is_reading => silence.is_over(),
                    Verdict::End => return Broken::Silent,
                    _ if inbound.is_overdue(silence.seconds(), self.rooms.are_full()) => return Broken::Silent,
                    Verdict::Ask => out.command(&Command::Ping(Bytes::new()).write()),
                    Verdict::Wait => {}
                },
                () = challenged.notified() => silence.challenge(self.greeting.answers_pings),
            }
        }
    }

    /// Say that no more will come, and let what has been sent arrive: closing while something unread is there would
    /// take it back.
    pub(super) async fn farewell(mut self, within: Duration) {
        let parting = async {
            self.stream.shutdown().await?;
            let mut rest = BytesMut::with_capacity(4096);
            while self.stream.read_buf(&mut rest).await? > 0 {
                rest.clear();
            }
            io::Result::Ok(())
        };
        // Whatever goes wrong now, the connection is at its end.
        let _ = timeout(within, parting).await;
    }
}

async fn find_room(rooms: &Rooms, step: Option<Step>) -> Option<Grant> {
    Some(rooms.find(step?).await)
}

async fn read(reader: &mut ReadHalf<'_>, inbound: &mut Inbound<'_>) -> io::Result<usize> {
    reader.read_buf(&mut inbound.space()).await
}
