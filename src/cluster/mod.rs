//! Master and workers: Locust's wire format over `ZeroMQ`.
//!
//! Everything that must be right while Python is busy lives here, on a thread of its own that never takes the GIL:
//! sockets, heartbeats, reports. What a message asks Python to do is handed over in order; nothing here runs users.

use std::time::{SystemTime, UNIX_EPOCH};

pub mod inbox;
pub mod lifeline;
pub mod master;
pub mod message;
pub mod report;
pub mod transport;
pub mod usage;
pub mod worker;

/// Seconds of the Unix epoch: what nodes tell each other times by.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
