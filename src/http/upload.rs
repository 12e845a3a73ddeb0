//! A body that is sent while it is being made: filled on the main thread, written on an I/O thread.
//!
//! It holds a bounded part of the body: who makes it faster than the server takes it waits.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use crate::bridge::Ticket;

/// Bytes made and not yet written; then its maker waits.
const ROOM: usize = 256 * 1024;

#[derive(Debug, Default)]
pub struct Upload {
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    bytes: VecDeque<u8>,
    /// Something was taken: the body cannot be sent again.
    begun: bool,
    ended: bool,
    /// The exchange is over: nobody takes any more.
    over: bool,
    maker: Option<Ticket>,
    sender: Option<Waker>,
}

impl Upload {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("nothing panics under this lock")
    }

    /// Add to the body. False when nobody wants it any more.
    pub fn push(&self, bytes: &[u8]) -> bool {
        let mut state = self.state();
        if state.over {
            return false;
        }
        state.bytes.extend(bytes);
        state.wake_sender();
        true
    }

    pub fn end(&self) {
        let mut state = self.state();
        state.ended = true;
        state.wake_sender();
    }

    /// Have `ticket` finished when there is room. False if there is: then nobody will.
    pub fn wait(&self, ticket: Ticket) -> bool {
        let mut state = self.state();
        let full = state.bytes.len() >= ROOM && !state.over;
        if full {
            state.maker = Some(ticket);
        }
        full
    }

    /// Whether there is no room.
    pub fn is_full(&self) -> bool {
        let state = self.state();
        state.bytes.len() >= ROOM && !state.over
    }

    /// What is to be written next; nothing when the body has ended. With it the maker that is to be woken.
    pub fn poll_take(&self, cx: &mut Context<'_>) -> Poll<(Vec<u8>, Option<Ticket>)> {
        let mut state = self.state();
        if state.bytes.is_empty() && !state.ended {
            state.sender = Some(cx.waker().clone());
            return Poll::Pending;
        }
        state.begun = true;
        Poll::Ready((std::mem::take(&mut state.bytes).into(), state.maker.take()))
    }

    pub fn is_begun(&self) -> bool {
        self.state().begun
    }

    /// The exchange is over. The maker that is to be woken, if one waits.
    #[must_use]
    pub fn close(&self) -> Option<Ticket> {
        let mut state = self.state();
        state.over = true;
        state.bytes = VecDeque::new();
        state.maker.take()
    }
}

impl State {
    fn wake_sender(&mut self) {
        if let Some(sender) = self.sender.take() {
            sender.wake();
        }
    }
}
