//! The last seconds of a row, for percentiles that follow what happens now.
//!
//! A mark is made whenever a request arrives in a later second than the one before it, and holds only what was
//! recorded since the previous mark. That is listed as it comes, because comparing a row's histogram with an older
//! copy costs more than the few requests of most seconds; only where the list is full is the rest told by a copy.

use std::collections::VecDeque;

use super::Histogram;

/// At most [`Window::MARKS`] marks, oldest first. The histogram that its methods want is the row's.
#[derive(Debug, Clone)]
pub struct Window {
    /// What was recorded since the newest mark, by the histogram's cells.
    listed: Vec<u16>,
    /// The row's histogram when the list ended: what came later is the difference.
    at_end_of_list: Option<Histogram>,
    marks: VecDeque<Mark>,
}

/// What was recorded between the mark before and the end of `second`.
#[derive(Debug, Clone)]
struct Mark {
    second: i64,
    listed: Box<[u16]>,
    counted: Box<[(u16, u32)]>,
}

impl Window {
    const MARKS: usize = 20;
    /// How far a mark may lie from the wanted second and still be used.
    const TOLERANCE: i64 = 8;
    /// Eight kilobytes. From here on a copy and a comparison cost a request less than recording it did.
    const LISTED: usize = 4096;

    pub fn new(second: i64) -> Self {
        let mark = Mark { second, listed: Box::default(), counted: Box::default() };
        Self { listed: Vec::new(), at_end_of_list: None, marks: VecDeque::from([mark]) }
    }

    /// To be called before `histogram` counts in this cell so often.
    #[inline]
    pub fn record(&mut self, cell: u16, count: u32, histogram: &Histogram) {
        if self.at_end_of_list.is_some() {
            return;
        }
        if self.listed.len() + count as usize <= Self::LISTED {
            self.listed.extend(std::iter::repeat_n(cell, count as usize));
        } else {
            self.end_list(histogram);
        }
    }

    /// To be called before `histogram` records what shall not be listed.
    #[cold]
    pub fn end_list(&mut self, histogram: &Histogram) {
        self.at_end_of_list.get_or_insert_with(|| histogram.clone());
    }

    /// All that was recorded so far was recorded until the end of `second`.
    #[cold]
    pub fn mark(&mut self, second: i64, histogram: &Histogram) {
        if self.marks.len() == Self::MARKS {
            self.marks.pop_front();
        }
        let (listed, counted) = (self.listed.as_slice().into(), self.counted(histogram));
        self.marks.push_back(Mark { second, listed, counted });
        self.listed.clear();
        self.at_end_of_list = None;
    }

    /// What was recorded in about the last `length` seconds; `None` when no mark lies near enough to tell.
    pub fn recent(&self, now: i64, length: i64, histogram: &Histogram) -> Option<Histogram> {
        let start = self.mark_near(now - length)?;
        let counted = self.counted(histogram);
        let marks = self.marks.iter().skip(start + 1).map(|mark| (&*mark.listed, &*mark.counted));
        let mut recent = Histogram::default();
        for (listed, counted) in marks.chain([(self.listed.as_slice(), &*counted)]) {
            listed.iter().for_each(|cell| recent.record_cell(*cell, 1));
            counted.iter().for_each(|(cell, count)| recent.record_cell(*cell, *count));
        }
        Some(recent)
    }

    /// What came after the list ended.
    fn counted(&self, histogram: &Histogram) -> Box<[(u16, u32)]> {
        self.at_end_of_list.iter().flat_map(|earlier| histogram.numbered_since(earlier)).collect()
    }

    fn mark_near(&self, second: i64) -> Option<usize> {
        let nearest_first = std::iter::once(second).chain((1..=Self::TOLERANCE).flat_map(|d| [second - d, second + d]));
        nearest_first.into_iter().find_map(|second| self.marks.iter().rposition(|mark| mark.second == second))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn follows_the_last_ten_seconds() {
        let (mut histogram, mut window) = (Histogram::default(), Window::new(100));
        for (second, value) in (101..=130).zip((101_000..).step_by(1000)) {
            window.mark(second - 1, &histogram);
            window.record(Histogram::cell_of(value), 1, &histogram);
            histogram.record_us(value);
        }
        let recent = window.recent(130, 10, &histogram).unwrap();
        assert_eq!((recent.count(), recent.quantile_ms(0.0)), (10, Some(121.0)));
    }

    #[test]
    fn knows_nothing_when_no_mark_is_near() {
        let window = Window::new(100);
        let recent = |now| window.recent(now, 10, &Histogram::default());
        assert!(recent(119).is_none() && recent(118).is_some() && recent(101).is_none());
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Few or many, short or long, recorded or merged.
        #[test]
        fn nothing_is_lost_however_much_a_second_brings(
            seconds in prop::collection::vec((0..2 * Window::LISTED as u64, 1..1u64 << 24, any::<bool>()), 0..15),
            start in 0..15i64,
        ) {
            let now = i64::try_from(seconds.len()).unwrap();
            let (mut window, mut histogram, mut expected) = (Window::new(0), Histogram::default(), Histogram::default());
            for (second, (count, step, merged)) in (1..).zip(&seconds) {
                let mut recorded = Histogram::default();
                for i in 0..*count {
                    recorded.record_us(i * step);
                }
                if *merged {
                    window.end_list(&histogram);
                    histogram.merge(&recorded);
                } else {
                    for value in (0..*count).map(|i| i * step) {
                        window.record(Histogram::cell_of(value), 1, &histogram);
                        histogram.record_us(value);
                    }
                }
                if second > start {
                    expected.merge(&recorded);
                }
                if second < now {
                    window.mark(second, &histogram);
                }
            }
            prop_assume!(start < now);
            let recent = window.recent(now, now - start, &histogram).unwrap();
            prop_assert_eq!(recent.cells().collect::<Vec<_>>(), expected.cells().collect::<Vec<_>>());
        }
    }
}
