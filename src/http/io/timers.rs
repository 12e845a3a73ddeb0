//! Deadlines of the lanes of one thread, at one timer for all of them.

use std::cell::RefCell;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::rc::{Rc, Weak};
use std::time::Instant;

use tokio::sync::Notify;

use super::Lane;

#[derive(Debug)]
struct Alarm {
    at: Instant,
    lane: Weak<Lane>,
}

impl PartialEq for Alarm {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}
impl Eq for Alarm {}
impl PartialOrd for Alarm {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Alarm {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

/// A lane has at most one alarm that matters. It is set for the first deadline and, when it goes off, moved to the
/// deadline of that moment: a user with short requests and a long time-out costs one alarm per time-out, not per request.
#[derive(Debug, Default)]
pub struct Timers {
    alarms: RefCell<BinaryHeap<Reverse<Alarm>>>,
    earlier: Notify,
}

impl Timers {
    pub fn set(&self, lane: &Rc<Lane>, deadline: Instant) {
        lane.deadline.set(Some(deadline));
        if lane.alarm.get().is_some_and(|alarm| alarm <= deadline) {
            return;
        }
        lane.alarm.set(Some(deadline));
        let first = self.next().is_none_or(|next| deadline < next);
        self.alarms.borrow_mut().push(Reverse(Alarm { at: deadline, lane: Rc::downgrade(lane) }));
        if first {
            self.earlier.notify_one();
        }
    }

    fn next(&self) -> Option<Instant> {
        self.alarms.borrow().peek().map(|Reverse(alarm)| alarm.at)
    }

    /// Wake lanes whose deadline has passed; never returns.
    pub async fn run(&self) {
        loop {
            match self.next() {
                None => self.earlier.notified().await,
                Some(at) => {
                    tokio::select! {
                        () = self.earlier.notified() => {}
                        () = tokio::time::sleep_until(at.into()) => self.go_off(Instant::now()),
                    }
                }
            }
        }
    }

    fn go_off(&self, now: Instant) {
        while let Some(alarm) = self.pop_due(now) {
            let Some(lane) = alarm.lane.upgrade() else { continue };
            if lane.alarm.get() != Some(alarm.at) {
                continue; // an earlier alarm took its place
            }
            lane.alarm.set(None);
            match lane.deadline.get() {
                Some(deadline) if deadline > now => self.set(&lane, deadline),
                Some(_) => lane.wake(),
                None => {}
            }
        }
    }

    fn pop_due(&self, now: Instant) -> Option<Alarm> {
        let mut alarms = self.alarms.borrow_mut();
        if alarms.peek().is_some_and(|Reverse(alarm)| alarm.at <= now) {
            alarms.pop().map(|Reverse(alarm)| alarm)
        } else {
            None
        }
    }
}
