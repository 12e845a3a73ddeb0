//! Who is connected to a router.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use bytes::Bytes;
use tokio::sync::Notify;

use super::queue::Queue;

/// What a peer calls itself: any bytes, at most 255.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Identity(pub Bytes);

impl Identity {
    /// As text, where it is UTF-8; Locust ignores the messages of others.
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(&self.0).ok()
    }
}

impl From<&str> for Identity {
    fn from(text: &str) -> Self {
        Self(Bytes::copy_from_slice(text.as_bytes()))
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

/// One peer, over all its connections: there is one at a time.
#[derive(Debug, Default)]
pub(super) struct Peer {
    pub(super) queue: Queue,
    /// A connection serves it. Changed only under the lock of the router's table.
    pub(super) is_served: AtomicBool,
    /// It has said something, so it is worth waiting for when its connection breaks.
    pub(super) is_known: AtomicBool,
    /// How many connections have asked to take its place; only the newest goes on waiting.
    pub(super) claims: AtomicU64,
    /// Somebody else has come under its name: show that you live.
    pub(super) challenged: Notify,
    /// Its connection has ended, or a newer claim has come.
    pub(super) changed: Notify,
}

impl Peer {
    /// Ask for its place; what is returned is the claim's number.
    pub(super) fn claim(&self) -> u64 {
        let claim = self.claims.fetch_add(1, Ordering::Relaxed) + 1;
        self.changed.notify_waiters();
        self.challenged.notify_one();
        claim
    }

    pub(super) fn is_newest(&self, claim: u64) -> bool {
        self.claims.load(Ordering::Relaxed) == claim
    }
}

/// Ends a peer's service however the connection's task ends.
pub(super) struct Serving(pub(super) Arc<Peer>);

impl Drop for Serving {
    fn drop(&mut self) {
        self.0.is_served.store(false, Ordering::Relaxed);
        self.0.changed.notify_waiters();
    }
}
