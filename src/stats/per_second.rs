//! How many things happened in each second, for the current rate.

/// Eight bytes for every second in which something happened, in order of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PerSecond(Vec<(u32, u32)>);

impl PerSecond {
    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn add(&mut self, second: i64, count: u64) {
        let second = u32::try_from(second).unwrap_or(0);
        let count = u32::try_from(count).unwrap_or(u32::MAX);
        if let Some(last) = self.0.last_mut()
            && last.0 == second
        {
            last.1 = last.1.saturating_add(count);
            return;
        }
        // Nearly always the end; earlier only when the wall clock was set back, or in a merge.
        match self.0.binary_search_by_key(&second, |entry| entry.0) {
            Ok(place) => self.0[place].1 = self.0[place].1.saturating_add(count),
            Err(place) => self.0.insert(place, (second, count)),
        }
    }

    pub fn merge(&mut self, other: &Self) {
        other.iter().for_each(|(second, count)| self.add(second, count));
    }

    pub fn iter(&self) -> impl Iterator<Item = (i64, u64)> + '_ {
        self.0.iter().map(|(second, count)| (i64::from(*second), u64::from(*count)))
    }

    /// Those from this second on.
    pub fn since(&self, from: i64) -> impl Iterator<Item = (i64, u64)> + '_ {
        let first = self.0.partition_point(|(second, _)| i64::from(*second) < from);
        self.0[first..].iter().map(|(second, count)| (i64::from(*second), u64::from(*count)))
    }

    /// The sum over the seconds `from..to`.
    pub fn sum(&self, from: i64, to: i64) -> u64 {
        let newest_first = self.0.iter().rev().map(|(second, count)| (i64::from(*second), u64::from(*count)));
        newest_first.take_while(|(second, _)| *second >= from).filter(|(second, _)| *second < to).map(|(_, n)| n).sum()
    }
}
