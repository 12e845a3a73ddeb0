//! A high dynamic range histogram of durations: the `hdrhistogram` crate's with microseconds and three significant
//! digits, read as Locust reads response times. It grows as longer times come, and has no heap before the first.
//!
//! A cell counts to `u32::MAX` and stays there. That takes four thousand million responses within a tenth of a
//! percent of the same time; from then on percentiles lean towards the other cells. The number of recorded values is
//! a `u64` beside the cells, as are the rows' sums and extremes, so nothing else is touched.

use hdrhistogram::Histogram as Cells;

const SIGNIFICANT_DIGITS: u8 = 3;
/// Nineteen hours. Longer response times are counted here; the exact maximum is kept by the row.
pub const HIGHEST_US: u64 = (1 << 36) - 1;
/// Three significant digits take two thousand cells up to the first doubling of their width.
const CELL_BITS: u32 = 11;
const GROWS: &str = "a histogram that grows takes every value";

/// How often each duration was recorded.
#[derive(Debug, Clone, Default)]
pub struct Histogram(Option<Cells<u32>>);

impl Histogram {
    /// How many cells there can be.
    pub const CELLS: u16 = Self::cell_of(HIGHEST_US) + 1;

    pub fn record_us(&mut self, value_us: u64) {
        self.record_many_us(value_us, 1);
    }

    pub fn record_many_us(&mut self, value_us: u64, count: u32) {
        self.0.get_or_insert_with(no_cells).record_n(value_us.min(HIGHEST_US), count).expect(GROWS);
    }

    /// As [`Histogram::record_many_us`], by the number of the cell. One that is none is the last.
    #[inline]
    pub fn record_cell(&mut self, cell: u16, count: u32) {
        self.record_many_us(Self::bounds_us(cell.min(Self::CELLS - 1)).0, count);
    }

    /// The number of the cell that counts this value, in ascending order from zero: every microsecond below 2048 has its
    /// own, and from there on each octave has 1024. What travels between nodes is this.
    #[inline]
    pub const fn cell_of(value_us: u64) -> u16 {
        let value = if value_us > HIGHEST_US { HIGHEST_US } else { value_us };
        let shift = (u64::BITS - value.leading_zeros()).saturating_sub(CELL_BITS);
        ((shift << (CELL_BITS - 1)) + (value >> shift) as u32) as u16
    }

    /// The first and the last microsecond of a cell.
    #[inline]
    fn bounds_us(cell: u16) -> (u64, u64) {
        let shift = (cell >> (CELL_BITS - 1)).saturating_sub(1);
        let first = u64::from(cell - (shift << (CELL_BITS - 1))) << shift;
        (first, first + (1 << shift) - 1)
    }

    pub fn count(&self) -> u64 {
        self.0.as_ref().map_or(0, Cells::len)
    }

    pub fn is_empty(&self) -> bool {
        self.count() == 0
    }

    pub fn merge(&mut self, other: &Self) {
        match (&mut self.0, &other.0) {
            (Some(cells), Some(others)) => cells.add(others).expect(GROWS),
            (None, others) => self.0.clone_from(others),
            (Some(_), None) => {}
        }
    }

    /// Every cell that was counted in, ascending: its number, and how often.
    pub fn numbered(&self) -> impl Iterator<Item = (u16, u32)> + '_ {
        let cells = self.0.iter().flat_map(Cells::iter_recorded);
        cells.map(|cell| (Self::cell_of(cell.value_iterated_to()), cell.count_at_value()))
    }

    /// What was recorded since `earlier`, an older copy of this histogram. A full cell has nothing new.
    pub fn numbered_since(&self, earlier: &Self) -> impl Iterator<Item = (u16, u32)> {
        let earlier_count = |value| match &earlier.0 {
            Some(cells) if value <= cells.max() => cells.count_at(value),
            _ => 0,
        };
        let fresh =
            move |(cell, count): (u16, u32)| (cell, count.saturating_sub(earlier_count(Self::bounds_us(cell).1)));
        self.numbered().map(fresh).filter(|(_, count)| *count > 0)
    }

    /// Every cell that was counted in, ascending: its last microsecond, and how often.
    pub fn cells(&self) -> impl Iterator<Item = (u64, u32)> + '_ {
        self.numbered().map(|(cell, count)| (Self::bounds_us(cell).1, count))
    }

    /// As [`Histogram::numbered_since`], each cell as its last microsecond.
    pub fn cells_since(&self, earlier: &Self) -> impl Iterator<Item = (u64, u32)> {
        self.numbered_since(earlier).map(|(cell, count)| (Self::bounds_us(cell).1, count))
    }

    /// Every value that was recorded and how often, ascending, in milliseconds.
    pub fn values_ms(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.numbered().map(|(cell, count)| (Self::shown_ms(cell), u64::from(count)))
    }

    /// The value at a quantile, as Locust picks it: the `int(count * quantile)`-th of the sorted values,
    /// counted from zero, so the median of four values is the third. `None` while nothing is recorded.
    pub fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        let cells = self.0.as_ref()?;
        let highest = cells.len().checked_sub(1)?;
        let rank = ((cells.len() as f64 * quantile) as u64).min(highest);
        // Half a value further: the crate counts values up to a quantile, and rounding must not lead it to the next.
        let value = cells.value_at_quantile((rank as f64 + 0.5) / cells.len() as f64);
        // Once a cell is full there are ranks behind the last value. Of those the crate says 0.
        let is_behind = value == 0 && u64::from(cells.count_at(0)) <= rank;
        Some(Self::shown_ms(Self::cell_of(if is_behind { cells.max() } else { value })))
    }

    /// The number that stands for a cell: the roundest in it, as a float is printed by the shortest decimal that
    /// identifies it. So a server that takes 2000 ms is shown with 2000 ms, not with the middle of 1999.9 to 2000.9.
    pub fn shown_ms(cell: u16) -> f64 {
        let (first, last) = Self::bounds_us(cell);
        let mut step = 1_000_000;
        while step > 1 {
            let candidate = first.next_multiple_of(step);
            if candidate <= last {
                return candidate as f64 / 1000.0;
            }
            step /= 10;
        }
        first as f64 / 1000.0
    }

    /// How many recorded values are larger than this one.
    pub fn count_above_ms(&self, value_ms: f64) -> u64 {
        let limit = microseconds(value_ms);
        self.0.as_ref().map_or(0, |cells| cells.len().saturating_sub(cells.count_between(0, limit)))
    }
}

#[cold]
fn no_cells() -> Cells<u32> {
    Cells::new(SIGNIFICANT_DIGITS).expect("the crate has three digits")
}

/// To the nearest microsecond. What is negative or not a number is zero.
pub fn microseconds(value_ms: f64) -> u64 {
    (value_ms * 1000.0 + 0.5) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn histogram_of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        for value in values {
            histogram.record_us(*value);
        }
        histogram
    }

    #[test]
    fn a_quantile_is_the_value_that_locust_picks() {
        assert_eq!(Histogram::default().quantile_ms(0.5), None);
        let histogram = histogram_of(&[10_000, 20_000, 30_000, 40_000]);
        let quantiles = [0.25, 0.5, 0.75, 1.0].map(|quantile| histogram.quantile_ms(quantile));
        assert_eq!(quantiles, [Some(20.0), Some(30.0), Some(40.0), Some(40.0)]);
    }

    #[test]
    fn whole_milliseconds_are_shown_as_they_were_recorded() {
        for value in (1..=1000).chain([1250, 2000, 5000, 10_000, 60_000]) {
            assert_eq!(histogram_of(&[value * 1000]).quantile_ms(0.5), Some(value as f64));
        }
    }

    #[test]
    fn a_full_cell_stays_full_and_the_count_goes_on() {
        let mut histogram = histogram_of(&[3, 5000]);
        for _ in 0..3 {
            histogram.record_many_us(7, u32::MAX);
        }
        assert_eq!(histogram.cells().collect::<Vec<_>>(), [(3, 1), (7, u32::MAX), (5003, 1)]);
        assert_eq!(histogram.count(), 3 * u64::from(u32::MAX) + 2);
        let quantiles = [0.5, 0.0, 1.0, 0.25].map(|quantile| histogram.quantile_ms(quantile));
        assert_eq!(quantiles, [Some(5.0), Some(0.003), Some(5.0), Some(0.007)]);
    }

    #[test]
    fn what_is_not_a_duration_counts_as_none_at_all() {
        let times = [f64::NAN, -5.0, f64::INFINITY].map(microseconds);
        assert_eq!(times, [0, 0, u64::MAX]);
        assert_eq!(histogram_of(&times).count(), 3);
    }

    proptest! {
        #[test]
        fn a_quantile_is_the_sorted_values(mut values in prop::collection::vec(0..HIGHEST_US, 1..300), percent in 0..=100u32) {
            let quantile = f64::from(percent) / 100.0;
            let shown = histogram_of(&values).quantile_ms(quantile);
            values.sort_unstable();
            let picked = values[((values.len() as f64 * quantile) as usize).min(values.len() - 1)];
            prop_assert_eq!(shown, histogram_of(&[picked]).quantile_ms(0.0));
        }

        #[test]
        fn what_is_shown_lies_in_the_values_cell(value in 0..HIGHEST_US) {
            let shown = microseconds(histogram_of(&[value]).quantile_ms(0.5).unwrap());
            prop_assert_eq!(Histogram::cell_of(shown), Histogram::cell_of(value));
        }

        #[test]
        fn merged_histograms_are_the_histogram_of_all(a in prop::collection::vec(0..HIGHEST_US, 0..200),
                                                      b in prop::collection::vec(0..HIGHEST_US, 0..200)) {
            let mut merged = histogram_of(&a);
            merged.merge(&histogram_of(&b));
            let all = histogram_of(&[a, b].concat());
            prop_assert_eq!(merged.cells().collect::<Vec<_>>(), all.cells().collect::<Vec<_>>());
            prop_assert_eq!(merged.count(), all.count());
        }

        /// What travels between nodes are the crate's cells, by our numbers.
        #[test]
        fn cells_are_those_of_hdr(values in prop::collection::vec((0..=HIGHEST_US, 0..36u32, 1..1000u32), 1..200)) {
            let mut hdr = hdrhistogram::Histogram::<u32>::new(3).unwrap();
            let mut ours = Histogram::default();
            for (value, shift, count) in values {
                hdr.record_n(value >> shift, count).unwrap();
                ours.record_many_us(value >> shift, count);
            }
            let cells: Vec<_> = hdr.iter_recorded().map(|it| (it.value_iterated_to(), it.count_at_value())).collect();
            prop_assert_eq!(ours.cells().collect::<Vec<_>>(), cells);
            prop_assert_eq!(ours.count(), hdr.len());
            for (cell, _) in ours.numbered() {
                let (first, last) = Histogram::bounds_us(cell);
                prop_assert_eq!((hdr.lowest_equivalent(last), hdr.highest_equivalent(first)), (first, last));
                prop_assert_eq!((Histogram::cell_of(first), Histogram::cell_of(last)), (cell, cell));
            }
        }

        #[test]
        fn quantiles_never_fall_and_no_count_is_lost(values in prop::collection::vec(0..HIGHEST_US, 1..300)) {
            let histogram = histogram_of(&values);
            prop_assert_eq!(histogram.cells().map(|(_, n)| u64::from(n)).sum::<u64>(), values.len() as u64);
            let quantiles: Vec<f64> = (0..=100).filter_map(|p| histogram.quantile_ms(f64::from(p) / 100.0)).collect();
            prop_assert!(quantiles.is_sorted());
        }

        #[test]
        fn a_difference_is_what_came_since(old in prop::collection::vec(0..HIGHEST_US, 0..100),
                                           new in prop::collection::vec(0..HIGHEST_US, 0..100)) {
            let now = histogram_of(&[old.clone(), new.clone()].concat());
            let difference = now.numbered_since(&histogram_of(&old)).collect::<Vec<_>>();
            prop_assert_eq!(difference, histogram_of(&new).numbered().collect::<Vec<_>>());
        }

        #[test]
        fn the_values_above_a_limit_are_counted(values in prop::collection::vec(0..100_000u64, 0..200), limit in 0..2000u64) {
            // Below 2048 µs every value has a cell of its own.
            let above = values.iter().filter(|value| **value > limit).count() as u64;
            prop_assert_eq!(histogram_of(&values).count_above_ms(limit as f64 / 1000.0), above);
        }
    }
}
