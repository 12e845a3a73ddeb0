//! A body that is handed on as it arrives: filled on an I/O thread, read on the main thread.
//!
//! It holds a bounded part of the body. When that is full the I/O thread stops reading, the connection's window closes,
//! and the server waits: a reader that is slow, or gone, costs no memory.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use super::Failure;
use crate::bridge::Ticket;

/// Bytes held for a reader that asks for less.
const ROOM: usize = 256 * 1024;

#[derive(Debug, Default)]
pub struct Stream {
    state: Mutex<State>,
}

/// The readers' side: when the last of them lets go of it, what has not been read is given up.
#[derive(Debug)]
pub struct Reading(Arc<Stream>);

impl Reading {
    pub fn new(stream: &Arc<Stream>) -> Arc<Self> {
        Arc::new(Self(Arc::clone(stream)))
    }
}

impl std::ops::Deref for Reading {
    type Target = Stream;

    fn deref(&self) -> &Stream {
        &self.0
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    /// How many bytes were taken: what positions are counted from.
    taken: u64,
    /// Where the chunks of a chunked body end.
    chunk_ends: VecDeque<u64>,
    end: Option<Result<(), Arc<Failure>>>,
    /// The reader that waits, and what for.
    reader: Option<(Ticket, Want)>,
    /// The I/O thread's task, when it waits for room.
    writer: Option<Waker>,
    abandoned: bool,
}

/// How much a reader waits for. The end of the body is always enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Want {
    /// Whatever there is, at most so many bytes.
    Any(usize),
    /// That many bytes.
    Exactly(usize),
    /// A chunk as the server made it, or so many bytes of it. Of a body without chunks whatever there is.
    Chunk(usize),
}

#[derive(Debug)]
pub enum Taken {
    Bytes(Vec<u8>),
    End,
    Failed(Arc<Failure>),
    /// Not yet.
    Wait,
}

impl Stream {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics under this lock")
    }

    /// Add what has arrived.
    pub fn push(&self, bytes: &[u8]) {
        self.state().bytes.extend(bytes);
    }

    /// A chunk of a chunked body ends here.
    pub fn end_chunk(&self) {
        let mut state = self.state();
        let end = state.taken + state.bytes.len() as u64;
        state.chunk_ends.push_back(end);
    }

    /// The body has ended, or broken off.
    pub fn finish(&self, end: Result<(), Failure>) {
        self.state().end = Some(end.map_err(Arc::new));
    }

    /// The reader that waits for no more than is there now; it is to be woken. To be asked after each of the above.
    #[must_use]
    pub fn satisfied_reader(&self) -> Option<Ticket> {
        let mut state = self.state();
        let (ticket, want) = state.reader?;
        if !state.satisfies(want) {
            return None;
        }
        state.reader = None;
        Some(ticket)
    }

    /// Ready when more may be read from the connection; with false when nobody wants it any more.
    pub fn poll_room(&self, cx: &mut Context<'_>) -> Poll<bool> {
        let mut state = self.state();
        if state.abandoned {
            return Poll::Ready(false);
        }
        // Also when there is room: who abandons the body interrupts a read that waits for the server.
        state.writer = Some(cx.waker().clone());
        if state.bytes.len() < state.room() { Poll::Ready(true) } else { Poll::Pending }
    }

    /// Take from what is there.
    pub fn take(&self, want: Want) -> Taken {
        let mut state = self.state();
        if !state.satisfies(want) {
            return Taken::Wait;
        }
        let was_full = state.bytes.len() >= ROOM;
        let taken = state.take(want);
        let writer = if was_full && state.bytes.len() < ROOM { state.writer.take() } else { None };
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
        taken
    }

    /// Have `ticket` finished when `want` is there. False if it is already: then nobody will.
    pub fn wait(&self, ticket: Ticket, want: Want) -> bool {
        let mut state = self.state();
        if state.satisfies(want) {
            return false;
        }
        let was_full = state.bytes.len() >= ROOM;
        state.reader = Some((ticket, want));
        let writer = if was_full { state.writer.take() } else { None };
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
        true
    }

    /// The rest is not wanted: the connection is closed.
    pub fn abandon(&self) {
        let mut state = self.state();
        if state.abandoned || state.end.is_some() {
            return;
        }
        state.abandoned = true;
        state.reader = None;
        state.bytes = VecDeque::new();
        let writer = state.writer.take();
        drop(state);
        if let Some(writer) = writer {
            writer.wake();
        }
    }

    /// Whether everything was read. Of a body that broke off never: who reads on is told why.
    pub fn is_over(&self) -> bool {
        let state = self.state();
        state.abandoned || (matches!(state.end, Some(Ok(()))) && state.bytes.is_empty())
    }
}

impl State {
    /// How many bytes may be held now: more than usual when the reader waits for more.
    fn room(&self) -> usize {
        match self.reader {
            Some((_, Want::Exactly(bytes) | Want::Chunk(bytes))) => bytes.max(ROOM),
            _ => ROOM,
        }
    }

    fn satisfies(&self, want: Want) -> bool {
        if self.end.is_some() || self.abandoned {
            return true;
        }
        match want {
            Want::Any(_) => !self.bytes.is_empty(),
            Want::Exactly(bytes) => self.bytes.len() >= bytes,
            Want::Chunk(bytes) => self.bytes.len() >= bytes || self.in_chunk().is_some(),
        }
    }

    /// How many of the bytes belong to the first chunk, when its end has arrived.
    fn in_chunk(&self) -> Option<usize> {
        self.chunk_ends.iter().map(|end| end.saturating_sub(self.taken) as usize).find(|length| *length > 0)
    }

    fn take(&mut self, want: Want) -> Taken {
        let limit = match want {
            Want::Any(bytes) | Want::Exactly(bytes) => bytes,
            Want::Chunk(bytes) => bytes.min(self.in_chunk().unwrap_or(usize::MAX)),
        };
        if self.bytes.is_empty() {
            return match &self.end {
                Some(Err(failure)) => Taken::Failed(Arc::clone(failure)),
                _ => Taken::End,
            };
        }
        let bytes: Vec<u8> = self.bytes.drain(..limit.min(self.bytes.len())).collect();
        self.taken += bytes.len() as u64;
        while self.chunk_ends.front().is_some_and(|end| *end <= self.taken) {
            self.chunk_ends.pop_front();
        }
        Taken::Bytes(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::Tickets;

    fn ticket() -> Ticket {
        Tickets::<(), ()>::default().issue(())
    }

    fn bytes(taken: Taken) -> Vec<u8> {
        match taken {
            Taken::Bytes(bytes) => bytes,
            other => panic!("no bytes: {other:?}"),
        }
    }

    #[test]
    fn a_reader_is_woken_when_what_it_wants_is_there() {
        let stream = Stream::default();
        assert!(stream.wait(ticket(), Want::Exactly(5)));
        stream.push(b"abc");
        assert!(stream.satisfied_reader().is_none());
        stream.push(b"defg");
        assert!(stream.satisfied_reader().is_some());
        assert_eq!(bytes(stream.take(Want::Exactly(5))), b"abcde");
        assert!(matches!(stream.take(Want::Exactly(5)), Taken::Wait));
        assert!(stream.wait(ticket(), Want::Exactly(5)));
        stream.finish(Ok(()));
        assert!(stream.satisfied_reader().is_some());
        assert_eq!(bytes(stream.take(Want::Exactly(5))), b"fg");
        assert!(matches!(stream.take(Want::Any(1)), Taken::End));
    }

    #[test]
    fn chunks_come_out_as_the_server_made_them() {
        let stream = Stream::default();
        stream.push(b"one");
        assert!(matches!(stream.take(Want::Chunk(100)), Taken::Wait));
        stream.end_chunk();
        stream.push(b"three");
        stream.end_chunk();
        assert_eq!(bytes(stream.take(Want::Chunk(2))), b"on");
        assert_eq!(bytes(stream.take(Want::Chunk(100))), b"e");
        assert_eq!(bytes(stream.take(Want::Chunk(100))), b"three");
        assert!(matches!(stream.take(Want::Chunk(100)), Taken::Wait));
    }

    #[test]
    fn a_full_stream_waits_for_its_reader_and_an_abandoned_one_for_nobody() {
        let stream = Stream::default();
        let mut cx = Context::from_waker(Waker::noop());
        assert_eq!(stream.poll_room(&mut cx), Poll::Ready(true));
        stream.push(&vec![0; ROOM]);
        assert!(stream.poll_room(&mut cx).is_pending());
        assert_eq!(bytes(stream.take(Want::Any(1))).len(), 1);
        assert_eq!(stream.poll_room(&mut cx), Poll::Ready(true));
        stream.push(&[0]);
        stream.wait(ticket(), Want::Exactly(2 * ROOM));
        assert_eq!(stream.poll_room(&mut cx), Poll::Ready(true), "it waits for more than there is room for");
        stream.abandon();
        assert_eq!(stream.poll_room(&mut cx), Poll::Ready(false));
    }

    #[test]
    fn what_broke_off_gives_what_came_and_then_why() {
        let stream = Stream::default();
        stream.push(b"half");
        stream.finish(Err(Failure::Disconnected));
        assert_eq!(bytes(stream.take(Want::Exactly(10))), b"half");
        assert!(matches!(stream.take(Want::Exactly(10)), Taken::Failed(_)));
    }
}
