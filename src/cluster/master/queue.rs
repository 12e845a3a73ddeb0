//! What a master's thread hands over to Python, in order.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;

use crate::sync::held;

/// How serious a line of the log is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    Warning,
    Error,
}

/// Something that Python is to act on, or to say.
#[derive(Debug, Clone, PartialEq)]
pub enum Event {
    /// A worker says that it is ready. `version` is `MessagePack`; `workers` can run users now, with it.
    Ready {
        id: Arc<str>,
        index: u64,
        version: Bytes,
        was_known: bool,
        workers: usize,
    },
    /// A worker too old to be understood.
    TooOld {
        id: Arc<str>,
    },
    /// All users of a worker have ended.
    Stopped {
        id: Arc<str>,
        index: u64,
    },
    /// A worker leaves; so many others are ready, and so many can run users.
    Quit {
        id: Arc<str>,
        index: u64,
        ready: usize,
        workers: usize,
    },
    /// So many others can run users.
    Missing {
        id: Arc<str>,
        workers: usize,
    },
    Forgotten {
        ids: Vec<Arc<str>>,
    },
    Healed {
        id: Arc<str>,
        state: Arc<str>,
    },
    /// A worker that is not known sent a message of this kind, which only one that is may send.
    Stranger {
        id: Arc<str>,
        kind: &'static str,
    },
    /// A worker's processor is the limit.
    Hot {
        id: Arc<str>,
        index: u64,
    },
    Beaten {
        id: Arc<str>,
        at: f64,
    },
    /// The data of a report, which has been merged.
    Reported {
        id: Arc<str>,
        data: Bytes,
    },
    /// Somebody who is no worker of this master reported.
    Discarded {
        id: Arc<str>,
    },
    /// The data lack something, so that not all of it was merged.
    Unmerged {
        id: Arc<str>,
        why: String,
    },
    /// The last lines of a worker's log.
    Logs {
        data: Bytes,
    },
    /// Somebody asks for the locustfile.
    Locustfile {
        id: Arc<str>,
        node_id: Arc<str>,
        data: Bytes,
    },
    /// A message of the locustfile's own.
    Custom {
        kind: Box<str>,
        id: Arc<str>,
        data: Bytes,
    },
    /// The state of the workers may be one in which the test has stopped.
    AtRest,
    /// A line for the log.
    Line {
        level: Level,
        text: String,
    },
}

impl Event {
    /// About how many bytes it keeps.
    fn size(&self) -> usize {
        let data = match self {
            Self::Ready { version: data, .. }
            | Self::Reported { data, .. }
            | Self::Logs { data }
            | Self::Locustfile { data, .. }
            | Self::Custom { data, .. } => data.len(),
            Self::Line { text, .. } | Self::Unmerged { why: text, .. } => text.len(),
            _ => 0,
        };
        data + size_of::<Self>()
    }

    /// Whether a test goes on as it should without it: somebody who watches sees less.
    fn is_dispensable(&self) -> bool {
        matches!(self, Self::Beaten { .. } | Self::Reported { .. } | Self::Logs { .. } | Self::Line { .. })
    }
}

/// The queue. It is bounded: a Python that is busy for minutes shall not have a fleet fill its memory.
#[derive(Debug, Default)]
pub struct Queue(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    events: VecDeque<Event>,
    bytes: usize,
    dropped: u64,
    waiting: Option<Waker>,
    is_closed: bool,
}

impl Queue {
    /// From here on what can be done without is left out, and from four times that everything.
    const MOST_BYTES: usize = 64 << 20;

    pub fn push(&self, event: Event) {
        let mut inner = self.inner();
        if inner.is_closed || (event == Event::AtRest && inner.events.back() == Some(&event)) {
            return;
        }
        let most = if event.is_dispensable() { Self::MOST_BYTES } else { 4 * Self::MOST_BYTES };
        if inner.bytes + event.size() > most {
            inner.dropped += 1;
            return;
        }
        inner.bytes += event.size();
        inner.events.push_back(event);
        let waiting = inner.waiting.take();
        drop(inner);
        waiting.into_iter().for_each(Waker::wake);
    }

    /// The next event; `None` when there will be no more. One may wait at a time.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Event>> {
        let mut inner = self.inner();
        if let Some(event) = inner.events.pop_front() {
            inner.bytes -= event.size();
            return Poll::Ready(Some(event));
        }
        if inner.is_closed {
            return Poll::Ready(None);
        }
        if inner.dropped > 0 {
            let text = format!(
                "{} messages of workers were left out: Python did not come round to read them",
                std::mem::take(&mut inner.dropped)
            );
            return Poll::Ready(Some(Event::Line { level: Level::Error, text }));
        }
        inner.waiting = Some(context.waker().clone());
        Poll::Pending
    }

    /// Take no more. What is in it can still be read.
    pub fn close(&self) {
        let mut inner = self.inner();
        inner.is_closed = true;
        let waiting = inner.waiting.take();
        drop(inner);
        waiting.into_iter().for_each(Waker::wake);
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        held(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn next(queue: &Queue) -> Poll<Option<Event>> {
        queue.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    fn custom(bytes: usize) -> Event {
        Event::Custom { kind: "x".into(), id: "w".into(), data: vec![0; bytes].into() }
    }

    #[test]
    fn events_come_in_order_and_rest_is_said_once() {
        let queue = Queue::default();
        for event in [Event::AtRest, Event::AtRest, custom(1), Event::AtRest] {
            queue.push(event);
        }
        queue.close();
        queue.push(custom(2));
        let read: Vec<_> = std::iter::from_fn(|| match next(&queue) {
            Poll::Ready(event) => event,
            Poll::Pending => None,
        })
        .collect();
        assert_eq!(read, [Event::AtRest, custom(1), Event::AtRest]);
    }

    #[test]
    fn a_queue_that_nobody_reads_leaves_out_and_says_so() {
        let queue = Queue::default();
        let report = || Event::Reported { id: "w".into(), data: vec![0; 1 << 20].into() };
        (0..100).for_each(|_| queue.push(report()));
        queue.push(custom(1));
        let mut read = Vec::new();
        while let Poll::Ready(Some(event)) = next(&queue) {
            read.push(event);
        }
        assert_eq!(read.iter().filter(|event| **event == report()).count(), 63);
        assert_eq!(read[63], custom(1));
        assert!(matches!(&read[64], Event::Line { text, .. } if text.starts_with("37 messages")), "{:?}", read[64]);
    }
}
