//! Waits that are not for an operation of one's own greenlet: a coroutine's, and a greenlet's for a Rust future.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use pyo3::prelude::*;

use super::{Finished, Hub, Waiter};
use crate::bridge::{Completions, Ticket};
use crate::http::io::{Command, Completion, Operation};

/// Wakes a greenlet that waits for a Rust future, from whatever thread.
struct Bell {
    completions: Arc<Completions<Completion>>,
    ticket: Ticket,
}

impl Wake for Bell {
    fn wake(self: Arc<Self>) {
        if self.completions.push(Completion::Ready(self.ticket)) {
            self.completions.wake();
        }
    }
}

impl Hub {
    /// Send `operation`; when it is finished, `future` gets a result, and [`Self::collect`] has the operation.
    pub fn exchange_for(&self, py: Python<'_>, mut operation: Box<Operation>, future: Py<PyAny>) -> PyResult<Ticket> {
        let session = operation.session.id();
        self.watch(py)?;
        let ticket = self.waiters.borrow_mut().issue(Waiter::Coroutine(future));
        operation.ticket = Some(ticket);
        self.pool.send(session, Command::Run(operation));
        Ok(ticket)
    }

    /// The finished operation, if it is; the ticket is void then.
    pub fn collect(&self, py: Python<'_>, ticket: Ticket) -> PyResult<Option<Box<Operation>>> {
        let finished = self.waiters.borrow_mut().redeem(ticket);
        let Some(Finished::Operation(operation)) = finished else { return Ok(None) };
        self.stop_watching_if_idle(py)?;
        Ok(Some(operation))
    }

    /// Nobody waits for the operation of this ticket any more: stop it, and close its connection.
    pub fn abandon(&self, py: Python<'_>, session: u64, ticket: Ticket) -> PyResult<()> {
        let finished = self.waiters.borrow_mut().redeem(ticket);
        if let Some(Finished::Operation(operation)) = finished {
            self.count_uncounted(&operation);
        } else {
            let waiter = self.waiters.borrow_mut().abandon(ticket);
            if waiter.is_some() {
                self.cancel(session, ticket);
            }
            drop(waiter);
        }
        self.stop_watching_if_idle(py)
    }

    /// Park the running greenlet until `future` is ready. It is polled here, on the main thread.
    ///
    /// What is thrown into the greenlet comes out here; the future is then as good as before.
    pub fn wait_for<F: Future>(&self, py: Python<'_>, mut future: Pin<&mut F>) -> PyResult<F::Output> {
        loop {
            let ticket = self.issue(py)?;
            let waker = Waker::from(Arc::new(Bell { completions: Arc::clone(&self.completions), ticket }));
            match future.as_mut().poll(&mut Context::from_waker(&waker)) {
                Poll::Pending => self.park(py, ticket).map(drop)?,
                Poll::Ready(output) => {
                    self.give_back(py, ticket)?;
                    return Ok(output);
                }
            }
        }
    }
}
