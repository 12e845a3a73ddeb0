//! Where the time of a call went.
//!
//! From its start to its end a call is in exactly one phase: the instant that ends one begins the next. So the phases of a
//! call add up to its response time, and nothing is left over. What the client does in between is part of the phase
//! beside it, and takes microseconds: choosing a connection and the cookies to send is in [`Phase::Sending`], decoding the
//! body, keeping cookies and finding out where a redirect leads is in [`Phase::Receiving`].
//!
//! A call that follows redirects sends several requests. Each goes through the phases again, and they are summed. So are
//! those of a request that met a closed connection and was sent again on a new one, and of one that failed: the time up
//! to the failure belongs to the phase that it happened in.

use std::time::{Duration, Instant};

/// What a call is busy with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// Asking for the host's addresses.
    LookUp,
    /// Opening a TCP connection, with every address that was tried.
    Connect,
    /// The TLS handshake.
    Tls,
    /// Up to the moment when the system has taken all of the request.
    Sending,
    /// From then up to the first byte of the response. Nothing, where the server answers before all is sent.
    Waiting,
    /// From then up to the moment when the response is whole.
    Receiving,
}

impl Phase {
    /// In the order in which a request goes through them.
    pub const ALL: [Self; 6] = [Self::LookUp, Self::Connect, Self::Tls, Self::Sending, Self::Waiting, Self::Receiving];
}

/// How long a call was in each phase, and on what connections its requests were sent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Phases {
    /// By [`Phase`]. Nanoseconds, for they are added up for every request: 64 bits of them are 584 years.
    pub nanoseconds: [u64; Phase::ALL.len()],
    /// Requests for which a connection was opened.
    pub opened: u32,
    /// Requests that were sent on a connection kept alive.
    pub reused: u32,
}

impl Phases {
    pub fn add(&mut self, phase: Phase, time: Duration) {
        self.nanoseconds[phase as usize] += time.as_nanos() as u64;
    }

    /// Those of another exchange of the same call.
    pub fn include(&mut self, other: &Self) {
        for (sum, nanoseconds) in self.nanoseconds.iter_mut().zip(other.nanoseconds) {
            *sum += nanoseconds;
        }
        self.opened += other.opened;
        self.reused += other.reused;
    }

    pub fn of(&self, phase: Phase) -> Duration {
        Duration::from_nanos(self.nanoseconds[phase as usize])
    }
}

/// The clock of one call.
#[derive(Clone, Copy, Debug)]
pub struct Stamps {
    /// The call was taken up on the I/O thread: the clock of the response time starts.
    pub start: Instant,
    /// The last request of a chain of redirects was taken up.
    pub hop: Instant,
    /// The first byte of the last response was there.
    pub first_byte: Instant,
    /// The last byte was there: the clock stops.
    pub end: Instant,
    /// Something of the request has left: the server may have seen it.
    pub was_sent: bool,
    pub phases: Phases,
    /// The phase it is in, and since when.
    phase: Phase,
    since: Instant,
}

impl Stamps {
    pub fn at(now: Instant) -> Self {
        Self {
            start: now,
            hop: now,
            first_byte: now,
            end: now,
            was_sent: false,
            phases: Phases::default(),
            phase: Phase::Sending,
            since: now,
        }
    }

    /// The phase so far is over, and another begins.
    pub fn enter(&mut self, phase: Phase, at: Instant) {
        self.phases.add(self.phase, at.saturating_duration_since(self.since));
        self.phase = phase;
        self.since = at;
    }

    /// It stood still while the caller looked up a name.
    pub fn looked_up(&mut self) {
        self.phase = Phase::LookUp;
    }

    /// A connection is open, and the request can be sent on it.
    pub fn opened(&mut self, at: Instant) {
        self.enter(Phase::Sending, at);
        self.phases.opened += 1;
    }

    /// When a request was sent and its response began, as far as it came to that.
    pub fn exchanged(&mut self, sent: Option<Instant>, first_byte: Option<Instant>) {
        if let Some(at) = [sent, first_byte].into_iter().flatten().min() {
            self.enter(Phase::Waiting, at);
        }
        if let Some(at) = first_byte {
            self.enter(Phase::Receiving, at);
            self.first_byte = at;
        }
    }

    /// The response redirects, and the next request is taken up.
    pub fn redirected(&mut self, at: Instant) {
        self.enter(Phase::Sending, at);
        self.hop = at;
    }

    /// The clock stops.
    pub fn finish(&mut self, at: Instant) {
        self.enter(Phase::Sending, at);
        self.end = at;
    }

    /// From the start on the I/O thread to the last byte there.
    pub fn response_time(&self) -> Duration {
        self.end.duration_since(self.start)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A clock, and what its hands show after so many milliseconds.
    fn clock() -> (Stamps, impl Fn(u64) -> Instant) {
        let start = Instant::now();
        (Stamps::at(start), move |ms| start + Duration::from_millis(ms))
    }

    fn milliseconds(stamps: &Stamps) -> [u64; 6] {
        stamps.phases.nanoseconds.map(|nanoseconds| nanoseconds / 1_000_000)
    }

    fn add_up(stamps: &Stamps) -> Duration {
        Phase::ALL.iter().map(|phase| stamps.phases.of(*phase)).sum()
    }

    #[test]
    fn a_call_is_in_one_phase_at_any_moment() {
        let (mut stamps, at) = clock();
        stamps.enter(Phase::LookUp, at(1));
        stamps.enter(Phase::Connect, at(3));
        stamps.enter(Phase::Tls, at(7));
        stamps.opened(at(15));
        stamps.exchanged(Some(at(31)), Some(at(63)));
        stamps.finish(at(127));
        assert_eq!(milliseconds(&stamps), [2, 4, 8, 1 + 16, 32, 64]);
        assert_eq!((stamps.phases.opened, stamps.phases.reused), (1, 0));
        assert_eq!(add_up(&stamps), stamps.response_time());
    }

    #[test]
    fn a_look_up_by_the_caller_is_one() {
        let (mut stamps, at) = clock();
        stamps.enter(Phase::LookUp, at(1));
        stamps.finish(at(2));
        stamps.looked_up();
        stamps.enter(Phase::LookUp, at(10));
        stamps.enter(Phase::Connect, at(11));
        stamps.opened(at(15));
        stamps.finish(at(16));
        assert_eq!(milliseconds(&stamps), [10, 4, 0, 2, 0, 0]);
        assert_eq!(add_up(&stamps), stamps.response_time());
    }

    #[test]
    fn the_requests_of_a_chain_are_summed() {
        let (mut stamps, at) = clock();
        stamps.exchanged(Some(at(1)), Some(at(11)));
        stamps.redirected(at(12));
        stamps.exchanged(Some(at(14)), Some(at(34)));
        stamps.finish(at(36));
        assert_eq!(milliseconds(&stamps), [0, 0, 0, 1 + 2, 10 + 20, 1 + 2]);
        assert_eq!((stamps.hop, stamps.first_byte), (at(12), at(34)));
        assert_eq!(add_up(&stamps), stamps.response_time());
    }

    #[test]
    fn what_was_tried_in_vain_counts_too() {
        let (mut stamps, at) = clock();
        stamps.exchanged(Some(at(1)), None);
        stamps.enter(Phase::LookUp, at(4));
        stamps.opened(at(5));
        stamps.exchanged(Some(at(6)), None);
        stamps.finish(at(1006));
        assert_eq!(milliseconds(&stamps), [1, 0, 0, 2, 3 + 1000, 0]);
        assert_eq!(add_up(&stamps), stamps.response_time());
    }

    #[test]
    fn an_answer_before_the_request_was_sent_was_not_waited_for() {
        let (mut stamps, at) = clock();
        stamps.exchanged(Some(at(9)), Some(at(5)));
        stamps.finish(at(10));
        assert_eq!(milliseconds(&stamps), [0, 0, 0, 5, 0, 5]);
        let (mut stamps, at) = clock();
        stamps.exchanged(None, Some(at(5)));
        stamps.finish(at(10));
        assert_eq!(milliseconds(&stamps), [0, 0, 0, 5, 0, 5]);
    }
}
