//! Who sleeps until when.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Instant;

use super::Ticket;

/// Below this many entries dead ones are not worth a sweep.
const SWEEP_FROM: usize = 1024;

/// A heap of tickets by time. A sleeper that was killed leaves its entry behind; entries like that are swept out when
/// they are more than half of all.
#[derive(Debug, Default)]
pub struct Sleepers {
    heap: BinaryHeap<Reverse<(Instant, Ticket)>>,
    dead: usize,
}

impl Sleepers {
    pub fn push(&mut self, until: Instant, ticket: Ticket) {
        self.heap.push(Reverse((until, ticket)));
    }

    pub fn next(&self) -> Option<Instant> {
        self.heap.peek().map(|Reverse((until, _))| *until)
    }

    pub fn pop_due(&mut self, now: Instant) -> Option<Ticket> {
        if self.next()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, ticket))| ticket)
    }

    /// A sleeper was killed; `alive` tells which tickets still wait.
    pub fn forget(&mut self, alive: impl Fn(Ticket) -> bool) {
        self.dead += 1;
        if self.heap.len() >= SWEEP_FROM && self.dead * 2 > self.heap.len() {
            self.heap.retain(|Reverse((_, ticket))| alive(*ticket));
            self.dead = 0;
        }
    }

    pub fn len(&self) -> usize {
        self.heap.len()
    }

    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bridge::Tickets;
    use std::time::Duration;

    #[test]
    fn sleepers_wake_in_order_and_the_killed_take_no_room() {
        let start = Instant::now();
        let mut tickets = Tickets::<(), ()>::default();
        let mut sleepers = Sleepers::default();
        let all: Vec<_> = (0..5000).map(|_| tickets.issue(())).collect();
        for (n, ticket) in all.iter().enumerate() {
            sleepers.push(start + Duration::from_millis((n as u64 * 7919) % 5000), *ticket);
        }
        for ticket in &all[..4000] {
            tickets.abandon(*ticket);
            sleepers.forget(|ticket| tickets.is_waiting(ticket));
        }
        assert!(sleepers.len() <= 2 * 1000 + 1, "{} entries for 1000 sleepers", sleepers.len());
        let mut woken = 0;
        let mut before = start;
        while let Some(next) = sleepers.next() {
            assert!(next >= before);
            before = next;
            woken += usize::from(sleepers.pop_due(next).is_some_and(|ticket| tickets.is_waiting(ticket)));
        }
        assert_eq!(woken, 1000);
    }
}
