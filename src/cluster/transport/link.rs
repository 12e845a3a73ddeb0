//! One connection: introductions, then messages both ways until it breaks.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::Settings;
use super::outgoing::{BATCH, Outgoing};
use super::queue::Queue;
use super::silence::{Patience, Silence, Verdict};
use super::wire::{self, Command, Frame, Frames, GREETING, Greeting, Mechanism, Ready, Violation};

/// How long a connection may take to introduce itself.
const HANDSHAKE: Duration = Duration::from_secs(10);
/// Room that a connection always has for what arrives.
const ROOM: usize = 4096;
/// What is announced is not allocated at once: the announcement may be a lie.
const MOST_ROOM: usize = 1 << 20;

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
}

impl Us {
    fn ready(&self) -> Command {
        let socket_type = Bytes::from_static(if self.is_router { b"ROUTER" } else { b"DEALER" });
        Command::Ready(Ready { socket_type, identity: self.identity.clone(), is_ours: true })
    }

    /// Which sockets may talk to which is the protocol's rule.
    fn takes(&self, socket_type: &[u8]) -> bool {
        let others: [&[u8]; 3] =
            if self.is_router { [b"DEALER", b"REQ", b"ROUTER"] } else { [b"ROUTER", b"REP", b"DEALER"] };
        others.contains(&socket_type)
    }
}

/// A connection whose peer has introduced itself.
#[derive(Debug)]
pub(super) struct Link {
    stream: TcpStream,
    arrived: BytesMut,
    frames: Frames,
    pub(super) peer: Ready,
    greeting: Greeting,
    patience: Patience,
}

impl Link {
    /// Introduce both sides to each other.
    pub(super) async fn open(stream: TcpStream, us: &Us) -> Result<Self, Broken> {
        timeout(HANDSHAKE, Self::introduce(stream, us)).await.map_err(|_| Broken::Silent)?
    }

    async fn introduce(stream: TcpStream, us: &Us) -> Result<Self, Broken> {
        let mut shaking = Shaking { stream, arrived: BytesMut::new(), frames: Frames::new(0) };
        shaking.stream.write_all(&wire::greeting(Mechanism::Null, us.is_router)).await?;
        let greeting = shaking.greeting().await?;
        if greeting.mechanism != Mechanism::Null {
            return Err(Broken::Refused(
                "the other side wants a security mechanism that this one does not have".into(),
            ));
        }
        shaking.send(&us.ready()).await?;
        let peer = loop {
            match shaking.command().await? {
                Command::Ready(peer) if us.takes(&peer.socket_type) => break peer,
                Command::Error(reason) => return Err(Broken::Refused(format!("the other side refused: {reason}"))),
                Command::Other => {}
                _ => return Err(Violation::OutOfPlace.into()),
            }
        };
        let patience = Patience::with(us.is_router, peer.is_ours, greeting.answers_pings);
        let frames = Frames::new(us.settings.most_bytes);
        Ok(Self { stream: shaking.stream, arrived: shaking.arrived, frames, peer, greeting, patience })
    }

    /// Send what the queue has and deliver what arrives, until something breaks.
    pub(super) async fn pump<T>(
        &mut self,
        queue: &Queue,
        incoming: &mpsc::Sender<T>,
        wrap: impl Fn(Bytes) -> T,
        challenged: &Notify,
    ) -> Broken {
        let (mut reader, mut writer) = self.stream.split();
        let mut out = Outgoing::new(queue);
        let mut inbound = Inbound { arrived: &mut self.arrived, frames: &mut self.frames, in_parts: false };
        let mut silence = Silence::new(self.patience);
        loop {
            let message = match inbound.next(&mut out) {
                Ok(message) => message,
                Err(violation) => return violation.into(),
            };
            if let Some(message) = message {
                // While nobody takes messages nothing is read, so the peer is slowed down by TCP; what waits to be sent
                // to it waits too.
                match incoming.send(wrap(message)).await {
                    Ok(()) => continue,
                    Err(_) => return Broken::Unwanted,
                }
            }
            inbound.make_room();
            tokio::select! {
                read = reader.read_buf(inbound.arrived) => match read {
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
                    Verdict::Wait => {}
                    Verdict::Ask => out.command(&Command::Ping(Bytes::new()).write()),
                    Verdict::End => return Broken::Silent,
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
            let mut rest = BytesMut::with_capacity(ROOM);
            while self.stream.read_buf(&mut rest).await? > 0 {
                rest.clear();
            }
            io::Result::Ok(())
        };
        // Whatever goes wrong now, the connection is at its end.
        let _ = timeout(within, parting).await;
    }
}

/// A connection before its peer is known.
struct Shaking {
    stream: TcpStream,
    arrived: BytesMut,
    frames: Frames,
}

impl Shaking {
    async fn fill(&mut self) -> Result<(), Broken> {
        self.arrived.reserve(GREETING);
        match self.stream.read_buf(&mut self.arrived).await? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            _ => Ok(()),
        }
    }

    async fn greeting(&mut self) -> Result<Greeting, Broken> {
        loop {
            if let Some(greeting) = wire::read_greeting(&self.arrived)? {
                self.arrived.advance(GREETING);
                return Ok(greeting);
            }
            self.fill().await?;
        }
    }

    async fn send(&mut self, command: &Command) -> Result<(), Broken> {
        let mut out = BytesMut::new();
        wire::write_command(&mut out, &command.write());
        Ok(self.stream.write_all(&out).await?)
    }

    async fn command(&mut self) -> Result<Command, Broken> {
        loop {
            match self.frames.next(&mut self.arrived)? {
                Some(frame) if frame.is_command => return Ok(Command::read(frame.body)?),
                Some(_) => return Err(Violation::OutOfPlace.into()),
                None => self.fill().await?,
            }
        }
    }
}

/// Makes messages of what arrives, and answers commands.
struct Inbound<'a> {
    arrived: &'a mut BytesMut,
    frames: &'a mut Frames,
    /// The frame before announced another part of the same message.
    in_parts: bool,
}

impl Inbound<'_> {
    fn next(&mut self, out: &mut Outgoing<'_>) -> Result<Option<Bytes>, Violation> {
        while let Some(frame) = self.frames.next(self.arrived)? {
            if frame.is_command {
                answer(frame, out)?;
                continue;
            }
            // Locust's messages have one part, and it reads no other.
            let is_first = !self.in_parts;
            self.in_parts = frame.more;
            if is_first {
                return Ok(Some(frame.body));
            }
        }
        Ok(None)
    }

    fn make_room(&mut self) {
        self.arrived.reserve(self.frames.missing(self.arrived).clamp(ROOM, MOST_ROOM));
    }
}

fn answer(frame: Frame, out: &mut Outgoing<'_>) -> Result<(), Violation> {
    match Command::read(frame.body)? {
        // A peer that asks and reads no answers must not fill the memory.
        Command::Ping(context) if out.buffer.len() < BATCH => out.command(&wire::pong(&context)),
        Command::Ping(_) | Command::Pong | Command::Other => {}
        Command::Ready(_) | Command::Error(_) | Command::Proof(_) => return Err(Violation::OutOfPlace),
    }
    Ok(())
}
