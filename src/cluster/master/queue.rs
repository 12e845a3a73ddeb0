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
    /// About how many bytes it keeps. Data are a part of their message, which names the node and the kind once more.
    fn size(&self) -> usize {
        let (names, text) = match self {
            Self::Custom { kind, id, data } => (kind.len() + id.len(), data.len()),
            Self::Locustfile { id, node_id, data } => (id.len() + node_id.len(), data.len()),
            Self::Ready { id, version: data, .. } | Self::Reported { id, data } => (id.len(), data.len()),
            Self::Healed { id, state } => (id.len(), state.len()),
            Self::Unmerged { id, why } => (id.len(), why.len()),
            Self::Logs { data } => (0, data.len()),
            Self::Line { text, .. } => (0, text.len()),
            Self::Forgotten { ids } => (ids.iter().map(|id| id.len() + size_of_val(id)).sum(), 0),
            Self::TooOld { id }
            | Self::Stopped { id, .. }
            | Self::Quit { id, .. }
            | Self::Missing { id, .. }
            | Self::Stranger { id, .. }
            | Self::Hot { id, .. }
            | Self::Beaten { id, .. }
            | Self::Discarded { id } => (id.len(), 0),
            Self::AtRest => (0, 0),
        };
        size_of::<Self>() + 2 * names + text
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
    fn names_count_as_data_do() {
        let queue = Queue::default();
        let id: Arc<str> = "w".repeat(255).into();
        let named =
            |_| queue.push(Event::Custom { kind: "x".repeat(255).into(), id: Arc::clone(&id), data: Bytes::new() });
        (0..1_000_000).for_each(named);
        let kept = std::iter::from_fn(|| {
            next(&queue).map(|event| event.map(|event| matches!(event, Event::Custom { .. }))).into()
        });
        let kept = kept.take_while(|event| matches!(event, Poll::Ready(Some(true)))).count();
        assert!((100_000..300_000).contains(&kept), "{kept}");
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
