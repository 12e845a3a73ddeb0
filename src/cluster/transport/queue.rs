//! What waits to be sent to one peer.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::sync::held;

/// `ZeroMQ`'s high-water mark.
const MOST_MESSAGES: usize = 1000;
/// A thousand large messages would be too much; one message is always taken.
const MOST_BYTES: usize = 64 << 20;

/// Messages in their order, bounded. Any thread may push; one connection at a time takes.
#[derive(Debug, Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    pushed: Notify,
    emptied: Notify,
}

#[derive(Debug, Default)]
struct State {
    waiting: VecDeque<Bytes>,
    bytes: usize,
    /// How many have been taken and are not wholly written.
    taken: usize,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        held(&self.state)
    }

    /// `false` where the queue is full: the message is dropped, as `ZeroMQ` drops it.
    pub(super) fn push(&self, message: Bytes) -> bool {
        let mut state = self.state();
        let held = state.waiting.len() + state.taken;
        if held >= MOST_MESSAGES || (held > 0 && state.bytes + message.len() > MOST_BYTES) {
            return false;
        }
        state.bytes += message.len();
        state.waiting.push_back(message);
        drop(state);
        self.pushed.notify_one();
        true
    }

    /// The next message, as soon as there is one. It counts as held until it is [`done`](Self::done) or
    /// [given back](Self::give_back).
    pub(super) async fn take(&self) -> Bytes {
        loop {
            if let Some(message) = self.try_take() {
                return message;
            }
            // A permit is stored where nobody waits, so a push between the look and the wait is not missed.
            self.pushed.notified().await;
        }
    }

    pub(super) fn try_take(&self) -> Option<Bytes> {
        let mut state = self.state();
        let message = state.waiting.pop_front()?;
        state.taken += 1;
        Some(message)
    }

    /// The connection has handed a message of so many bytes over to the system.
    pub(super) fn done(&self, bytes: usize) {
        let mut state = self.state();
        state.taken -= 1;
        state.bytes -= bytes;
        let is_empty = state.taken == 0 && state.waiting.is_empty();
        drop(state);
        if is_empty {
            self.emptied.notify_waiters();
        }
    }

    /// The connection broke before these went out whole: the next one sends them first.
    pub(super) fn give_back(&self, messages: impl DoubleEndedIterator<Item = Bytes>) {
        let mut state = self.state();
        for message in messages.rev() {
            state.waiting.push_front(message);
            state.taken -= 1;
        }
        drop(state);
        self.pushed.notify_one();
    }

    pub(super) fn is_empty(&self) -> bool {
        let state = self.state();
        state.taken == 0 && state.waiting.is_empty()
    }

    /// Until everything has been handed over to the system.
    pub(super) async fn emptied(&self) {
        loop {
            let emptied = self.emptied.notified();
            tokio::pin!(emptied);
            emptied.as_mut().enable();
            if self.is_empty() {
                return;
            }
            emptied.await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_bounded_in_messages_and_bytes() {
        let queue = Queue::default();
        assert_eq!((0..2000).filter(|_| queue.push(Bytes::from_static(b"a"))).count(), MOST_MESSAGES);
        let queue = Queue::default();
        let large = Bytes::from(vec![0; MOST_BYTES + 1]);
        assert!(queue.push(large.clone()) && !queue.push(large));
        let taken = queue.try_take().unwrap();
        assert!(!queue.push(Bytes::from_static(b"a")), "what is being written counts, too");
        queue.done(taken.len());
        assert!(queue.push(Bytes::from_static(b"a")));
    }

    #[test]
    fn what_comes_back_goes_first_and_in_order() {
        let queue = Queue::default();
        for text in ["1", "2", "3"] {
            queue.push(text.into());
        }
        let taken = [queue.try_take().unwrap(), queue.try_take().unwrap()];
        queue.give_back(taken.into_iter());
        let order: Vec<Bytes> = std::iter::from_fn(|| queue.try_take()).collect();
        assert_eq!(order, ["1", "2", "3"]);
    }

    #[tokio::test]
    async fn whoever_waits_hears_of_the_first_and_of_the_last() {
        let queue = Queue::default();
        let push = async { assert!(queue.push("1".into())) };
        let (message, ()) = tokio::join!(queue.take(), push);
        let done = async { queue.done(message.len()) };
        tokio::join!(queue.emptied(), done);
    }
}
