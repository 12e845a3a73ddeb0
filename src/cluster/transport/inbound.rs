//! What one connection is reading.

use bytes::buf::Limit;
use bytes::{BufMut, Bytes, BytesMut};

use super::outgoing::{BATCH, Outgoing};
use super::room::{Grant, Room, Step};
use super::wire::{self, Command, Frame, Reader, Violation};

/// Room that a connection always has for what arrives.
const ROOM: usize = 4096;
/// What is announced is not allocated at once: the announcement may be a lie.
const MOST_ROOM: usize = 1 << 20;
/// Of a longer message than this, what is more takes its room out of what all connections share, as it comes.
const LARGE: usize = 64 << 10;
/// How many seconds a large message may be on its way, those not counted in which it waited for room.
const PATIENCE: u32 = 60;
/// The same of one of which nothing comes any more, while others wait for the room that it holds.
const SHORT_PATIENCE: u32 = 5;

/// A message, with the room that it takes.
#[derive(Debug)]
pub(super) struct Arrived {
    pub(super) message: Bytes,
    room: Room,
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
    /// Of the large message that is on its way, and for how many seconds it has been.
    room: Room,
    seconds: u32,
    /// The frame before announced another part of the same message.
    in_parts: bool,
}

impl<'a> Inbound<'a> {
    pub(super) fn new(buffer: &'a mut BytesMut, reader: &'a mut Reader) -> Self {
        Self { buffer, reader, room: Room::default(), seconds: 0, in_parts: false }
    }

    /// The next message, where it has arrived.
    pub(super) fn next(&mut self, out: &mut Outgoing<'_>) -> Result<Option<Arrived>, Violation> {
        while let Some(frame) = self.reader.next(self.buffer)? {
            if frame.is_command {
                answer(frame, out)?;
                continue;
            }
            self.seconds = 0;
            let room = std::mem::take(&mut self.room);
            let message = self.detached(frame.body);
            // Locust's messages have one part, and it reads no other.
            let is_first = !self.in_parts;
            self.in_parts = frame.more;
            if is_first {
                return Ok(Some(Arrived { message, room }));
            }
        }
        Ok(None)
    }

    /// What arrives lies in one piece of memory, which whoever holds any part of it keeps. So a small message is copied,
    /// and a large one keeps the piece for itself.
    fn detached(&mut self, body: BytesMut) -> Bytes {
        if body.len() <= LARGE {
            return Bytes::copy_from_slice(&body);
        }
        *self.buffer = BytesMut::from(&self.buffer[..]);
        body.freeze()
    }

    /// The room that a large message waits for, if it does: no more of it may be read before.
    pub(super) fn wants_room(&self) -> Option<Step> {
        let length = self.reader.length();
        (length > LARGE && self.spare() == 0)
            .then(|| Step { next: self.reader.missing(self.buffer).min(MOST_ROOM), whole: length })
    }

    /// How much may be read before there has to be more room.
    fn spare(&self) -> usize {
        (LARGE + self.room.bytes()).saturating_sub(self.buffer.len())
    }

    pub(super) fn has_room(&mut self, grant: Grant) {
        self.room.add(grant);
    }

    /// A second has passed in which the connection was read, so many after something came. Whether the large message that
    /// is on its way takes too long.
    pub(super) fn is_overdue(&mut self, silence: u32, others_wait: bool) -> bool {
        if self.room.bytes() == 0 {
            return false;
        }
        self.seconds += 1;
        self.seconds >= PATIENCE || (others_wait && silence >= SHORT_PATIENCE)
    }

    /// Where to read what comes.
    pub(super) fn space(&mut self) -> Limit<&mut BytesMut> {
        let spare = self.spare();
        self.buffer.reserve(self.reader.missing(self.buffer).clamp(ROOM, MOST_ROOM).min(spare));
        (&mut *self.buffer).limit(spare)
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::transport::queue::Queue;
    use crate::cluster::transport::wire::Writer;

    #[test]
    fn what_is_left_of_a_large_message_is_not_kept() {
        let (queue, mut writer) = (Queue::default(), Writer::default());
        let mut arrived = BytesMut::new();
        writer.message(&mut arrived, &vec![7; 8 << 20]);
        writer.message(&mut arrived, b"small");
        let mut reader = Reader::new(None);
        reader.accept(64 << 20);
        let mut inbound = Inbound::new(&mut arrived, &mut reader);
        let mut out = Outgoing::new(&queue, &mut writer);
        let mut next = || inbound.next(&mut out).unwrap().unwrap().take();
        assert_eq!(next().len(), 8 << 20);
        let small = next();
        assert!(small == "small" && inbound.buffer.capacity() < LARGE, "{}", inbound.buffer.capacity());
        assert!(small.is_unique(), "who keeps it keeps nothing else");
    }
}
