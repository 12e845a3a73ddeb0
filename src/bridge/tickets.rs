//! Who waits for what: a table of tickets, each good for one operation.
//!
//! A ticket is a number that an I/O thread may carry. It names a slot and the slot's generation, so the ticket of an
//! operation that was abandoned never reaches whoever uses the slot next.

/// Names one wait. Plain data: it crosses threads in place of the waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket {
    slot: u32,
    generation: u32,
}

#[derive(Debug)]
enum Slot<W, R> {
    Free { next: Option<u32> },
    Waiting(W),
    Finished(R),
}

/// Waiters of type `W` that each get a result of type `R`, once.
#[derive(Debug)]
pub struct Tickets<W, R> {
    slots: Vec<(u32, Slot<W, R>)>,
    free: Option<u32>,
    used: usize,
}

impl<W, R> Default for Tickets<W, R> {
    fn default() -> Self {
        Self { slots: Vec::new(), free: None, used: 0 }
    }
}

impl<W, R> Tickets<W, R> {
    /// How many tickets are out.
    pub fn len(&self) -> usize {
        self.used
    }

    pub fn is_empty(&self) -> bool {
        self.used == 0
    }

    pub fn is_waiting(&self, ticket: Ticket) -> bool {
        matches!(
            self.slots.get(ticket.slot as usize),
            Some((generation, Slot::Waiting(_))) if *generation == ticket.generation
        )
    }

    pub fn issue(&mut self, waiter: W) -> Ticket {
        self.used += 1;
        let Some(slot) = self.free else {
            let slot = u32::try_from(self.slots.len()).expect("fewer than 2^32 greenlets wait at once");
            self.slots.push((0, Slot::Waiting(waiter)));
            return Ticket { slot, generation: 0 };
        };
        let (generation, entry) = &mut self.slots[slot as usize];
        let Slot::Free { next } = *entry else { unreachable!("the free list names free slots") };
        self.free = next;
        *entry = Slot::Waiting(waiter);
        Ticket { slot, generation: *generation }
    }

    /// Hand `result` to the waiter and get the waiter to wake it; the result back if nobody waits for it any more.
    pub fn finish(&mut self, ticket: Ticket, result: R) -> Result<W, R> {
        match self.slots.get_mut(ticket.slot as usize) {
            Some((generation, entry @ Slot::Waiting(_))) if *generation == ticket.generation => {
                let Slot::Waiting(waiter) = std::mem::replace(entry, Slot::Finished(result)) else {
                    unreachable!("matched as waiting")
                };
                Ok(waiter)
            }
            _ => Err(result),
        }
    }

    /// The result of a finished wait; the ticket is void afterwards. `None` if it has not finished: it stays valid.
    pub fn redeem(&mut self, ticket: Ticket) -> Option<R> {
        let (generation, entry) = self.slots.get_mut(ticket.slot as usize)?;
        if *generation != ticket.generation || !matches!(entry, Slot::Finished(_)) {
            return None;
        }
        match self.release(ticket.slot) {
            Slot::Finished(result) => Some(result),
            _ => unreachable!("matched as finished"),
        }
    }

    /// The waiter gives up: whatever is finished for this ticket from now on goes to nobody. Returns what it held.
    pub fn abandon(&mut self, ticket: Ticket) -> Option<W> {
        let (generation, _) = self.slots.get(ticket.slot as usize)?;
        if *generation != ticket.generation {
            return None;
        }
        match self.release(ticket.slot) {
            Slot::Waiting(waiter) => Some(waiter),
            _ => None,
        }
    }

    fn release(&mut self, slot: u32) -> Slot<W, R> {
        let (generation, entry) = &mut self.slots[slot as usize];
        let old = std::mem::replace(entry, Slot::Free { next: self.free });
        // After 2^32 uses of one slot a ticket could repeat; the abandoned one would have to be as old as that.
        *generation = generation.wrapping_add(1);
        self.free = Some(slot);
        self.used -= 1;
        old
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashMap;

    #[test]
    fn a_late_result_never_reaches_the_next_waiter() {
        let mut tickets = Tickets::<&str, u8>::default();
        let first = tickets.issue("first");
        assert_eq!(tickets.abandon(first), Some("first"));
        let second = tickets.issue("second");
        assert_eq!(tickets.finish(first, 1), Err(1));
        assert_eq!(tickets.finish(second, 2), Ok("second"));
        assert_eq!(tickets.redeem(first), None);
        assert_eq!(tickets.redeem(second), Some(2));
        assert!(tickets.is_empty());
    }

    #[derive(Clone, Debug)]
    enum Step {
        Issue,
        Finish(usize),
        Redeem(usize),
        Abandon(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => Just(Step::Issue),
            2 => any::<usize>().prop_map(Step::Finish),
            2 => any::<usize>().prop_map(Step::Redeem),
            1 => any::<usize>().prop_map(Step::Abandon),
        ];
        proptest::collection::vec(step, 0..400)
    }

    proptest! {
        /// Against a table that never reuses anything, whatever the order of operations on tickets old and new.
        #[test]
        fn behaves_like_a_map_that_never_reuses_a_key(steps in steps()) {
            let mut tickets = Tickets::<usize, usize>::default();
            let mut issued = Vec::new();
            let mut model: HashMap<usize, Option<usize>> = HashMap::new(); // waiter → its result
            for (n, step) in steps.into_iter().enumerate() {
                let pick = |i: usize| (!issued.is_empty()).then(|| i % issued.len().max(1));
                match step {
                    Step::Issue => {
                        model.insert(issued.len(), None);
                        issued.push(tickets.issue(issued.len()));
                    }
                    Step::Finish(i) => if let Some(i) = pick(i) {
                        let expected = if model.get(&i) == Some(&None) { Ok(i) } else { Err(n) };
                        prop_assert_eq!(tickets.finish(issued[i], n), expected);
                        if expected.is_ok() { model.insert(i, Some(n)); }
                    },
                    Step::Redeem(i) => if let Some(i) = pick(i) {
                        let expected = model.get(&i).copied().flatten();
                        prop_assert_eq!(tickets.redeem(issued[i]), expected);
                        if expected.is_some() { model.remove(&i); }
                    },
                    Step::Abandon(i) => if let Some(i) = pick(i) {
                        let waiting = model.remove(&i) == Some(None);
                        prop_assert_eq!(tickets.abandon(issued[i]), waiting.then_some(i));
                    },
                }
                prop_assert_eq!(tickets.len(), model.len());
            }
        }
    }
}
