//! A row's histogram and phases in few bytes.
//!
//! Only the cells that were counted in, ascending, each as one or two variable-length numbers: how many cells lie
//! between it and the one before, doubled, and one more where it was counted in more than once; then how often, less two.
//! Most cells of three seconds hold one or two requests, so most take one or two bytes.
//!
//! Measured against HDR's V2 form, which has runs of zeros and counts in such numbers, too, but begins with forty bytes
//! (`sizes_beside_hdr_v2` in the tests): a report of 500 entries with six requests each took 11 bytes an entry rather
//! than 57, with sixty requests 66 rather than 160, with six hundred 581 rather than 818.

use crate::http::Phase;
use crate::stats::{Histogram, PhaseTotals};

/// Any number in groups of seven bits, lowest first.
pub fn put(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
}

/// Such a number, and what comes after it. `None` where it does not end, or is larger than 64 bits.
#[inline]
pub fn take(bytes: &[u8]) -> Option<(u64, &[u8])> {
    match bytes {
        [byte @ ..0x80, rest @ ..] => Some((u64::from(*byte), rest)),
        [low, high @ ..0x80, rest @ ..] => Some((u64::from(low & 0x7f) | u64::from(*high) << 7, rest)),
        _ => take_long(bytes),
    }
}

fn take_long(bytes: &[u8]) -> Option<(u64, &[u8])> {
    if let Some(taken) = take_word(bytes) {
        return Some(taken);
    }
    let mut number = 0;
    for (place, byte) in bytes.iter().enumerate().take(10) {
        number |= u64::from(byte & 0x7f) << (7 * place);
        if *byte < 0x80 {
            return Some((number, &bytes[place + 1..]));
        }
    }
    None
}

/// One that ends within eight bytes, where there are eight: without a loop, for phases have twelve of them.
#[inline]
fn take_word(bytes: &[u8]) -> Option<(u64, &[u8])> {
    let word = u64::from_le_bytes(*bytes.first_chunk()?);
    let ends = !word & 0x8080_8080_8080_8080;
    let last = ends.trailing_zeros() / 8;
    let kept = word & (u64::MAX >> (56 - 8 * last.min(7))) & 0x7f7f_7f7f_7f7f_7f7f;
    // Groups of 7 bits to groups of 14, of 28, of 56.
    let pairs = kept & 0x007f_007f_007f_007f | (kept & 0x7f00_7f00_7f00_7f00) >> 1;
    let fours = pairs & 0x0000_3fff_0000_3fff | (pairs & 0x3fff_0000_3fff_0000) >> 2;
    let number = fours & 0x0fff_ffff | (fours & 0x0fff_ffff_0000_0000) >> 4;
    (ends != 0).then(|| (number, &bytes[last as usize + 1..]))
}

/// Append the cells of a histogram.
pub fn put_cells(bytes: &mut Vec<u8>, histogram: &Histogram) {
    let mut next = 0;
    for (cell, count) in histogram.numbered() {
        let gap = u64::from(cell - next) << 1;
        next = cell + 1;
        if count == 1 {
            put(bytes, gap);
        } else {
            put(bytes, gap | 1);
            put(bytes, u64::from(count - 2));
        }
    }
}

/// The cells in these bytes: the number of each, and how often. Bytes that are none end them.
#[derive(Debug, Clone, Default)]
pub struct Cells<'a> {
    bytes: &'a [u8],
    next: u64,
}

impl<'a> Cells<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, next: 0 }
    }
}

impl Iterator for Cells<'_> {
    type Item = (u16, u32);

    #[inline]
    fn next(&mut self) -> Option<(u16, u32)> {
        let (gap, rest) = take(self.bytes)?;
        let cell = self.next.checked_add(gap >> 1)?;
        let (count, rest) = if gap & 1 == 0 {
            (1, rest)
        } else {
            let (more, rest) = take(rest)?;
            (more.checked_add(2)?, rest)
        };
        (self.bytes, self.next) = (rest, cell + 1);
        let cell = u16::try_from(cell).ok().filter(|cell| *cell < Histogram::CELLS)?;
        Some((cell, u32::try_from(count).ok()?))
    }
}

/// What an entry's response times are told by: its phases, its cells.
pub fn put_times(bytes: &mut Vec<u8>, histogram: &Histogram, phases: &PhaseTotals) {
    put_phases(bytes, phases);
    put_cells(bytes, histogram);
}

/// The phases, and the cells. `None` where these bytes are not that.
pub fn take_times(bytes: &[u8]) -> Option<(PhaseTotals, Cells<'_>)> {
    let (phases, rest) = take_phases(bytes)?;
    Some((phases, Cells::new(rest)))
}

fn put_phases(bytes: &mut Vec<u8>, phases: &PhaseTotals) {
    put(bytes, phases.calls());
    if phases.is_empty() {
        return;
    }
    put(bytes, phases.opened());
    put(bytes, phases.reused());
    for phase in Phase::ALL {
        let (sum, longest) = phases.nanoseconds(phase);
        put(bytes, sum);
        put(bytes, longest);
    }
}

fn take_phases(bytes: &[u8]) -> Option<(PhaseTotals, &[u8])> {
    let (calls, rest) = take(bytes)?;
    if calls == 0 {
        return Some((PhaseTotals::default(), rest));
    }
    let (opened, rest) = take(rest)?;
    let (reused, mut rest) = take(rest)?;
    let mut times = [(0, 0); Phase::ALL.len()];
    for time in &mut times {
        (time.0, rest) = take(rest)?;
        (time.1, rest) = take(rest)?;
    }
    Some((PhaseTotals::of(calls, opened, reused, times), rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Phases;
    use crate::stats::HIGHEST_US;
    use hdrhistogram::serialization::{Serializer, V2Serializer};
    use proptest::prelude::*;
    use std::time::Duration;

    fn histogram_of(values: &[u64]) -> Histogram {
        let mut histogram = Histogram::default();
        values.iter().for_each(|value| histogram.record_us(*value));
        histogram
    }

    fn merged(bytes: &[u8]) -> Histogram {
        let mut histogram = Histogram::default();
        Cells::new(bytes).for_each(|(cell, count)| histogram.record_cell(cell, count));
        histogram
    }

    #[test]
    fn a_cell_that_was_counted_in_often_comes_back() {
        let mut histogram = Histogram::default();
        for (value, count) in [(0, 1), (1, 2), (2, 3), (HIGHEST_US, u32::MAX)] {
            histogram.record_many_us(value, count);
        }
        let mut bytes = Vec::new();
        put_cells(&mut bytes, &histogram);
        assert_eq!(merged(&bytes).cells().collect::<Vec<_>>(), histogram.cells().collect::<Vec<_>>());
    }

    #[test]
    fn bytes_that_are_no_cells_end_them() {
        assert_eq!(Cells::new(&[0x80; 20]).count(), 0);
        // One behind the last cell, and a count of more than 32 bits.
        let mut beyond = Vec::new();
        put(&mut beyond, 27_648 << 1);
        let mut many = vec![1];
        put(&mut many, u64::MAX);
        assert_eq!((Cells::new(&beyond).count(), Cells::new(&many).count()), (0, 0));
        let mut last = Vec::new();
        put(&mut last, 27_647 << 1);
        assert_eq!(Cells::new(&last).count(), 1);
    }

    /// Run with `--nocapture` for the figures in this module's documentation.
    #[test]
    fn sizes_beside_hdr_v2() {
        let mut seed = 7u64;
        let mut random = move || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (seed >> 11) as f64 / (1u64 << 53) as f64
        };
        for requests in [6, 60, 600] {
            let (mut ours, mut v2) = (0, 0);
            for entry in 0..500 {
                // Around 20 to 500 ms, with the long tail that response times have.
                let middle = 20_000.0 + f64::from(entry) * 960.0;
                let mut histogram = Histogram::default();
                let mut cells = hdrhistogram::Histogram::<u32>::new(3).unwrap();
                for _ in 0..requests {
                    let spread: f64 = (0..4).map(|_| random()).sum::<f64>() - 2.0;
                    let value = (middle * (spread * 0.4).exp()) as u64;
                    histogram.record_us(value);
                    cells.record(value).unwrap();
                }
                let mut bytes = Vec::new();
                put_cells(&mut bytes, &histogram);
                ours += bytes.len();
                bytes.clear();
                v2 += V2Serializer::new().serialize(&cells, &mut bytes).unwrap();
            }
            assert!(ours < v2, "{requests} requests: {ours} bytes, HDR V2 {v2}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(number in any::<u64>(), shift in 0..64u32) {
            let mut bytes = Vec::new();
            put(&mut bytes, number >> shift);
            prop_assert_eq!(take(&bytes), Some((number >> shift, &[][..])));
            bytes.extend([0xff; 8]);
            prop_assert_eq!(take(&bytes), Some((number >> shift, &[0xff; 8][..])));
        }

        #[test]
        fn a_histogram_comes_back(values in prop::collection::vec(0..HIGHEST_US, 0..300), shift in 0..36u32) {
            let histogram = histogram_of(&values.iter().map(|value| value >> shift).collect::<Vec<_>>());
            let mut phases = Phases { opened: 1, ..Phases::default() };
            phases.add(Phase::Waiting, Duration::from_millis(8));
            let mut totals = PhaseTotals::default();
            values.iter().for_each(|_| totals.record(&phases));
            let mut bytes = Vec::new();
            put_times(&mut bytes, &histogram, &totals);
            let (phases, cells) = take_times(&bytes).unwrap();
            prop_assert_eq!(phases, totals);
            let again = merged(cells.bytes);
            prop_assert_eq!(again.cells().collect::<Vec<_>>(), histogram.cells().collect::<Vec<_>>());
        }

        #[test]
        fn whatever_comes_is_read_or_ends(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = take_times(&bytes).map(|(_, cells)| cells.count());
        }
    }
}
