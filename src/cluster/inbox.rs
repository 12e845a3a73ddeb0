//! What the cluster's thread hands over to Python, in order: one greenlet takes it, whenever Python comes round.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use crate::sync::held;

/// A queue that is bounded in items and in bytes: a Python that is busy for minutes shall not collect without end what
/// others send it.
#[derive(Debug)]
pub struct Inbox<T>(Mutex<Queue<T>>);

#[derive(Debug)]
struct Queue<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    waiting: Option<Waker>,
    is_closed: bool,
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Self(Mutex::new(Queue { items: VecDeque::new(), bytes: 0, waiting: None, is_closed: false }))
    }
}

impl<T> Inbox<T> {
    pub const MOST_ITEMS: usize = 100_000;
    pub const MOST_BYTES: usize = 256 << 20;

    /// Hand over an item that holds about so many bytes; `false` where there is no room, or nobody takes any more.
    pub fn push(&self, item: T, bytes: usize) -> bool {
        let mut queue = self.queue();
        let is_full = queue.items.len() >= Self::MOST_ITEMS || queue.bytes + bytes > Self::MOST_BYTES;
        if queue.is_closed || is_full {
            return false;
        }
        queue.items.push_back((item, bytes));
        queue.bytes += bytes;
        wake(queue);
        true
    }

    /// The next item; `None` when there will be no more. One may wait at a time.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<T>> {
        let mut queue = self.queue();
        match queue.items.pop_front() {
            Some((item, bytes)) => {
                queue.bytes -= bytes;
                Poll::Ready(Some(item))
            }
            None if queue.is_closed => Poll::Ready(None),
            None => {
                queue.waiting = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    /// Take nothing more in. What is there can still be taken out.
    pub fn close(&self) {
        let mut queue = self.queue();
        queue.is_closed = true;
        wake(queue);
    }

    fn queue(&self) -> MutexGuard<'_, Queue<T>> {
        held(&self.0)
    }
}

/// Outside the lock: whoever is woken may come at once.
fn wake<T>(mut queue: MutexGuard<'_, Queue<T>>) {
    let waiting = queue.waiting.take();
    drop(queue);
    waiting.into_iter().for_each(Waker::wake);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next<T>(inbox: &Inbox<T>) -> Poll<Option<T>> {
        inbox.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn items_come_in_order_and_what_is_there_at_the_end_still_comes() {
        let inbox = Inbox::default();
        assert!(next(&inbox).is_pending());
        assert!(inbox.push('a', 1) && inbox.push('b', 1));
        inbox.close();
        assert!(!inbox.push('c', 1));
        assert_eq!(
            [next(&inbox), next(&inbox), next(&inbox)],
            [Poll::Ready(Some('a')), Poll::Ready(Some('b')), Poll::Ready(None)]
        );
    }

    #[test]
    fn what_is_too_much_is_refused_until_something_is_taken() {
        let inbox = Inbox::default();
        assert!(inbox.push(0, Inbox::<usize>::MOST_BYTES) && !inbox.push(1, 1));
        assert!(next(&inbox).is_ready() && inbox.push(2, 1));
        for item in 1..Inbox::<usize>::MOST_ITEMS {
            assert!(inbox.push(item, 0));
        }
        assert!(!inbox.push(0, 0));
    }
}
