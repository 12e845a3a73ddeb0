//! Room for large messages, which all connections of a socket share.
//!
//! It is taken as a message comes, not when it is announced: who announces and sends nothing has none. So many may each
//! hold a part and wait for the rest. That they do not wait for each other, one at a time may use what is kept for a whole
//! message.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What large messages of all connections may take together, until they have been handed out.
const SHARED: usize = 256 << 20;
/// Bytes to a permit.
const UNIT: usize = 1 << 10;

/// What is shared.
#[derive(Debug, Clone)]
pub(super) struct Rooms {
    parts: Arc<Semaphore>,
    /// Who has it may go on to the end of its message.
    turn: Arc<Semaphore>,
}

/// What is wanted: for what comes next of a message, or for all of it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    pub(super) next: usize,
    pub(super) whole: usize,
}

#[derive(Debug)]
pub(super) struct Grant {
    permit: OwnedSemaphorePermit,
    bytes: usize,
}

/// What one message holds.
#[derive(Debug, Default)]
pub(super) struct Room {
    bytes: usize,
    grants: Vec<OwnedSemaphorePermit>,
}

impl Rooms {
    pub(super) fn new(most_bytes: usize) -> Self {
        let parts = (SHARED.saturating_sub(most_bytes) / UNIT).min(Semaphore::MAX_PERMITS);
        Self { parts: Arc::new(Semaphore::new(parts)), turn: Arc::new(Semaphore::new(1)) }
    }

    /// Wait for room.
    pub(super) async fn find(&self, step: Step) -> Grant {
        let permits = u32::try_from(step.next.div_ceil(UNIT)).unwrap_or(u32::MAX);
        let (permit, bytes) = tokio::select! {
            biased;
            part = Arc::clone(&self.parts).acquire_many_owned(permits) => (part, step.next),
            turn = Arc::clone(&self.turn).acquire_owned() => (turn, step.whole),
        };
        Grant { permit: permit.expect("nobody closes it"), bytes }
    }

    /// Whether all of it is taken.
    pub(super) fn are_full(&self) -> bool {
        self.turn.available_permits() == 0
    }
}

impl Room {
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn add(&mut self, grant: Grant) {
        self.bytes = self.bytes.saturating_add(grant.bytes);
        self.grants.push(grant.permit);
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Waker};

    use super::*;

    #[tokio::test]
    async fn one_at_a_time_goes_on_where_all_is_taken() {
        let rooms = Rooms::new(64 << 20);
        let (mut first, mut second) = (Room::default(), Room::default());
        let step = Step { next: 96 << 20, whole: 100 << 20 };
        first.add(rooms.find(step).await);
        second.add(rooms.find(step).await);
        assert!(!rooms.are_full());
        first.add(rooms.find(step).await);
        assert_eq!((first.bytes(), rooms.are_full()), (196 << 20, true));
        let waits = rooms.find(step);
        tokio::pin!(waits);
        assert!(waits.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        drop(first);
        second.add(waits.await);
        assert_eq!(second.bytes(), 192 << 20);
    }
}
