//! A histogram for many small intervals: only the cells that were counted in, each 64th of an octave wide, so that a
//! value is known to within 0.8 %. Some thirty to a hundred cells of six bytes hold an interval of an entry.

use crate::stats::Histogram;

/// How often each cell was counted in, ascending by cell, none of them zero.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cells(Vec<(u16, u32)>);

const PER_OCTAVE: u64 = 64;
const OCTAVE_BITS: u32 = PER_OCTAVE.trailing_zeros();

/// The cell of a time in microseconds. Below 128 µs every microsecond has its own.
fn cell_of(value_us: u64) -> u16 {
    let shift = (u64::BITS - value_us.leading_zeros()).saturating_sub(OCTAVE_BITS + 1);
    (PER_OCTAVE * u64::from(shift) + (value_us >> shift)) as u16
}

/// The first microsecond of a cell, and how many it has.
fn bounds_of(cell: u16) -> (f64, f64) {
    let cell = u64::from(cell);
    let shift = (cell / PER_OCTAVE).saturating_sub(1).min(57);
    (((cell - PER_OCTAVE * shift) << shift) as f64, (1u64 << shift) as f64)
}

impl Cells {
    pub fn of(histogram: &Histogram) -> Self {
        let mut cells: Vec<(u16, u32)> = Vec::new();
        for (value, count) in histogram.cells() {
            let cell = cell_of(value);
            match cells.last_mut() {
                Some(last) if last.0 == cell => last.1 = last.1.saturating_add(count),
                _ => cells.push((cell, count)),
            }
        }
        Self(cells)
    }

    /// From pairs in any order, as a file has them.
    pub fn from_pairs(pairs: impl IntoIterator<Item = (u16, u32)>) -> Self {
        let mut cells: Vec<_> = pairs.into_iter().filter(|(_, count)| *count > 0).collect();
        cells.sort_unstable();
        cells.dedup_by(|next, last| {
            let same = next.0 == last.0;
            if same {
                last.1 = last.1.saturating_add(next.1);
            }
            same
        });
        Self(cells)
    }

    /// From times in milliseconds and how often each was measured.
    pub fn from_times_ms(times: impl IntoIterator<Item = (f64, u32)>) -> Self {
        Self::from_pairs(times.into_iter().map(|(time, count)| (cell_of(crate::stats::microseconds(time)), count)))
    }

    pub fn pairs(&self) -> &[(u16, u32)] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn count(&self) -> u64 {
        self.0.iter().map(|(_, count)| u64::from(*count)).sum()
    }

    pub fn merge(&mut self, other: &Self) {
        if self.0.is_empty() {
            self.0.clone_from(&other.0);
        } else if !other.0.is_empty() {
            *self = Self::from_pairs(self.0.iter().chain(&other.0).copied());
        }
    }

    /// Take no more memory than needed.
    pub fn shrink(&mut self) {
        self.0.shrink_to_fit();
    }

    /// What came since `earlier`, an older copy of this one.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        let mut old = earlier.0.iter().copied().peekable();
        let fresh = self.0.iter().filter_map(|&(cell, count)| {
            while old.next_if(|(earlier, _)| *earlier < cell).is_some() {}
            let before = old.next_if(|(earlier, _)| *earlier == cell).map_or(0, |(_, count)| count);
            Some((cell, count.saturating_sub(before))).filter(|(_, count)| *count > 0)
        });
        Self(fresh.collect())
    }

    /// Deal the times out in these shares, so that each share has its part of the short ones and of the long ones. What
    /// nobody has a share in is the last one's.
    pub fn split(&self, shares: &[u64]) -> Vec<Self> {
        let mut parts = vec![Self::default(); shares.len()];
        let all = shares.iter().sum::<u64>() as f64;
        let (mut dealt, mut given) = (0, vec![0.0; shares.len()]);
        for &(cell, count) in &self.0 {
            dealt += u64::from(count);
            let mut left = count;
            let due = |place: usize| if all > 0.0 { shares[place] as f64 / all * dealt as f64 } else { 0.0 };
            let mut give = |place: usize, count: u32| {
                given[place] += f64::from(count);
                match parts[place].0.last_mut() {
                    Some(last) if last.0 == cell => last.1 += count,
                    _ if count > 0 => parts[place].0.push((cell, count)),
                    _ => {}
                }
                given[place]
            };
            for place in 0..shares.len() {
                let whole = ((due(place) - give(place, 0)).max(0.0) as u32).min(left);
                give(place, whole);
                left -= whole;
            }
            // Less than one is due to each: whoever waits for most of one has the next.
            while left > 0 {
                let lack = |place: &usize| due(*place);
                let lacking = (0..shares.len()).map(|place| (lack(&place) - give(place, 0), place));
                let Some((_, place)) = lacking.max_by(|a, b| a.0.total_cmp(&b.0)) else { break };
                give(place, 1);
                left -= 1;
            }
        }
        parts
    }

    /// In milliseconds, as if the times of a cell were spread evenly over it. `None` while nothing is counted.
    pub fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        quantile_ms(&self.0, |cell| f64::from(cell.1), |cell| cell.0, quantile)
    }

    /// The share of the times that are longer than this.
    pub fn share_above_ms(&self, limit_ms: f64) -> f64 {
        let limit = cell_of(crate::stats::microseconds(limit_ms));
        let above: u64 = self.0.iter().filter(|(cell, _)| *cell > limit).map(|(_, count)| u64::from(*count)).sum();
        if above == 0 { 0.0 } else { above as f64 / self.count() as f64 }
    }
}

/// The quantile of cells in ascending order, whatever they are kept in.
pub fn quantile_ms<C>(cells: &[C], count: impl Fn(&C) -> f64, cell: impl Fn(&C) -> u16, quantile: f64) -> Option<f64> {
    let mut rank = quantile * cells.iter().map(&count).sum::<f64>();
    let mut last = None;
    for item in cells.iter().filter(|item| count(item) > 0.0) {
        let ((first, width), here) = (bounds_of(cell(item)), count(item));
        if rank <= here {
            return Some((first + width * (rank / here).clamp(0.0, 1.0)) / 1000.0);
        }
        rank -= here;
        last = Some((first + width) / 1000.0);
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn histogram(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.record_us(*value));
        histogram
    }

    proptest! {
        #[test]
        fn a_time_lies_in_its_cell(value in 0..1u64 << 36) {
            let (first, width) = bounds_of(cell_of(value));
            prop_assert!(first <= value as f64 && (value as f64) < first + width);
            prop_assert!(width <= 1.0 || width / first <= 1.0 / PER_OCTAVE as f64);
        }

        #[test]
        fn a_longer_time_lies_in_no_earlier_cell(a in 0..1u64 << 36, b in 0..1u64 << 36) {
            prop_assert_eq!(cell_of(a.min(b)), cell_of(a).min(cell_of(b)));
        }

        #[test]
        fn a_difference_is_what_came_since(old in prop::collection::vec(0..1u64 << 30, 0..100),
                                           new in prop::collection::vec(0..1u64 << 30, 0..100)) {
            let both = Cells::of(&histogram(&[old.clone(), new.clone()].concat()));
            let mut merged = Cells::of(&histogram(&old));
            prop_assert_eq!(both.since(&merged), Cells::of(&histogram(&new)));
            merged.merge(&Cells::of(&histogram(&new)));
            prop_assert_eq!(both, merged);
        }

        #[test]
        fn quantiles_are_those_of_the_exact_histogram(values in prop::collection::vec(1000..1u64 << 30, 1..300), percent in 1..100u32) {
            let (exact, quantile) = (histogram(&values), f64::from(percent) / 100.0);
            let cells = Cells::of(&exact).quantile_ms(quantile).unwrap();
            // Between two values either of them is right.
            let mut sorted = values;
            sorted.sort_unstable();
            let rank = quantile * sorted.len() as f64;
            let [low, high] = [rank - 1.0, rank].map(|rank| sorted[(rank.max(0.0) as usize).min(sorted.len() - 1)] as f64 / 1000.0);
            prop_assert!(cells >= low * 0.98 && cells <= high * 1.02, "{} {} {}", low, cells, high);
        }
    }
}
