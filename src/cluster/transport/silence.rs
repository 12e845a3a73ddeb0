//! How long a connection may be silent before its peer is asked, and before it is given up.

use std::time::Duration;

use tokio::time::{Interval, MissedTickBehavior, interval_at};

const TICK: Duration = Duration::from_secs(1);

/// How many seconds of silence a peer is asked after, and how many end the connection.
///
/// Seconds in which this side ran, that is: a process that was stopped itself must not take its own pause for others'.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    ask: u32,
    end: u32,
}

impl Patience {
    const ENDLESS: Self = Self { ask: u32::MAX, end: u32::MAX };

    pub(super) fn with(is_router: bool, peer_is_ours: bool, answers_pings: bool) -> Self {
        match (is_router, peer_is_ours, answers_pings) {
            (false, true, _) => Self { ask: 2, end: 6 },
            (true, true, _) => Self { ask: 3, end: 10 },
            // A new connection to libzmq's router is ignored as long as the old one seems to live there: not too eager.
            (false, false, true) => Self { ask: 10, end: 30 },
            _ => Self::ENDLESS,
        }
    }
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Wait,
    Ask,
    End,
}

/// The silence of one peer.
pub(super) struct Silence {
    usual: Patience,
    patience: Patience,
    seconds: u32,
    ticks: Interval,
}

impl Silence {
    pub(super) fn new(usual: Patience) -> Self {
        let mut ticks = interval_at(tokio::time::Instant::now() + TICK, TICK);
        // A pause of this process is one tick, however long it was.
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        Self { usual, patience: usual, seconds: 0, ticks }
    }

    /// Something was heard.
    pub(super) fn is_over(&mut self) {
        self.seconds = 0;
        self.patience = self.usual;
    }

    pub(super) async fn goes_on(&mut self) {
        self.ticks.tick().await;
        self.seconds = self.seconds.saturating_add(1);
    }

    /// How long it has been.
    pub(super) fn seconds(&self) -> u32 {
        self.seconds
    }

    pub(super) fn verdict(&self) -> Verdict {
        match self.seconds {
            seconds if seconds >= self.patience.end => Verdict::End,
            seconds if seconds == self.patience.ask => Verdict::Ask,
            _ => Verdict::Wait,
        }
    }

    /// Another connection wants the same name: ask at the next tick, and wait for little more.
    pub(super) fn challenge(&mut self, answers_pings: bool) {
        let end = self.seconds.saturating_add(if answers_pings { 3 } else { 5 });
        if end < self.patience.end {
            self.patience = Patience { ask: self.seconds + 1, end };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn until(silence: &mut Silence, wanted: &Verdict) -> u32 {
        loop {
            silence.goes_on().await;
            if silence.verdict() == *wanted {
                return silence.seconds;
            }
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_peer_is_asked_and_then_given_up() {
        let mut silence = Silence::new(Patience::with(false, true, true));
        assert_eq!(until(&mut silence, &Verdict::Ask).await, 2);
        silence.is_over();
        assert_eq!(until(&mut silence, &Verdict::End).await, 6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_challenge_shortens_the_wait_until_it_is_answered() {
        let mut silence = Silence::new(Patience::with(true, false, true));
        silence.challenge(true);
        assert_eq!(until(&mut silence, &Verdict::Ask).await, 1);
        silence.challenge(true);
        assert_eq!(until(&mut silence, &Verdict::End).await, 3);
        silence.is_over();
        assert_eq!(silence.patience, Patience::ENDLESS);
    }

    #[tokio::test(start_paused = true)]
    async fn a_pause_of_this_process_is_one_second() {
        let mut silence = Silence::new(Patience::with(false, true, true));
        tokio::time::advance(Duration::from_hours(1)).await;
        silence.goes_on().await;
        assert_eq!((silence.seconds, silence.verdict()), (1, Verdict::Wait));
        let before = tokio::time::Instant::now();
        silence.goes_on().await;
        assert_eq!(before.elapsed(), TICK);
    }
}
