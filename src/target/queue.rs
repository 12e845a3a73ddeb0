//! The shop's capacity: a fixed number of service slots and one line of requests before them, first come first served (M/G/k).
//!
//! Nothing here waits. When a request arrives, the moment its service will end is already decided: the slot that is free
//! first takes it. So one sleep serves both queueing and service, and no scheduling delay adds up along the line. A
//! client that goes away does not shorten the line, as with servers that notice only when they answer.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use crate::sync::held;

pub struct Queue {
    slots: usize,
    /// When each slot that was ever used is free again; never longer than `slots`.
    busy_until: Mutex<BinaryHeap<Reverse<Instant>>>,
}

impl Queue {
    pub fn new(slots: usize) -> Self {
        Self { slots, busy_until: Mutex::default() }
    }

    /// When a request that arrives at `now` and needs `service` is done.
    pub fn admit(&self, now: Instant, service: Duration) -> Instant {
        let mut busy = held(&self.busy_until);
        let start = match busy.peek() {
            Some(&Reverse(first_free)) if first_free <= now || busy.len() == self.slots => {
                busy.pop();
                first_free.max(now)
            }
            _ => now,
        };
        busy.push(Reverse(start + service));
        start + service
    }

    /// Forget the line: every slot is free.
    pub fn clear(&self) {
        held(&self.busy_until).clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn slots_serve_side_by_side_and_the_rest_wait_in_line() {
        let (queue, now) = (Queue::new(2), Instant::now());
        let ends: Vec<_> = (0..5).map(|_| (queue.admit(now, 10 * MS) - now).as_millis()).collect();
        assert_eq!(ends, [10, 10, 20, 20, 30]);
        assert_eq!(queue.admit(now + 100 * MS, 10 * MS), now + 110 * MS);
    }

    proptest! {
        #[test]
        fn no_more_than_the_slots_are_ever_in_service(
            slots in 1..5usize,
            arrivals in prop::collection::vec((0..10u32, 1..20u32), 1..60),
        ) {
            let queue = Queue::new(slots);
            let mut now = Instant::now();
            let mut services = Vec::new();
            for (gap, service) in arrivals {
                now += gap * MS;
                let end = queue.admit(now, service * MS);
                let start = end.checked_sub(service * MS).unwrap();
                prop_assert!(start >= now);
                prop_assert!(services.last().is_none_or(|&(earlier, _)| start >= earlier), "first come, first served");
                services.push((start, end));
            }
            for &(moment, _) in &services {
                let running = services.iter().filter(|&&(start, end)| start <= moment && moment < end).count();
                prop_assert!(running <= slots);
            }
        }
    }
}
