//! The I/O threads: where requests are sent and responses arrive, without the interpreter.
//!
//! Users are dealt out among single-threaded runtimes; what belongs to one user stays on one thread, so nothing here
//! but the two queues at the border is shared. A user's requests are served by a lane: one task that owns the user's
//! connection. A user whose greenlets use its client at once gets further lanes.

mod caught;
mod inbox;
mod lane;
mod pool;
mod thread;
mod timers;

pub use caught::caught;
pub use lane::{Lane, lanes};
pub use pool::{Pool, forget, start};
pub use thread::Thread;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::request::{Answer, Names};
use super::session::Session;
use super::{Failure, Request, Response, Stamps};
use crate::bridge::Ticket;

/// A request on its way to an I/O thread, and its outcome on the way back: one box for both journeys.
#[derive(Debug)]
pub struct Operation {
    pub ticket: Option<Ticket>,
    pub session: Arc<Session>,
    pub request: Request,
    /// The method as the caller wrote it, where that is not how it is sent: it is counted so.
    pub label: Option<Box<str>>,
    pub outcome: Option<Outcome>,
    /// How long it waited for Python when it was finished.
    pub lag: Duration,
}

impl Operation {
    /// The method that it is counted under.
    pub fn method(&self) -> &str {
        self.label.as_deref().unwrap_or(self.request.method.as_str())
    }

    /// The host and port whose addresses the caller is asked for, if the operation stopped for that.
    pub fn question(&self) -> Option<(&str, u16)> {
        match &self.outcome.as_ref()?.result {
            Err(Failure::AskCaller { host, port }) => Some((host, *port)),
            _ => None,
        }
    }

    /// The system's resolver is to answer that: the operation can go on.
    pub fn ask_system(&mut self) {
        let Some(outcome) = &mut self.outcome else { return };
        outcome.stamps.looked_up();
        outcome.hops.last_mut().map_or(&mut self.request, |hop| &mut hop.next).names = Names::System;
    }

    /// The answer to that: the operation can go on, or has failed for good.
    pub fn answer(&mut self, answer: Result<Vec<SocketAddr>, Failure>) {
        let Some(outcome) = &mut self.outcome else { return };
        let Err(Failure::AskCaller { host, port }) = &mut outcome.result else { return };
        outcome.stamps.looked_up();
        match answer {
            Ok(addresses) => {
                let request = outcome.hops.last_mut().map_or(&mut self.request, |hop| &mut hop.next);
                let answer = Answer { host: std::mem::take(host), port: *port, addresses };
                request.names = Names::Caller(vec![answer]);
            }
            Err(failure) => {
                outcome.result = Err(failure);
                outcome.stamps.finish(Instant::now());
            }
        }
    }
}

#[derive(Debug)]
pub struct Outcome {
    pub result: Result<Response, Failure>,
    pub stamps: Stamps,
    /// The redirects that were followed, the first one first.
    pub hops: Vec<Hop>,
    /// The cookies that were sent, and behind how many redirects; most requests have none.
    pub cookies: Vec<(usize, String)>,
    /// What came of a response whose body is the failure.
    pub partial: Option<Box<Response>>,
}

impl Outcome {
    /// The cookies sent with the request behind that many redirects.
    pub fn cookies_behind(&self, redirects: usize) -> Option<&str> {
        self.cookies.iter().rev().find(|(behind, _)| *behind == redirects).map(|(_, line)| line.as_str())
    }

    /// Of an operation that never got to a connection.
    pub fn of_failure(failure: Failure) -> Self {
        Self {
            result: Err(failure),
            stamps: Stamps::at(Instant::now()),
            hops: Vec::new(),
            cookies: Vec::new(),
            partial: None,
        }
    }
}

/// A response that redirected, and the request it led to.
#[derive(Debug)]
pub struct Hop {
    pub response: Response,
    pub next: Request,
}

/// What an I/O thread tells the main thread.
#[derive(Debug)]
pub enum Completion {
    Done(Box<Operation>),
    /// What this ticket's holder waits for can be had now.
    Ready(Ticket),
}

/// What the main thread tells an I/O thread.
#[derive(Debug)]
pub enum Command {
    Run(Box<Operation>),
    /// Nobody waits for this operation any more: stop it and close its connection.
    Cancel {
        session: u64,
        ticket: Ticket,
    },
    /// Close the session's connections; a running request finishes first.
    CloseIdle {
        session: u64,
    },
    /// The session is gone.
    Forget {
        session: u64,
    },
    /// The thread's work is over.
    End,
}
