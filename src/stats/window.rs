//! The last seconds of a row, for percentiles that follow what happens now.
//!
//! A mark is made whenever a request arrives in a later second than the one before it, and holds only what was
//! recorded since the previous mark, so a busy table keeps a few cells a second and not twenty histograms.

use std::collections::VecDeque;

use super::Histogram;

#[derive(Debug, Clone)]
struct Mark {
    second: i64,
    /// Eight bytes a cell, and no spare room: there are twenty marks a row.
    recorded_before: Box<[(u32, u32)]>,
}

/// At most [`Window::MARKS`] marks, oldest first.
#[derive(Debug, Clone)]
pub struct Window {
    at_last_mark: Histogram,
    marks: VecDeque<Mark>,
}

impl Window {
    const MARKS: usize = 20;
    /// How far a mark may lie from the wanted second and still be used.
    const TOLERANCE: i64 = 8;

    pub fn new(second: i64) -> Self {
        let mut window = Self { at_last_mark: Histogram::default(), marks: VecDeque::new() };
        window.mark(second, &Histogram::default());
        window
    }

    /// Remember what `histogram` was at the end of `second`.
    pub fn mark(&mut self, second: i64, histogram: &Histogram) {
        let difference = histogram.take_difference(&mut self.at_last_mark);
        let narrow = |(cell, count): (u32, u64)| (cell, u32::try_from(count).unwrap_or(u32::MAX));
        let recorded_before = difference.into_iter().map(narrow).collect();
        if self.marks.len() == Self::MARKS {
            self.marks.pop_front();
        }
        self.marks.push_back(Mark { second, recorded_before });
    }

    /// What was recorded in about the last `length` seconds; `None` when no mark lies near enough to tell.
    pub fn recent(&self, now: i64, length: i64, histogram: &Histogram) -> Option<Histogram> {
        let start = self.mark_near(now - length)?;
        let since = self
            .marks
            .iter()
            .skip(start + 1)
            .flat_map(|mark| mark.recorded_before.iter().map(|(cell, count)| (*cell, u64::from(*count))));
        let mut recent = Histogram::default();
        since.chain(histogram.difference(&self.at_last_mark)).for_each(|(cell, count)| recent.add(cell, count));
        Some(recent)
    }

    fn mark_near(&self, second: i64) -> Option<usize> {
        let nearest_first = std::iter::once(second).chain((1..=Self::TOLERANCE).flat_map(|d| [second - d, second + d]));
        nearest_first.into_iter().find_map(|second| self.marks.iter().rposition(|mark| mark.second == second))
    }

    pub fn heap_size(&self) -> usize {
        let marks: usize = self.marks.iter().map(|mark| size_of_val(&*mark.recorded_before)).sum();
        self.at_last_mark.heap_size() + marks + self.marks.capacity() * size_of::<Mark>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn follows_the_last_ten_seconds() {
        let (mut histogram, mut window) = (Histogram::default(), Window::new(100));
        for second in 101..=130 {
            window.mark(second - 1, &histogram);
            histogram.record_ms(second as f64);
        }
        let recent = window.recent(130, 10, &histogram).unwrap();
        assert_eq!((recent.count(), recent.quantile_ms(0.0)), (10, Some(121.0)));
    }

    #[test]
    fn knows_nothing_when_no_mark_is_near() {
        let window = Window::new(100);
        assert!(window.recent(119, 10, &Histogram::default()).is_none());
        assert!(window.recent(118, 10, &Histogram::default()).is_some());
        assert!(window.recent(101, 10, &Histogram::default()).is_none());
    }
}
