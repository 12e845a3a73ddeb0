//! What one connection is writing.

use std::collections::VecDeque;

use bytes::{Bytes, BytesMut};

use super::queue::Queue;
use super::wire::Writer;

/// Small messages are written together up to this.
pub(super) const BATCH: usize = 64 << 10;

/// Bytes on their way out. A message belongs to the queue again unless all of it was handed to the system.
pub(super) struct Outgoing<'a> {
    queue: &'a Queue,
    writer: &'a mut Writer,
    pub(super) buffer: BytesMut,
    /// What is in the buffer, with the bytes that each still has there; no message is a command.
    parts: VecDeque<(usize, Option<Bytes>)>,
}

impl<'a> Outgoing<'a> {
    pub(super) fn new(queue: &'a Queue, writer: &'a mut Writer) -> Self {
        Self { queue, writer, buffer: BytesMut::new(), parts: VecDeque::new() }
    }

    /// A message, and what else is waiting and small.
    pub(super) fn fill(&mut self, message: Bytes) {
        self.add(message);
        while self.buffer.len() < BATCH {
            let Some(message) = self.queue.try_take() else { break };
            self.add(message);
        }
    }

    fn add(&mut self, message: Bytes) {
        let before = self.buffer.len();
        self.writer.message(&mut self.buffer, &message);
        self.parts.push_back((self.buffer.len() - before, Some(message)));
    }

    pub(super) fn command(&mut self, command: &[u8]) {
        let before = self.buffer.len();
        self.writer.command(&mut self.buffer, command);
        self.parts.push_back((self.buffer.len() - before, None));
    }

    /// So many bytes have left the buffer.
    pub(super) fn wrote(&mut self, mut bytes: usize) {
        while let Some((left, message)) = self.parts.front_mut() {
            if *left > bytes {
                *left -= bytes;
                return;
            }
            bytes -= *left;
            if let Some(message) = message {
                self.queue.done(message.len());
            }
            self.parts.pop_front();
        }
        if self.buffer.is_empty() {
            // What a large message needed is not kept.
            self.buffer = BytesMut::new();
        }
    }
}

impl Drop for Outgoing<'_> {
    fn drop(&mut self) {
        self.queue.give_back(self.parts.drain(..).filter_map(|(_, message)| message));
    }
}
