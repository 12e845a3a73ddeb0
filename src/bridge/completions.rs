//! What the I/O threads have finished and the main thread has not seen yet.

use crossbeam_queue::SegQueue;

use super::{Announcement, WakeFd};

/// A lock-free queue with a wake fd: many I/O threads push, the main thread pops.
#[derive(Debug)]
pub struct Completions<T> {
    queue: SegQueue<T>,
    announcement: Announcement,
    wake: WakeFd,
}

impl<T> Completions<T> {
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { queue: SegQueue::new(), announcement: Announcement::default(), wake: WakeFd::new()? })
    }

    /// Queue `item`. True when the caller must see to it that [`Self::wake`] is called, now or soon: nobody else will.
    #[must_use]
    pub fn push(&self, item: T) -> bool {
        self.queue.push(item);
        self.announcement.announce()
    }

    pub fn wake(&self) {
        self.wake.wake();
    }

    pub fn fd(&self) -> &WakeFd {
        &self.wake
    }

    /// Begin to empty the queue: what is pushed from here on is announced anew.
    pub fn start_drain(&self) {
        self.wake.clear();
        self.announcement.take();
    }

    /// Stop before the queue is empty: the event loop comes back after it has seen to its other watchers.
    pub fn stop_early(&self) {
        if self.announcement.announce() {
            self.wake.wake();
        }
    }

    pub fn pop(&self) -> Option<T> {
        self.queue.pop()
    }

    pub fn is_empty(&self) -> bool {
        self.queue.is_empty()
    }
}
