//! The rows that a worker was sent ahead: the side of whoever uses them.

use std::collections::VecDeque;
use std::time::Duration;

use super::{Answer, Broken, Row};

/// Rows for about so long are asked for: what is lost with a worker is little, and a busy owner is not waited for.
const AHEAD: Duration = Duration::from_secs(1);
const FIRST: usize = 16;
const MOST: usize = 4096;

/// A worker's request. Its numbers count rows of one stream, from the beginning of the worker's life.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Which stream of the worker: another for each test.
    pub life: u64,
    /// Requests are numbered; the same one may be sent again.
    pub number: u64,
    /// How many rows it has got and keeps. What else it was sent it has given back, and will not use.
    pub kept: u64,
    /// How many of these its users have taken.
    pub used: u64,
    /// How many more it would like.
    pub wants: usize,
    /// Users wait for them.
    pub starves: bool,
}

pub struct Stock<C> {
    life: u64,
    number: u64,
    kept: u64,
    used: u64,
    ready: VecDeque<Row<C>>,
    /// The request that was not answered yet.
    open: Option<Request>,
    /// How many rows the last request asked for, and when; how many were used by then.
    block: usize,
    asked: Duration,
    used_then: u64,
    is_ended: bool,
    broken: Option<Broken>,
}

impl<C> Default for Stock<C> {
    fn default() -> Self {
        Self {
            life: 0,
            number: 0,
            kept: 0,
            used: 0,
            ready: VecDeque::new(),
            open: None,
            block: 0,
            asked: Duration::ZERO,
            used_then: 0,
            is_ended: false,
            broken: None,
        }
    }
}

impl<C> Stock<C> {
    /// A test begins: what was left of the one before is nobody's, and the owner is to know.
    pub fn begin(&mut self) -> Request {
        *self = Self { life: self.life + 1, ..Self::default() };
        self.request(0, false)
    }

    /// Rows that no user has taken, before a test begins: they may have destructors.
    pub fn take_all(&mut self) -> VecDeque<Row<C>> {
        std::mem::take(&mut self.ready)
    }

    /// A row for a user.
    #[inline]
    pub fn take(&mut self) -> Option<Row<C>> {
        let row = self.ready.pop_front()?;
        self.used += 1;
        Some(row)
    }

    /// Put in a row without asking for it: where the owner is here.
    pub fn put(&mut self, row: Row<C>) {
        self.ready.push_back(row);
        self.kept += 1;
    }

    /// Whether it is time to ask for more.
    #[inline]
    pub fn is_low(&self) -> bool {
        self.ready.len() <= self.block / 2 && self.open.is_none() && !self.is_ended
    }

    pub fn len(&self) -> usize {
        self.ready.len()
    }

    pub fn is_empty(&self) -> bool {
        self.ready.is_empty()
    }

    pub fn is_ended(&self) -> bool {
        self.is_ended
    }

    pub fn broken(&self) -> Option<&Broken> {
        self.broken.as_ref()
    }

    /// How far this is: the stream, and how many of its rows were used.
    pub fn progress(&self) -> (u64, u64) {
        (self.life, self.used)
    }

    /// What to send to get more, `now`, where so many users wait; nothing while an answer is awaited.
    pub fn ask(&mut self, now: Duration, waiting: usize) -> Option<Request> {
        if self.is_ended {
            return None;
        }
        let starves = waiting > 0;
        if let Some(open) = &mut self.open {
            if open.starves || !starves {
                return None;
            }
            open.starves = true;
            return self.ask_again();
        }
        self.block = self.next_block(now).max(waiting).min(MOST);
        (self.asked, self.used_then) = (now, self.used);
        Some(self.request(self.block, starves))
    }

    /// As many rows as were used in a second, lately; never many more than the last time.
    fn next_block(&self, now: Duration) -> usize {
        let passed = now.saturating_sub(self.asked).as_secs_f64().max(0.001);
        let used = (self.used - self.used_then) as f64;
        let wanted = (used / passed * AHEAD.as_secs_f64()).ceil() as usize;
        wanted.clamp(FIRST, (self.block * 4).max(FIRST))
    }

    /// The request that is not answered yet, as it is to be sent again.
    pub fn ask_again(&mut self) -> Option<Request> {
        let open = self.open.as_mut()?;
        open.used = self.used;
        Some(*open)
    }

    /// Give back half of what is not needed yet; nothing where there is nothing. So many users wait: theirs stay here,
    /// or rows would wander to and fro for ever.
    pub fn spare(&mut self, waiting: usize) -> Option<Request> {
        let keep = self.ready.len() / 2;
        let keep = keep.max(waiting.min(self.ready.len()));
        (keep < self.ready.len()).then(|| self.give_back(keep, 0))
    }

    /// Give back everything: the test is over here.
    pub fn leave(&mut self) -> Option<Request> {
        let is_over = std::mem::replace(&mut self.is_ended, true);
        (!is_over || !self.ready.is_empty()).then(|| self.give_back(0, 0))
    }

    fn give_back(&mut self, keep: usize, wants: usize) -> Request {
        self.kept -= (self.ready.len() - keep) as u64;
        self.ready.truncate(keep);
        self.request(wants, false)
    }

    /// Whatever was asked before counts no more: its answer would not be taken.
    fn request(&mut self, wants: usize, starves: bool) -> Request {
        self.number += 1;
        let request =
            Request { life: self.life, number: self.number, kept: self.kept, used: self.used, wants, starves };
        self.open = Some(request);
        request
    }

    /// Take an answer, if it is one to the open request; whether something has changed by it.
    pub fn arrive(&mut self, life: u64, number: u64, answer: Answer<C>) -> bool {
        if life != self.life || self.open.is_none_or(|open| open.number != number) {
            return false;
        }
        self.open = None;
        match answer {
            Answer::Rows(rows) => {
                self.kept += rows.len() as u64;
                self.ready.extend(rows);
            }
            Answer::End => self.is_ended = true,
            Answer::Stale => {
                self.begin();
            }
            Answer::Broken(broken) => (self.broken, self.is_ended) = (Some(broken), true),
        }
        true
    }
}
