//! Messages between master and workers, over `ZeroMQ`'s protocol (ZMTP 3.1): [`Router`] is the master's socket,
//! [`Dealer`] a worker's.
//!
//! Sockets connect, reconnect and queue by themselves, as `ZeroMQ`'s do. What a peer can make this side remember is
//! bounded: by the message ([`Settings::most_bytes`]), by what large messages take together, by the queue of each peer, by
//! the number of connections that have not introduced themselves. A tokio runtime has to be entered when a socket is made; everything else may be called
//! from any thread.

mod dealer;
mod inbound;
mod key;
mod link;
mod notices;
mod outgoing;
mod peers;
#[doc(hidden)]
pub mod probe;
mod queue;
mod room;
mod router;
mod shaking;
mod silence;
mod sockets;
mod wire;

pub use dealer::{Dealer, DealerOutlet};
pub use key::{Key, WeakKey};
pub use notices::{Notice, Notices};
pub use peers::Identity;
pub use router::{Refused, Router, RouterOutlet};

/// What both kinds of sockets are told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// What encrypts every message; both sides need the same. Without it, anything goes in the clear, as Locust's does.
    pub key: Option<Key>,
    /// Longest message that is accepted, in bytes; who announces a longer one loses his connection.
    pub most_bytes: usize,
    /// Where to say what somebody should read.
    pub notices: Notices,
}

impl Default for Settings {
    fn default() -> Self {
        Self { key: None, most_bytes: 64 << 20, notices: Notices::default() }
    }
}

#[cfg(test)]
mod tests;
