//! A high dynamic range histogram of durations: microseconds, three significant digits, no upper limit to set.
//!
//! The layout is `HdrHistogram`'s (2048 cells, then 1024 for every doubling). It is written out here rather than
//! taken from the crate because the window of the last seconds needs the difference of two histograms as a few
//! cells, and because a row must cost memory only where its response times lie: cells come in chunks of
//! [`CHUNK`] that are made when first touched. A property test compares it with the crate, cell for cell.

/// Values below this many microseconds have a cell of their own.
const LINEAR: u64 = 2048;
const HALF: u64 = LINEAR / 2;
const CHUNK: usize = 256;
/// Nineteen hours. Longer response times are counted here; the exact maximum is kept by the row.
const HIGHEST_US: u64 = (1 << 36) - 1;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Chunk {
    total: u64,
    counts: [u32; CHUNK],
}

impl Chunk {
    const EMPTY: Self = Self { total: 0, counts: [0; CHUNK] };
}

/// How often each duration was recorded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Histogram {
    count: u64,
    chunks: Vec<Option<Box<Chunk>>>,
    /// Cells whose 32-bit counter went round, once for each time: no count is ever lost.
    carries: Vec<u32>,
}

impl Histogram {
    pub fn record_ms(&mut self, value_ms: f64) {
        self.add(cell_of_ms(value_ms), 1);
    }

    pub fn record_us(&mut self, value_us: u64) {
        self.add(cell_of_us(value_us), 1);
    }

    pub fn record_many_ms(&mut self, value_ms: f64, count: u64) {
        self.add(cell_of_ms(value_ms), count);
    }

    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Count `times` more in a cell. Also how a histogram is rebuilt from [`Histogram::cells`].
    pub fn add(&mut self, cell: u32, times: u64) {
        let (chunk, offset) = (cell as usize / CHUNK, cell as usize % CHUNK);
        if chunk >= self.chunks.len() {
            self.chunks.resize(chunk + 1, None);
        }
        let chunk = self.chunks[chunk].get_or_insert_with(|| Box::new(Chunk::EMPTY));
        let counted = u64::from(chunk.counts[offset]) + times;
        chunk.counts[offset] = counted as u32;
        chunk.total += times;
        self.count += times;
        for _ in 0..counted >> u32::BITS {
            self.carries.push(cell);
        }
    }

    pub fn merge(&mut self, other: &Self) {
        for (cell, count) in other.cells() {
            self.add(cell, count);
        }
    }

    /// Every cell that was counted in, ascending.
    pub fn cells(&self) -> impl Iterator<Item = (u32, u64)> + '_ {
        let chunks = self.chunks.iter().enumerate();
        chunks.filter_map(|(i, chunk)| chunk.as_ref().map(|chunk| (i, chunk))).flat_map(move |(i, chunk)| {
            (0..CHUNK)
                .map(move |offset| ((i * CHUNK + offset) as u32, self.count_at(chunk, i, offset)))
                .filter(|(_, n)| *n > 0)
        })
    }

    /// Every value that was recorded and how often, ascending, in milliseconds.
    pub fn values_ms(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.cells().map(|(cell, count)| (shown_ms(cell), count))
    }

    /// The value at a quantile, as Locust picks it: the `int(count * quantile)`-th of the sorted values,
    /// counted from zero, so the median of four values is the third. `None` while nothing is recorded.
    pub fn quantile_ms(&self, quantile: f64) -> Option<f64> {
        let rank = ((self.count as f64 * quantile) as u64).min(self.count.checked_sub(1)?);
        Some(shown_ms(self.cell_at_rank(rank)))
    }

    /// How many recorded values are larger than this one.
    pub fn count_above_ms(&self, value_ms: f64) -> u64 {
        let limit = cell_of_ms(value_ms);
        self.cells().filter(|(cell, _)| *cell > limit).map(|(_, count)| count).sum()
    }

    /// What was recorded since `earlier`, an older copy of this histogram; brings the copy up to date.
    pub fn take_difference(&self, earlier: &mut Self) -> Vec<(u32, u64)> {
        let difference = self.difference(earlier);
        for (cell, count) in &difference {
            earlier.add(*cell, *count);
        }
        difference
    }

    /// What was recorded since `earlier`, an older copy of this histogram.
    pub fn difference(&self, earlier: &Self) -> Vec<(u32, u64)> {
        let mut difference = Vec::new();
        for (i, chunk) in self.chunks.iter().enumerate() {
            let Some(chunk) = chunk else { continue };
            let old = earlier.chunks.get(i).and_then(Option::as_deref).unwrap_or(&Chunk::EMPTY);
            if chunk.total == old.total {
                continue;
            }
            for offset in 0..CHUNK {
                let added = self.count_at(chunk, i, offset) - earlier.count_at(old, i, offset);
                if added > 0 {
                    difference.push(((i * CHUNK + offset) as u32, added));
                }
            }
        }
        difference
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        let chunks = self.chunks.iter().flatten().count() * size_of::<Chunk>();
        chunks + self.chunks.capacity() * size_of::<Option<Box<Chunk>>>() + self.carries.capacity() * 4
    }

    fn count_at(&self, chunk: &Chunk, index: usize, offset: usize) -> u64 {
        let low = u64::from(chunk.counts[offset]);
        if self.carries.is_empty() {
            return low;
        }
        let cell = (index * CHUNK + offset) as u32;
        low + ((self.carries.iter().filter(|carried| **carried == cell).count() as u64) << u32::BITS)
    }

    fn cell_at_rank(&self, rank: u64) -> u32 {
        let mut below = 0;
        for (i, chunk) in self.chunks.iter().enumerate() {
            let Some(chunk) = chunk else { continue };
            if below + chunk.total <= rank {
                below += chunk.total;
                continue;
            }
            for offset in 0..CHUNK {
                below += self.count_at(chunk, i, offset);
                if below > rank {
                    return (i * CHUNK + offset) as u32;
                }
            }
        }
        unreachable!("a rank below the count lies in a cell")
    }
}

fn cell_of_ms(value_ms: f64) -> u32 {
    // The cast takes what is negative or not a number to zero.
    cell_of_us((value_ms * 1000.0 + 0.5) as u64)
}

fn cell_of_us(value_us: u64) -> u32 {
    let value = value_us.min(HIGHEST_US);
    let shift = (u64::BITS - (value | HALF).leading_zeros()) - HALF.ilog2() - 1;
    (u64::from(shift) * HALF + (value >> shift)) as u32
}

/// The first and the last microsecond of a cell.
fn bounds_us(cell: u32) -> (u64, u64) {
    let cell = u64::from(cell);
    let shift = (cell / HALF).saturating_sub(1);
    let first = (cell - shift * HALF) << shift;
    (first, first + (1 << shift) - 1)
}

/// The number that stands for a cell: the roundest in it, as a float is printed by the shortest decimal that
/// identifies it. So a server that takes 2000 ms is shown with 2000 ms, not with the middle of 1999.9 to 2000.9.
fn shown_ms(cell: u32) -> f64 {
    let (first, last) = bounds_us(cell);
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
        let mut histogram = Histogram::default();
        assert_eq!(histogram.quantile_ms(0.5), None);
        for value in [10.0, 20.0, 30.0, 40.0] {
            histogram.record_ms(value);
        }
        let quantiles = [0.25, 0.5, 0.75, 1.0].map(|quantile| histogram.quantile_ms(quantile));
        assert_eq!(quantiles, [Some(20.0), Some(30.0), Some(40.0), Some(40.0)]);
    }

    #[test]
    fn whole_milliseconds_are_shown_as_they_were_recorded() {
        for value in (1..=1000).chain([1250, 2000, 5000, 10_000, 60_000]) {
            let mut histogram = Histogram::default();
            histogram.record_ms(f64::from(value));
            assert_eq!(histogram.quantile_ms(0.5), Some(f64::from(value)));
        }
    }

    #[test]
    fn a_counter_that_goes_round_loses_nothing() {
        let mut histogram = Histogram::default();
        histogram.add(7, u64::from(u32::MAX));
        histogram.record_us(7);
        histogram.record_us(7);
        assert_eq!(histogram.cells().collect::<Vec<_>>(), [(7, (1 << 32) + 1)]);
    }

    #[test]
    fn what_is_not_a_duration_counts_as_none_at_all() {
        let mut histogram = Histogram::default();
        for value in [f64::NAN, -5.0, f64::INFINITY] {
            histogram.record_ms(value);
        }
        assert_eq!(histogram.count(), 3);
    }

    proptest! {
        #[test]
        fn every_cell_is_the_crates(value in 0..HIGHEST_US) {
            let crates = hdrhistogram::Histogram::<u32>::new_with_bounds(1, HIGHEST_US, 3).unwrap();
            let (first, last) = bounds_us(cell_of_us(value));
            prop_assert_eq!((first, last), (crates.lowest_equivalent(value), crates.highest_equivalent(value)));
            let shown = shown_ms(cell_of_us(value)) * 1000.0;
            prop_assert!((first as f64 - 0.001) <= shown && shown <= last as f64 + 0.001);
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

        #[test]
        fn quantiles_never_fall_and_no_count_is_lost(values in prop::collection::vec(0..HIGHEST_US, 1..300)) {
            let histogram = histogram_of(&values);
            prop_assert_eq!(histogram.cells().map(|(_, n)| n).sum::<u64>(), values.len() as u64);
            let quantiles: Vec<f64> = (0..=100).filter_map(|p| histogram.quantile_ms(f64::from(p) / 100.0)).collect();
            prop_assert!(quantiles.is_sorted());
        }

        #[test]
        fn a_difference_is_what_came_since(old in prop::collection::vec(0..HIGHEST_US, 0..100),
                                           new in prop::collection::vec(0..HIGHEST_US, 0..100)) {
            let mut earlier = histogram_of(&old);
            let now = histogram_of(&[old, new.clone()].concat());
            let difference = now.take_difference(&mut earlier);
            prop_assert_eq!(difference, histogram_of(&new).cells().collect::<Vec<_>>());
            prop_assert_eq!(earlier.cells().collect::<Vec<_>>(), now.cells().collect::<Vec<_>>());
        }
    }
}
