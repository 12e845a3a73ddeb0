//! What one connection is reading.

use std::sync::Arc;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::Instant;

use super::outgoing::{BATCH, Outgoing};
use super::wire::{self, Command, Frame, Reader, Violation};

/// Room that a connection always has for what arrives.
const ROOM: usize = 4096;
/// What is announced is not allocated at once: the announcement may be a lie.
const MOST_ROOM: usize = 1 << 20;
/// Longer messages than this take their room out of what all connections share.
const LARGE: usize = 64 << 10;
/// How long a large message may be on its way: it holds room that others wait for.
const PATIENCE: Duration = Duration::from_mins(1);
/// Bytes to a permit.
const UNIT: usize = 1 << 10;
/// What large messages of all connections may take together, until they have been handed out.
const SHARED: usize = 256 << 20;

/// Room for large messages, which all connections of a socket share.
pub(super) fn shared_room(most_bytes: usize) -> Arc<Semaphore> {
    Arc::new(Semaphore::new((SHARED.max(most_bytes) / UNIT).saturating_add(1).min(Semaphore::MAX_PERMITS)))
}

/// Wait for room for a message of this length.
pub(super) async fn find_room(shared: &Arc<Semaphore>, length: usize) -> OwnedSemaphorePermit {
    let permits = u32::try_from(length.div_ceil(UNIT)).unwrap_or(u32::MAX);
    Arc::clone(shared).acquire_many_owned(permits).await.expect("nobody closes it")
}

/// A message, with the room that it takes.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) message: Bytes,
    room: Option<OwnedSemaphorePermit>,
}

impl Arrived {
    /// Hand it out; its room is free again.
    pub(super) fn take(self) -> Bytes {
        drop(self.room);
        self.message
    }
}

/// Makes messages of what arrives, and answers commands.
pub(super) struct Inbound<'a> {
    pub(super) buffer: &'a mut BytesMut,
    reader: &'a mut Reader,
    /// Of the large message that is on its way, and until when it may be.
    room: Option<(OwnedSemaphorePermit, Instant)>,
    /// The frame before announced another part of the same message.
    in_parts: bool,
}

impl<'a> Inbound<'a> {
    pub(super) fn new(buffer: &'a mut BytesMut, reader: &'a mut Reader) -> Self {
        Self { buffer, reader, room: None, in_parts: false }
    }

    /// The next message, where it has arrived.
    pub(super) fn next(&mut self, out: &mut Outgoing<'_>) -> Result<Option<Arrived>, Violation> {
        while let Some(frame) = self.reader.next(self.buffer)? {
            if frame.is_command {
                answer(frame, out)?;
                continue;
            }
            let room = self.room.take().map(|(room, _)| room);
            // Locust's messages have one part, and it reads no other.
            let is_first = !self.in_parts;
            self.in_parts = frame.more;
            if is_first {
                return Ok(Some(Arrived { message: frame.body.freeze(), room }));
            }
        }
        Ok(None)
    }

    /// Whether a large message waits for its room, so that no more of it may be read.
    pub(super) fn wants_room(&self) -> bool {
        self.room.is_none() && self.reader.length() > LARGE
    }

    /// How long the message is that is on its way.
    pub(super) fn length(&self) -> usize {
        self.reader.length()
    }

    pub(super) fn has_room(&mut self, room: OwnedSemaphorePermit) {
        self.room = Some((room, Instant::now() + PATIENCE));
    }

    /// Whether a large message has been on its way for too long.
    pub(super) fn is_overdue(&self) -> bool {
        self.room.as_ref().is_some_and(|(_, deadline)| *deadline < Instant::now())
    }

    pub(super) fn make_room(&mut self) {
        self.buffer.reserve(self.reader.missing(self.buffer).clamp(ROOM, MOST_ROOM));
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
