//! One I/O thread: its lanes, its buffers, its way back to the main thread.

use std::cell::{RefCell, RefMut};
use std::collections::VecDeque;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use rustc_hash::FxHashMap;
use tokio::sync::Notify;

use super::inbox::Inbox;
use super::lane::{self, Lane};
use super::timers::Timers;
use super::{Command, Completion, Operation, Outcome};
use crate::bridge::{Completions, Ticket};
use crate::http::Failure;
use crate::http::request::AtTheLimit;
use crate::http::transport::Connections;

/// Ordinary responses fit; longer ones are collected piece by piece.
const READ_BUFFER: usize = 64 * 1024;

pub struct Thread {
    sessions: RefCell<FxHashMap<u64, Entry>>,
    read_buffer: RefCell<Box<[u8]>>,
    write_buffer: RefCell<Vec<u8>>,
    timers: Timers,
    completions: Arc<Completions<Completion>>,
    /// Rung when a completion must be followed by a wake-up of the main thread.
    wake_up: Notify,
}

/// A session's lanes, and what waits for one.
#[derive(Default)]
struct Entry {
    lanes: Vec<Rc<Lane>>,
    /// The connections that its lanes share.
    http2: Rc<Connections>,
    waiting: VecDeque<Box<Operation>>,
}

impl Thread {
    pub fn new(completions: Arc<Completions<Completion>>) -> Self {
        Self {
            sessions: RefCell::default(),
            read_buffer: RefCell::new(vec![0; READ_BUFFER].into_boxed_slice()),
            write_buffer: RefCell::default(),
            timers: Timers::default(),
            completions,
            wake_up: Notify::new(),
        }
    }

    /// The buffer that all reads of this thread go through. Not to be held across an await.
    pub fn read_buffer(&self) -> RefMut<'_, Box<[u8]>> {
        self.read_buffer.borrow_mut()
    }

    /// The buffer that requests are written from, empty. Not to be held across an await.
    pub fn write_buffer(&self) -> RefMut<'_, Vec<u8>> {
        let mut buffer = self.write_buffer.borrow_mut();
        buffer.clear();
        buffer
    }

    pub fn set_deadline(&self, lane: &Lane, deadline: Instant) {
        // Only this thread's own lanes come here; the first alarm needs a way back to the lane.
        if lane.alarm.get().is_some_and(|alarm| alarm <= deadline) {
            lane.deadline.set(Some(deadline));
            return;
        }
        if let Some(lane) = lane.me() {
            self.timers.set(&lane, deadline);
        }
    }

    /// Send an operation home with its outcome.
    pub fn finish(&self, mut operation: Box<Operation>, outcome: Outcome) {
        operation.outcome = Some(outcome);
        // What only waits for an address goes on, and has its body still to send.
        let upload = operation.request.upload.as_ref().filter(|_| operation.question().is_none());
        if let Some(maker) = upload.and_then(|upload| upload.close()) {
            self.ready(maker);
        }
        self.tell(Completion::Done(operation));
    }

    /// Wake the greenlet that waits with this ticket.
    pub fn ready(&self, ticket: Ticket) {
        self.tell(Completion::Ready(ticket));
    }

    fn tell(&self, completion: Completion) {
        if self.completions.push(completion) {
            self.wake_up.notify_one();
        }
    }

    /// Serve commands until told to end.
    pub async fn run(self: Rc<Self>, inbox: Arc<Inbox>) {
        let waker = Rc::clone(&self);
        tokio::task::spawn_local(async move { waker.wake_main_thread().await });
        let timers = Rc::clone(&self);
        tokio::task::spawn_local(async move { timers.timers.run().await });
        loop {
            inbox.rung().await;
            // One turn for what is ready here: meanwhile more commands come, and each that finds the bell rung already
            // saves a system call and a wake-up of this thread.
            tokio::task::yield_now().await;
            inbox.start_drain();
            while let Some(command) = inbox.pop() {
                if matches!(command, Command::End) {
                    return;
                }
                self.obey(command);
            }
        }
    }

    /// Wake the main thread once for all that completes in one turn of this thread: response times are stamped, so
    /// holding a wake-up back for that long falsifies nothing. With one user there is nothing to hold it back for.
    async fn wake_main_thread(&self) {
        loop {
            self.wake_up.notified().await;
            tokio::task::yield_now().await;
            self.completions.wake();
        }
    }

    fn obey(self: &Rc<Self>, command: Command) {
        match command {
            Command::Run(operation) => self.assign(operation),
            Command::Cancel { session, ticket } => self.cancel(session, ticket),
            Command::CloseIdle { session } => {
                if let Some(entry) = self.sessions.borrow().get(&session) {
                    entry.lanes.iter().for_each(|lane| lane.close_idle());
                }
            }
            Command::End => unreachable!("the thread ends instead"),
            Command::Forget { session } => self.forget(session),
        }
    }

    fn assign(self: &Rc<Self>, operation: Box<Operation>) {
        let mut sessions = self.sessions.borrow_mut();
        let entry = sessions.entry(operation.session.id()).or_default();
        if let Some(lane) = entry.lanes.iter().find(|lane| lane.is_idle()) {
            lane.assign(operation);
        } else if entry.lanes.len() < operation.request.settings.max_connections.max(1)
            || operation.request.settings.at_the_limit == AtTheLimit::OpenMore
        {
            let lane = Lane::new();
            lane.assign(operation);
            if entry.lanes.is_empty() {
                entry.lanes.reserve_exact(1);
            }
            entry.lanes.push(Rc::clone(&lane));
            tokio::task::spawn_local(lane::run(lane, Rc::clone(self), Rc::clone(&entry.http2)));
        } else {
            entry.waiting.push_back(operation);
        }
    }

    /// Give a lane that has become idle what waits for one. One too many, of which only so many are kept, ends.
    pub fn lane_is_free(&self, session: u64, lane: &Lane, kept: usize) {
        let mut sessions = self.sessions.borrow_mut();
        let Some(entry) = sessions.get_mut(&session) else { return };
        if let Some(operation) = entry.waiting.pop_front() {
            lane.assign(operation);
        } else if entry.lanes.len() > kept.max(1) {
            entry.lanes.retain(|other| !std::ptr::eq(&raw const **other, lane));
            lane.end();
        }
    }

    fn cancel(&self, session: u64, ticket: Ticket) {
        let waiting = {
            let mut sessions = self.sessions.borrow_mut();
            let Some(entry) = sessions.get_mut(&session) else { return };
            let _ = entry.lanes.iter().any(|lane| lane.cancel(ticket));
            let at = entry.waiting.iter().position(|operation| operation.ticket == Some(ticket));
            at.and_then(|at| entry.waiting.remove(at))
        };
        if let Some(operation) = waiting {
            self.finish(operation, Outcome::of_failure(Failure::Cancelled));
        }
    }

    /// Let the session's lanes end. Every operation comes home: those that have begun are finished, those that wait for a
    /// lane get none any more.
    fn forget(&self, session: u64) {
        let Some(entry) = self.sessions.borrow_mut().remove(&session) else { return };
        entry.lanes.iter().for_each(|lane| lane.end());
        for operation in entry.waiting {
            self.finish(operation, Outcome::of_failure(Failure::Cancelled));
        }
    }
}
