//! What only Python can answer: requests on their way to the main thread, and the answers on their way back.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::sync::oneshot;

/// A request as Python is shown it.
#[derive(Debug)]
pub struct Request {
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
    answer: oneshot::Sender<Answer>,
}

/// What came of it.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Bytes,
}

impl Request {
    /// The request, and where its answer arrives.
    #[allow(clippy::too_many_arguments, reason = "named where they are taken apart")]
    pub fn new(
        method: String,
        path: String,
        query: String,
        headers: Vec<(String, String)>,
        body: Bytes,
        scheme: &'static str,
        peer: String,
    ) -> (Self, oneshot::Receiver<Answer>) {
        let (answer, answered) = oneshot::channel();
        (Self { method, path, query, headers, body, scheme, peer, answer }, answered)
    }

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

    /// `false` where there are too many already, or nobody takes them any more.
    pub fn push(&self, request: Request) -> bool {
        let mut queue = self.queue();
        queue.requests.retain(|request| !request.answer.is_closed());
        if queue.is_closed || queue.requests.len() >= Self::LONGEST {
            return false;
        }
        queue.requests.push_back(request);
        let waiting = queue.waiting.take();
        drop(queue);
        waiting.into_iter().for_each(Waker::wake);
        true
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

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn request(path: &str) -> (Request, oneshot::Receiver<Answer>) {
        let text = String::new;
        Request::new("GET".into(), path.into(), text(), Vec::new(), Bytes::new(), "http", text())
    }

    fn next(handover: &Handover) -> Poll<Option<Request>> {
        handover.poll_next(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn requests_come_in_order_and_answers_go_where_they_belong() {
        let handover = Handover::default();
        assert!(next(&handover).is_pending());
        let ((first, mut first_answered), (second, mut second_answered)) = (request("/a"), request("/b"));
        assert!(handover.push(first) && handover.push(second));
        let Poll::Ready(Some(first)) = next(&handover) else { panic!("the first is there") };
        let Poll::Ready(Some(second)) = next(&handover) else { panic!("the second is there") };
        assert_eq!((first.path.as_str(), second.path.as_str()), ("/a", "/b"));
        second.answer(Answer { status: 204, headers: Vec::new(), body: Bytes::new() });
        drop(first);
        assert_eq!(second_answered.try_recv().unwrap().status, 204);
        assert!(first_answered.try_recv().is_err());
    }

    #[test]
    fn who_has_gone_keeps_no_place() {
        let handover = Handover::default();
        for _ in 0..2 * Handover::LONGEST {
            assert!(handover.push(request("/").0));
        }
        let patient: Vec<_> = (0..Handover::LONGEST)
            .map(|_| {
                let (request, answered) = request("/");
                assert!(handover.push(request));
                answered
            })
            .collect();
        assert!(!handover.push(request("/").0));
        drop(patient);
        assert!(handover.push(request("/").0));
    }

    #[test]
    fn after_the_end_there_is_nothing_to_wait_for() {
        let handover = Handover::default();
        let (waits, mut answered) = request("/");
        assert!(handover.push(waits));
        handover.close();
        assert!(matches!(next(&handover), Poll::Ready(None)));
        assert!(answered.try_recv().is_err() && !handover.push(request("/").0));
    }
}
