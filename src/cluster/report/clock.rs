//! How far two clocks are apart, as NTP finds it: a worker's heartbeat carries its time, the answer carries that time back
//! beside the master's. The answer cannot have left before the heartbeat nor come before it left, so the error is half
//! of the time between the two at most.

use std::collections::VecDeque;

/// What the last heartbeats said.
#[derive(Debug, Clone, Default)]
pub struct Offset {
    /// When it was measured, how far the other clock is ahead, and how wrong that may be, in seconds.
    measured: VecDeque<(f64, f64, f64)>,
}

impl Offset {
    /// A minute of heartbeats: the best of so many is hardly ever one that had to wait, and no clock drifts far in it.
    const KEPT: usize = 60;
    /// Below this nothing is corrected: clocks that are set by NTP agree better, and no figure is finer than a second.
    pub const WORTH_CORRECTING: f64 = 0.5;

    /// `sent` and `received` by this clock, `there` by the other one.
    pub fn measure(&mut self, sent: f64, there: f64, received: f64) {
        let error = (received - sent) / 2.0;
        // Who set his clock in between has measured nothing.
        if !(error >= 0.0 && there.is_finite()) {
            return;
        }
        if self.measured.len() == Self::KEPT {
            self.measured.pop_front();
        }
        self.measured.push_back((received, there - f64::midpoint(sent, received), error));
    }

    /// What has to be added to this clock to have the other, and how wrong that may be, in seconds.
    pub fn best(&self) -> Option<(f64, f64)> {
        let surest = self.measured.iter().min_by(|a, b| a.2.total_cmp(&b.2))?;
        let newest = self.measured.back()?;
        // A clock that was set since: the surest measurement is of before.
        let was_set = (newest.1 - surest.1).abs() > newest.2 + surest.2 + Self::WORTH_CORRECTING;
        Some(if was_set { (newest.1, newest.2) } else { (surest.1, surest.2) })
    }

    /// What a worker's times are corrected by, of such a measurement.
    pub fn correction(offset: Option<(f64, f64)>) -> f64 {
        offset
            .filter(|(offset, error)| offset.abs() - error >= Self::WORTH_CORRECTING)
            .map_or(0.0, |(offset, _)| offset)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_clock_that_was_set_is_believed() {
        let mut offset = Offset::default();
        offset.measure(100.0, 110.05, 100.1);
        offset.measure(101.0, 111.4, 101.8);
        assert_eq!(offset.best().map(|(offset, _)| offset.round()), Some(10.0));
        offset.measure(202.0, 103.4, 202.8);
        assert_eq!(offset.best().map(|(offset, _)| offset.round()), Some(-99.0));
        offset.measure(300.0, 1.0, 299.0);
        assert_eq!(offset.measured.len(), 3);
    }

    #[test]
    fn little_is_not_corrected() {
        assert_eq!(Offset::correction(None), 0.0);
        assert_eq!(Offset::correction(Some((0.4, 0.0))), 0.0);
        assert_eq!(Offset::correction(Some((-2.0, 1.8))), 0.0);
        assert_eq!(Offset::correction(Some((-2.0, 0.1))), -2.0);
    }

    proptest! {
        /// Whatever the way there and back take.
        #[test]
        fn the_error_is_no_larger_than_said(apart in -1e6..1e6f64, ways in prop::collection::vec((0.0..5.0f64, 0.0..5.0f64), 1..100)) {
            let mut offset = Offset::default();
            let mut now = 1e9;
            for (there, back) in ways {
                offset.measure(now, now + there + apart, now + there + back);
                let (best, error) = offset.best().unwrap();
                prop_assert!((best - apart).abs() <= error + 1e-6);
                now += 10.0;
            }
        }
    }
}
