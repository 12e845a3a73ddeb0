//! A timeline seen with fewer intervals: as many neighbours together as it takes, always a power of two, so that what
//! was shown stays as it was while a run grows.

use super::{Counts, Entry, Interval, Timeline};

/// The intervals from one on, and how the entries are in them.
pub struct View<'a> {
    pub timeline: &'a Timeline,
    /// How many intervals of the timeline are one here.
    pub group: usize,
    /// The place of the first of [`Self::intervals`].
    pub first: usize,
    pub intervals: Vec<Interval>,
}

impl<'a> View<'a> {
    /// The whole in no more than `most` intervals.
    pub fn whole(timeline: &'a Timeline, most: usize) -> Self {
        Self::from(timeline, Self::group(timeline, most), 0)
    }

    pub fn from(timeline: &'a Timeline, group: usize, first: usize) -> Self {
        let later = timeline.intervals.get(first * group..).unwrap_or_default();
        let merged = later.chunks(group).map(|chunk| {
            let mut merged = chunk[0].clone();
            chunk[1..].iter().for_each(|later| merged.merge(later));
            merged
        });
        Self { timeline, group, first, intervals: merged.collect() }
    }

    /// How many neighbours to merge so that there are no more than `most`.
    pub fn group(timeline: &Timeline, most: usize) -> usize {
        timeline.intervals.len().div_ceil(most.max(1)).max(1).next_power_of_two()
    }

    pub fn interval_s(&self) -> f64 {
        self.timeline.interval * self.group as f64
    }

    /// The counts of an entry in each interval.
    pub fn entry(&self, entry: &Entry) -> Vec<Option<Counts>> {
        let mut columns: Vec<Option<Counts>> = vec![None; self.intervals.len()];
        for (place, counts) in &entry.counts {
            let Some(column) = (place / self.group).checked_sub(self.first).and_then(|at| columns.get_mut(at)) else {
                continue;
            };
            match column {
                Some(earlier) => earlier.merge(counts),
                None => *column = Some(counts.clone()),
            }
        }
        columns
    }

    pub fn total(&self) -> Vec<Option<&Counts>> {
        self.intervals.iter().map(|interval| Some(&interval.counts)).collect()
    }

    /// The place of the first interval that counts in the table's present figures.
    pub fn first_counted(&self) -> usize {
        self.intervals.partition_point(|interval| interval.end <= self.timeline.counted_from)
    }
}
