//! How many things happened in each second, for the current rate.

/// Eight bytes for every second in which something happened, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PerSecond(Vec<(u32, u32)>);

impl PerSecond {
    /// So many entries are moved for one that comes before them.
    const NEAR: usize = 64;
    /// So many of the last are looked at before a search: what workers report is of the last seconds.
    const LAST: usize = 8;

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn add(&mut self, second: i64, count: u64) {
        let (second, count) = narrowed(second, count);
        match self.place(second) {
            Ok(place) => self.0[place].1 = self.0[place].1.saturating_add(count),
            Err(place) => self.0.insert(place, (second, count)),
        }
    }

    /// Where this second is, or would be. Nearly always the end; a little earlier in a merge, much earlier only when the
    /// wall clock was set back.
    fn place(&self, second: u32) -> Result<usize, usize> {
        let near = self.0.len().saturating_sub(Self::LAST);
        match self.0[near..].iter().rposition(|(own, _)| *own <= second) {
            Some(place) if self.0[near + place].0 == second => Ok(near + place),
            Some(place) => Err(near + place + 1),
            None => self.0[..near].binary_search_by_key(&second, |(own, _)| *own),
        }
    }

    /// Add many, in any order. What comes from another node may be any seconds: each put into its place by itself, they
    /// could take time with the square of their number.
    pub fn extend(&mut self, seconds: impl Iterator<Item = (i64, u64)>) {
        let mut far = Vec::new();
        for (second, count) in seconds {
            let (second, count) = narrowed(second, count);
            match self.place(second) {
                Ok(place) => self.0[place].1 = self.0[place].1.saturating_add(count),
                Err(place) if self.0.len() - place <= Self::NEAR => self.0.insert(place, (second, count)),
                Err(_) => far.push((second, count)),
            }
        }
        if !far.is_empty() {
            far.sort_unstable_by_key(|(second, _)| *second);
            self.merge_sorted(&far);
        }
    }

    /// Add what is in order of time, in one pass over what is not earlier.
    fn merge_sorted(&mut self, seconds: &[(u32, u32)]) {
        let tail = self.0.split_off(self.0.partition_point(|(second, _)| *second < seconds[0].0));
        let mut tail = tail.into_iter().peekable();
        for (second, count) in seconds {
            while let Some(earlier) = tail.next_if(|(own, _)| own <= second) {
                self.0.push(earlier);
            }
            self.add(i64::from(*second), u64::from(*count));
        }
        self.0.extend(tail);
    }

    pub fn merge(&mut self, other: &Self) {
        self.extend(other.iter());
    }

    pub fn iter(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        self.0.iter().map(|(second, count)| (i64::from(*second), u64::from(*count)))
    }

    /// The seconds `from..to`.
    pub fn between(&self, from: i64, to: i64) -> impl Iterator<Item = (i64, u64)> + '_ {
        let first = self.0.partition_point(|(second, _)| i64::from(*second) < from);
        let entries = self.0[first..].iter().map(|(second, count)| (i64::from(*second), u64::from(*count)));
        entries.take_while(move |(second, _)| *second < to)
    }

    /// The sum over the seconds `from..to`.
    pub fn sum(&self, from: i64, to: i64) -> u64 {
        self.between(from, to).map(|(_, count)| count).sum()
    }
}

fn narrowed(second: i64, count: u64) -> (u32, u32) {
    (u32::try_from(second).unwrap_or(0), u32::try_from(count).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// One by one they would take half a minute and more.
    #[test]
    fn many_seconds_in_the_worst_order_are_put_in_place_together() {
        let mut seconds = PerSecond::default();
        seconds.extend((0..400_000).rev().map(|second| (2 * second, 1)));
        seconds.extend((0..400_000).rev().map(|second| (2 * second + 1, 1)));
        assert_eq!((seconds.len(), seconds.sum(10, 20)), (800_000, 10));
    }

    proptest! {
        #[test]
        fn together_they_are_what_they_are_one_by_one(
            lists in prop::collection::vec(prop::collection::vec((0..400i64, 0..9u64), 0..300), 1..4), from in 0..400i64, to in 0..400i64,
        ) {
            let (mut together, mut single) = (PerSecond::default(), PerSecond::default());
            for list in &lists {
                together.extend(list.iter().copied());
                list.iter().for_each(|(second, count)| single.add(*second, *count));
            }
            prop_assert_eq!(&together, &single);
            let inside = lists.iter().flatten().filter(|(second, _)| (from..to).contains(second));
            prop_assert_eq!(together.sum(from, to), inside.map(|(_, count)| count).sum::<u64>());
        }
    }
}
