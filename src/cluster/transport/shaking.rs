//! A connection whose two sides introduce themselves.

use std::io;

use bytes::{Buf, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::key::{Handshake, Key};
use super::link::Broken;
use super::wire::{self, Command, GREETING, Greeting, Reader, Violation, Writer};

/// A connection before its peer is known.
pub(super) struct Shaking {
    pub(super) stream: TcpStream,
    pub(super) arrived: BytesMut,
    pub(super) reader: Reader,
    pub(super) writer: Writer,
}

impl Shaking {
    pub(super) fn new(stream: TcpStream) -> Self {
        Self { stream, arrived: BytesMut::new(), reader: Reader::new(None), writer: Writer::default() }
    }

    async fn fill(&mut self) -> Result<(), Broken> {
        self.arrived.reserve(GREETING);
        match self.stream.read_buf(&mut self.arrived).await? {
            0 => Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
            _ => Ok(()),
        }
    }

    pub(super) async fn greeting(&mut self) -> Result<Greeting, Broken> {
        loop {
            if let Some(greeting) = wire::read_greeting(&self.arrived)? {
                self.arrived.advance(GREETING);
                return Ok(greeting);
            }
            self.fill().await?;
        }
    }

    pub(super) async fn send(&mut self, command: &Command) -> Result<(), Broken> {
        let mut out = BytesMut::new();
        self.writer.command(&mut out, &command.write());
        Ok(self.stream.write_all(&out).await?)
    }

    pub(super) async fn command(&mut self) -> Result<Command, Broken> {
        loop {
            match self.reader.next(&mut self.arrived)? {
                Some(frame) if frame.is_command => match Command::read(frame.body)? {
                    Command::Error(reason) => return Err(Broken::Told(reason)),
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
    pub(super) async fn prove(&mut self, key: &Key, is_router: bool) -> Result<(), Broken> {
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
