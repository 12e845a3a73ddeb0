//! What only Python can answer: requests on their way to the main thread, and the answers on their way back.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::sync::oneshot;

use super::body::Body;
use crate::sync::held;

/// A request as Python is shown it.
#[derive(Debug, Clone, Default)]
pub struct Asking {
    pub method: String,
    /// As it was sent, with the base path and without the query.
    pub path: String,
    pub query: String,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
    /// `http` or `https`.
    pub scheme: &'static str,
    /// Who asks: an address, without the port.
    pub peer: String,
}

/// A request that waits for its answer. Who lets go of it has the client told that there is none.
#[derive(Debug)]
pub struct Request {
    pub asking: Asking,
    answer: oneshot::Sender<Answer>,
}

/// What came of it.
#[derive(Debug)]
pub enum Answer {
    Whole {
        status: u16,
        headers: Vec<(String, String)>,
        body: Bytes,
    },
    /// One that is still being written.
    Written {
        status: u16,
        headers: Vec<(String, String)>,
        body: Body,
    },
    /// The server is to answer by itself what it can, and add these headers.
    PassOn {
        headers: Vec<(String, String)>,
    },
}

impl Request {
    /// Nobody hears it where the client has gone.
    pub fn answer(self, answer: Answer) {
        let _ = self.answer.send(answer);
    }
}

/// The queue. It is bounded: a Python that is busy for minutes shall not collect what nobody waits for any more.
#[derive(Debug, Default)]
pub struct Handover(Mutex<Queue>);

#[derive(Debug, Default)]
struct Queue {
    requests: VecDeque<Request>,
    waiting: Option<Waker>,
    is_closed: bool,
}

impl Handover {
    const LONGEST: usize = 1024;

    /// Where the answer arrives; `None` where too many wait already, or nobody takes them any more.
    pub fn push(&self, asking: Asking) -> Option<oneshot::Receiver<Answer>> {
        let (answer, answered) = oneshot::channel();
        let mut queue = self.queue();
        queue.requests.retain(|request| !request.answer.is_closed());
        if queue.is_closed || queue.requests.len() >= Self::LONGEST {
            return None;
        }
        queue.requests.push_back(Request { asking, answer });
        let waiting = queue.waiting.take();
        drop(queue);
        waiting.into_iter().for_each(Waker::wake);
        Some(answered)
    }

    /// The next request; `None` when there will be no more. One may wait at a time.
    pub fn poll_next(&self, context: &mut Context<'_>) -> Poll<Option<Request>> {
        let mut queue = self.queue();
        if queue.is_closed {
            return Poll::Ready(None);
        }
        if let Some(request) = queue.requests.pop_front() {
            return Poll::Ready(Some(request));
        }
        queue.waiting = Some(context.waker().clone());
        Poll::Pending
    }

    /// Whoever still waits for an answer gets none.
    pub fn close(&self) {
        let mut queue = self.queue();
        queue.is_closed = true;
        let (requests, waiting) = (std::mem::take(&mut queue.requests), queue.waiting.take());
        drop(queue);
        drop(requests);
        waiting.into_iter().for_each(Waker::wake);
    }

    pub fn is_closed(&self) -> bool {
        self.queue().is_closed
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        held(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asking(path: &str) -> Asking {
        Asking { path: path.into(), ..Asking::default() }
    }

    fn next(handover: &Handover) -> Poll<Option<Request>> {
        handover.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn requests_come_in_order_and_answers_go_where_they_belong() {
        let handover = Handover::default();
        assert!(next(&handover).is_pending());
        let [mut first_answered, mut second_answered] = ["/a", "/b"].map(|path| handover.push(asking(path)).unwrap());
        let Poll::Ready(Some(first)) = next(&handover) else { panic!("the first is there") };
        let Poll::Ready(Some(second)) = next(&handover) else { panic!("the second is there") };
        assert_eq!((first.asking.path.as_str(), second.asking.path.as_str()), ("/a", "/b"));
        second.answer(Answer::PassOn { headers: Vec::new() });
        drop(first);
        assert!(matches!(second_answered.try_recv(), Ok(Answer::PassOn { .. })));
        assert!(first_answered.try_recv().is_err());
    }

    #[test]
    fn who_has_gone_keeps_no_place() {
        let handover = Handover::default();
        for _ in 0..2 * Handover::LONGEST {
            assert!(handover.push(asking("/")).is_some());
        }
        let patient: Vec<_> = (0..Handover::LONGEST).map(|_| handover.push(asking("/")).unwrap()).collect();
        assert!(handover.push(asking("/")).is_none());
        drop(patient);
        assert!(handover.push(asking("/")).is_some());
    }

    #[test]
    fn after_the_end_there_is_nothing_to_wait_for() {
        let handover = Handover::default();
        let mut answered = handover.push(asking("/")).unwrap();
        handover.close();
        assert!(matches!(next(&handover), Poll::Ready(None)));
        assert!(answered.try_recv().is_err() && handover.push(asking("/")).is_none());
    }
}
