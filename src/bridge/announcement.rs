//! Whether the reader of a queue has been told that there is something to read.
//!
//! Many writers, one reader. A writer first queues its item, then calls [`Announcement::announce`]; only the one that
//! gets `true` wakes the reader. The reader calls [`Announcement::take`] *before* it empties the queue, so an item
//! queued too late to be seen finds the flag down and is announced anew: no item is left without a wake-up.

#[cfg(loom)]
use loom::sync::atomic::{AtomicBool, Ordering};
#[cfg(not(loom))]
use std::sync::atomic::{AtomicBool, Ordering};

#[derive(Debug)]
pub struct Announcement(AtomicBool);

impl Default for Announcement {
    fn default() -> Self {
        Self(AtomicBool::new(false))
    }
}

impl Announcement {
    /// True for the first writer since the reader last looked: it must wake the reader.
    ///
    /// A read-modify-write, not a load: it orders this writer's push before the flag the reader takes down, and a
    /// writer that finds the flag up is sure that the reader has not begun to empty the queue.
    pub fn announce(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }

    /// The reader is about to empty the queue.
    pub fn take(&self) {
        self.0.swap(false, Ordering::AcqRel);
    }
}

#[cfg(all(test, loom))]
mod tests {
    use super::*;
    use loom::sync::{Arc, Mutex};

    #[test]
    fn every_item_is_read_after_a_wake_up() {
        loom::model(|| {
            let announcement = Arc::new(Announcement::default());
            let queue = Arc::new(Mutex::new(Vec::new()));
            let wakes = Arc::new(loom::sync::atomic::AtomicUsize::new(0));
            let writers: Vec<_> = (0..2)
                .map(|item| {
                    let (announcement, queue, wakes) = (announcement.clone(), queue.clone(), wakes.clone());
                    loom::thread::spawn(move || {
                        queue.lock().unwrap().push(item);
                        if announcement.announce() {
                            wakes.fetch_add(1, Ordering::Release);
                        }
                    })
                })
                .collect();
            let mut read = 0;
            // The reader runs whenever a wake-up is pending, and once more after all writers are done.
            for round in 0..3 {
                if round == 2 {
                    break;
                }
                if wakes.load(Ordering::Acquire) > 0 {
                    wakes.fetch_sub(1, Ordering::AcqRel);
                    announcement.take();
                    read += queue.lock().unwrap().drain(..).count();
                }
            }
            for writer in writers {
                writer.join().unwrap();
            }
            while wakes.load(Ordering::Acquire) > 0 {
                wakes.fetch_sub(1, Ordering::AcqRel);
                announcement.take();
                read += queue.lock().unwrap().drain(..).count();
            }
            assert_eq!(read, 2, "an item was queued and nobody was woken for it");
        });
    }
}
