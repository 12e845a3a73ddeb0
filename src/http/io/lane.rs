//! One user's line to a server: a task that serves one operation after another.

use std::cell::{Cell, RefCell};
use std::future::poll_fn;
use std::pin::pin;
use std::rc::{Rc, Weak};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::{Operation, Outcome, Thread, caught};
use crate::bridge::Ticket;
use crate::http::Failure;
use crate::http::session;
use crate::http::transport::{Connections, Transports};

/// What the rest of the thread sees of a lane's task.
#[derive(Debug)]
pub struct Lane {
    me: Weak<Lane>,
    next: RefCell<Option<Box<Operation>>>,
    waker: RefCell<Option<Waker>>,
    /// The operation that is queued or running.
    ticket: Cell<Option<Ticket>>,
    busy: Cell<bool>,
    cancelled: Cell<bool>,
    close_idle: Cell<bool>,
    ended: Cell<bool>,
    /// When the running wait is over; read by the thread's timers.
    pub(super) deadline: Cell<Option<Instant>>,
    /// When the timers will look at this lane; they do so once for many deadlines.
    pub(super) alarm: Cell<Option<Instant>>,
}

impl Lane {
    pub fn new() -> Rc<Self> {
        Rc::new_cyclic(|me| Self {
            me: Weak::clone(me),
            next: RefCell::default(),
            waker: RefCell::default(),
            ticket: Cell::default(),
            busy: Cell::default(),
            cancelled: Cell::default(),
            close_idle: Cell::default(),
            ended: Cell::default(),
            deadline: Cell::default(),
            alarm: Cell::default(),
        })
    }

    /// A counted reference to this lane.
    pub(super) fn me(&self) -> Option<Rc<Self>> {
        self.me.upgrade()
    }

    pub fn is_idle(&self) -> bool {
        !self.busy.get()
    }

    /// Hand an idle lane its next operation.
    pub fn assign(&self, operation: Box<Operation>) {
        self.busy.set(true);
        self.ticket.set(operation.ticket);
        *self.next.borrow_mut() = Some(operation);
        self.wake();
    }

    /// Stop the operation if it is this lane's. True if it was.
    pub fn cancel(&self, ticket: Ticket) -> bool {
        let ours = self.ticket.get() == Some(ticket);
        if ours {
            self.cancelled.set(true);
            self.wake();
        }
        ours
    }

    pub fn close_idle(&self) {
        self.close_idle.set(true);
        self.wake();
    }

    /// End the task, and with it the connections, when the running operation is done.
    pub fn end(&self) {
        self.ended.set(true);
        self.wake();
    }

    pub(super) fn wake(&self) {
        let waker = self.waker.borrow().clone();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Run `work`, but not for longer than `limit`, and not after the operation is cancelled.
    ///
    /// No timer is registered for each wait: the deadline is written down here, and the thread looks at it when the
    /// first deadline it knows of for this lane has passed.
    pub async fn within<F: Future>(
        self: &Lane,
        thread: &Thread,
        limit: Option<Duration>,
        work: F,
    ) -> Result<F::Output, Failure> {
        let mut work = pin!(work);
        let deadline = Cell::new(None);
        let result = poll_fn(|cx| {
            if self.cancelled.get() {
                return Poll::Ready(Err(Failure::Cancelled));
            }
            if let Poll::Ready(output) = work.as_mut().poll(cx) {
                return Poll::Ready(Ok(output));
            }
            let Some(limit) = limit else { return Poll::Pending };
            // The clock starts when there is something to wait for: most waits of a busy user never get here twice.
            let now = Instant::now();
            let until = deadline.get().or_else(|| {
                let until = now.checked_add(limit)?;
                deadline.set(Some(until));
                thread.set_deadline(self, until);
                Some(until)
            });
            // A limit beyond what a clock can tell is none.
            let Some(until) = until else { return Poll::Pending };
            if now >= until { Poll::Ready(Err(Failure::ReadTimeout(limit))) } else { Poll::Pending }
        })
        .await;
        self.deadline.set(None);
        result
    }

    async fn next(&self, transports: &mut Transports) -> Option<Box<Operation>> {
        poll_fn(|cx| {
            let unchanged = self.waker.borrow().as_ref().is_some_and(|waker| waker.will_wake(cx.waker()));
            if !unchanged {
                *self.waker.borrow_mut() = Some(cx.waker().clone());
            }
            if self.close_idle.take() {
                transports.close();
            }
            match self.next.borrow_mut().take() {
                Some(operation) => Poll::Ready(Some(operation)),
                None if self.ended.get() => Poll::Ready(None),
                None => Poll::Pending,
            }
        })
        .await
    }
}

/// The tasks of lanes, on all I/O threads of this process.
static TASKS: AtomicUsize = AtomicUsize::new(0);

/// How many lanes there are on all I/O threads. Those of a session end with it.
pub fn lanes() -> usize {
    TASKS.load(Ordering::Relaxed)
}

/// A lane's task, as long as it is there.
struct Counted;

impl Counted {
    fn new() -> Self {
        TASKS.fetch_add(1, Ordering::Relaxed);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        TASKS.fetch_sub(1, Ordering::Relaxed);
    }
}

/// The task of a lane: until its session is forgotten.
pub async fn run(lane: Rc<Lane>, thread: Rc<Thread>, http2: Rc<Connections>) {
    let _counted = Counted::new();
    let anew = || Transports::new(Rc::clone(&lane), Rc::clone(&thread), Rc::clone(&http2));
    let mut transports = anew();
    while let Some(mut operation) = lane.next(&mut transports).await {
        let before = operation.outcome.take();
        let served = {
            let work = pin!(session::execute(&mut transports, &operation.session, &operation.request, before));
            caught(work).await
        };
        let outcome = match served {
            Ok(outcome) => outcome,
            Err(bug) => {
                // What it left behind is not to be trusted: the lane begins anew.
                transports = anew();
                Outcome::of_failure(bug)
            }
        };
        lane.cancelled.set(false);
        lane.deadline.set(None);
        lane.ticket.set(None);
        let (session, kept) = (operation.session.id(), operation.request.settings.max_connections);
        // Also when nobody waits for it any more: the main thread counts what was abandoned.
        thread.finish(operation, outcome);
        transports.hand_on().await;
        lane.busy.set(false);
        thread.lane_is_free(session, &lane, kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::Completions;
    use std::sync::Arc;
    use std::task::Context;

    /// Poll a wait of `limit` once before and once after its time is up, `arrived` having been set between the two.
    fn when_time_is_up(arrives: bool) -> Poll<Result<(), Failure>> {
        let limit = Duration::from_millis(1);
        let (thread, lane) = (Thread::new(Arc::new(Completions::new().unwrap())), Lane::new());
        let arrived = Cell::new(false);
        let mut wait = pin!(lane.within(
            &thread,
            Some(limit),
            poll_fn(|_| { if arrived.get() { Poll::Ready(()) } else { Poll::Pending } })
        ));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(wait.as_mut().poll(&mut cx).is_pending());
        let until = lane.deadline.get().unwrap();
        while Instant::now() <= until {}
        arrived.set(arrives);
        wait.as_mut().poll(&mut cx)
    }

    #[test]
    fn what_is_there_when_the_time_is_up_counts() {
        assert!(matches!(when_time_is_up(true), Poll::Ready(Ok(()))));
        assert!(matches!(when_time_is_up(false), Poll::Ready(Err(Failure::ReadTimeout(_)))));
    }

    #[test]
    fn an_idle_user_s_task_is_small() {
        let (thread, lane) = (Rc::new(Thread::new(Arc::new(Completions::new().unwrap()))), Lane::new());
        let size = size_of_val(&run(lane, thread, Rc::default()));
        assert!(size <= 2560, "{size} bytes of every user's memory: what is rare belongs into a box");
    }
}
