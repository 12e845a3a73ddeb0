//! One connection: introductions, then messages both ways until it breaks.

use std::io;
use std::time::Duration;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, mpsc};
use tokio::time::timeout;

use super::Settings;
use super::key::{Handshake, Key};
use super::outgoing::{BATCH, Outgoing};
use super::queue::Queue;
use super::silence::{Patience, Silence, Verdict};
use super::wire::{self, Command, Frame, GREETING, Greeting, Mechanism, Reader, Ready, Violation, Writer};

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
}

impl Link {
    /// Introduce both sides to each other.
    pub(super) async fn open(stream: TcpStream, us: &Us) -> Result<Self, Broken> {
        timeout(HANDSHAKE, Self::introduce(stream, us)).await.map_err(|_| Broken::Silent)?
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
        Ok(Self { stream, arrived, reader, writer, peer, greeting, patience })
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
        let mut out = Outgoing::new(queue, &mut self.writer);
        let mut inbound = Inbound { arrived: &mut self.arrived, reader: &mut self.reader, in_parts: false };
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
    reader: Reader,
    writer: Writer,
}

impl Shaking {
    fn new(stream: TcpStream) -> Self {
        Self { stream, arrived: BytesMut::new(), reader: Reader::new(None), writer: Writer::default() }
    }

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
        self.writer.command(&mut out, &command.write());
        Ok(self.stream.write_all(&out).await?)
    }

    async fn command(&mut self) -> Result<Command, Broken> {
        loop {
            match self.reader.next(&mut self.arrived)? {
                Some(frame) if frame.is_command => match Command::read(frame.body)? {
                    Command::Error(reason) => return Err(Broken::Refused(reason)),
                    command => return Ok(command),
                },
                Some(_) => return Err(Violation::OutOfPlace.into()),
                None => self.fill().await?,
            }
        }
    }

    async fn proof(&mut self) -> Result<Bytes, Broken> {
        match self.command().await? {
            Command::Proof(proof) => Ok(proof),
            _ => Err(Violation::OutOfPlace.into()),
        }
    }

    /// Show each other that both have the key; from here on everything is sealed.
    async fn prove(&mut self, key: &Key, is_router: bool) -> Result<(), Broken> {
        let ours = Handshake::begin()?;
        let agreed = if is_router {
            self.send(&Command::Proof(ours.hello())).await?;
            let answer = self.proof().await?;
            match ours.check(key, &answer) {
                Ok((proof, agreed)) => {
                    self.send(&Command::Proof(proof)).await?;
                    agreed
                }
                Err(_) => return Err(self.refuse().await),
            }
        } else {
            let hello = self.proof().await?;
            let (answer, agreed) = ours.answer(key, &hello)?;
            self.send(&Command::Proof(answer)).await?;
            let proof = self.proof().await?;
            agreed.finish(&proof).map_err(|_| Broken::Refused(OTHER_KEY_THERE.into()))?;
            agreed
        };
        let (sealing, opening) = agreed.ciphers(is_router);
        self.writer = Writer(Some(sealing));
        self.reader = Reader::new(Some(opening));
        Ok(())
    }

    async fn refuse(&mut self) -> Broken {
        // Whether the other side hears it or not, it is refused.
        let _ = self.send(&Command::Error(OTHER_KEY_THERE.into())).await;
        Broken::Refused(OTHER_KEY_HERE.into())
    }
}

/// What a worker is told, in the words that its log has.
const OTHER_KEY_THERE: &str = "the master has another cluster key: give both the same `--cluster-key`";
const OTHER_KEY_HERE: &str =
    "a worker was refused because its cluster key is another one: give both the same `--cluster-key`";

/// Makes messages of what arrives, and answers commands.
struct Inbound<'a> {
    arrived: &'a mut BytesMut,
    reader: &'a mut Reader,
    /// The frame before announced another part of the same message.
    in_parts: bool,
}

impl Inbound<'_> {
    fn next(&mut self, out: &mut Outgoing<'_>) -> Result<Option<Bytes>, Violation> {
        while let Some(frame) = self.reader.next(self.arrived)? {
            if frame.is_command {
                answer(frame, out)?;
                continue;
            }
            // Locust's messages have one part, and it reads no other.
            let is_first = !self.in_parts;
            self.in_parts = frame.more;
            if is_first {
                return Ok(Some(frame.body.freeze()));
            }
        }
        Ok(None)
    }

    fn make_room(&mut self) {
        self.arrived.reserve(self.reader.missing(self.arrived).clamp(ROOM, MOST_ROOM));
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
