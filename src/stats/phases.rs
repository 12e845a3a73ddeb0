//! Where the time of a row's requests went: sums and extremes, which cost a few additions for each request.

use std::time::Duration;

use crate::http::{Phase, Phases};

/// The phases of many calls. Those that the engine did not send itself have none, and are not in here.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PhaseTotals {
    /// By [`Phase`].
    tallies: [Tally; Phase::ALL.len()],
    calls: u64,
    opened: u64,
    reused: u64,
}

/// One phase of many calls, in nanoseconds.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Tally {
    sum: u64,
    longest: u64,
}

impl Tally {
    fn add(&mut self, other: Self) {
        // Saturating, for another node may say anything.
        self.sum = self.sum.saturating_add(other.sum);
        self.longest = self.longest.max(other.longest);
    }
}

/// The phases before this one open a connection. Most requests find one open.
const OPEN: usize = Phase::Sending as usize;

impl PhaseTotals {
    pub fn record(&mut self, phases: &Phases) {
        let mut add = |i: usize| {
            let time = phases.nanoseconds[i];
            self.tallies[i].add(Tally { sum: time, longest: time });
        };
        (OPEN..Phase::ALL.len()).for_each(&mut add);
        if phases.nanoseconds[..OPEN] != [0; OPEN] {
            (0..OPEN).for_each(add);
        }
        self.calls += 1;
        self.opened += u64::from(phases.opened);
        self.reused += u64::from(phases.reused);
    }

    /// From what another node says: of each phase the sum and the longest in nanoseconds, in the order of [`Phase::ALL`].
    pub fn of(calls: u64, opened: u64, reused: u64, times: [(u64, u64); Phase::ALL.len()]) -> Self {
        Self { tallies: times.map(|(sum, longest)| Tally { sum, longest }), calls, opened, reused }
    }

    /// The sum and the longest, as [`PhaseTotals::of`] takes them.
    pub fn nanoseconds(&self, phase: Phase) -> (u64, u64) {
        let Tally { sum, longest } = self.tallies[phase as usize];
        (sum, longest)
    }

    pub fn merge(&mut self, other: &Self) {
        self.tallies.iter_mut().zip(other.tallies).for_each(|(own, others)| own.add(others));
        self.calls = self.calls.saturating_add(other.calls);
        self.opened = self.opened.saturating_add(other.opened);
        self.reused = self.reused.saturating_add(other.reused);
    }

    /// How many calls are summed here. Each sent one request, and one more for every redirect that it followed.
    pub fn calls(&self) -> u64 {
        self.calls
    }

    pub fn is_empty(&self) -> bool {
        self.calls == 0
    }

    pub fn sum(&self, phase: Phase) -> Duration {
        Duration::from_nanos(self.tallies[phase as usize].sum)
    }

    pub fn longest(&self, phase: Phase) -> Duration {
        Duration::from_nanos(self.tallies[phase as usize].longest)
    }

    /// In milliseconds for each call, 0 without calls.
    pub fn average_ms(&self, phase: Phase) -> f64 {
        match self.calls {
            0 => 0.0,
            calls => self.sum(phase).as_secs_f64() * 1000.0 / calls as f64,
        }
    }

    /// Of the response times of these calls, which are the sum of their phases.
    pub fn share(&self, phase: Phase) -> f64 {
        // A hostile report may have any sums.
        match self.tallies.iter().map(|tally| u128::from(tally.sum)).sum::<u128>() {
            0 => 0.0,
            all => self.tallies[phase as usize].sum as f64 / all as f64,
        }
    }

    /// Requests for which a connection was opened.
    pub fn opened(&self) -> u64 {
        self.opened
    }

    /// Requests that were sent on a connection kept alive.
    pub fn reused(&self) -> u64 {
        self.reused
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn phases(waiting: u64, receiving: u64) -> Phases {
        let mut phases = Phases { reused: 1, ..Phases::default() };
        phases.add(Phase::Waiting, Duration::from_millis(waiting));
        phases.add(Phase::Receiving, Duration::from_millis(receiving));
        phases
    }

    #[test]
    fn phases_are_summed_and_shared_out() {
        let mut totals = PhaseTotals::default();
        totals.record(&phases(10, 2));
        totals.record(&phases(20, 8));
        assert_eq!((totals.calls(), totals.opened(), totals.reused()), (2, 0, 2));
        assert_eq!((totals.average_ms(Phase::Waiting), totals.average_ms(Phase::Receiving)), (15.0, 5.0));
        assert_eq!((totals.share(Phase::Waiting), totals.share(Phase::Tls)), (0.75, 0.0));
        assert_eq!(totals.longest(Phase::Waiting), Duration::from_millis(20));
        assert_eq!(totals.sum(Phase::Receiving), Duration::from_millis(10));
    }

    #[test]
    fn merged_totals_are_the_totals_of_all() {
        let all = [phases(10, 2), phases(20, 8), phases(1, 90)];
        let of = |calls: &[Phases]| {
            let mut totals = PhaseTotals::default();
            calls.iter().for_each(|phases| totals.record(phases));
            totals
        };
        let mut merged = of(&all[..1]);
        merged.merge(&of(&all[1..]));
        assert_eq!(merged, of(&all));
    }

    #[test]
    fn nothing_is_zero() {
        let totals = PhaseTotals::default();
        assert!(totals.is_empty());
        assert_eq!((totals.average_ms(Phase::Waiting), totals.share(Phase::Waiting)), (0.0, 0.0));
    }
}
