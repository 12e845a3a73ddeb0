//! Where the time of one exchange went.

use std::time::{Duration, Instant};

/// What stamps are taken of one exchange. Connecting is only part of it when no idle connection was there.
#[derive(Clone, Copy, Debug)]
pub struct Stamps {
    /// The exchange was taken up on the I/O thread: the clock of the response time starts.
    pub start: Instant,
    /// The last request of a chain of redirects was taken up.
    pub hop: Instant,
    /// Name look-up, TCP and TLS, when a connection was opened.
    pub opening: Option<Opening>,
    /// The request was written.
    pub sent: Instant,
    /// The first byte of the response was there.
    pub first_byte: Instant,
    /// The last byte was there: the clock stops.
    pub end: Instant,
    /// Something of the request has left: the server may have seen it.
    pub was_sent: bool,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Opening {
    pub look_up: Duration,
    pub connect: Duration,
    pub tls: Duration,
}

impl Stamps {
    pub fn at(now: Instant) -> Self {
        Self { start: now, hop: now, opening: None, sent: now, first_byte: now, end: now, was_sent: false }
    }

    /// From the start on the I/O thread to the last byte there.
    pub fn response_time(&self) -> Duration {
        self.end.duration_since(self.start)
    }
}
