//! Master and workers: Locust's wire format over `ZeroMQ`.
//!
//! Everything that must be right while Python is busy lives here, on a thread of its own that never takes the GIL:
//! sockets, heartbeats, reports. What a message asks Python to do is handed over in order; nothing here runs users.

pub mod inbox;
pub mod lifeline;
pub mod master;
pub mod message;
pub mod report;
pub mod transport;
pub mod usage;
pub mod worker;
