//! An order by lot that a seed repeats, on every platform.

use super::{Broken, Row, Source};

/// Rows that lie in one buffer, in an order of their own in each pass.
pub struct Shuffled {
    buffer: Vec<u8>,
    /// Where each row ends.
    ends: Vec<usize>,
    /// The rows that are left, the next one last.
    order: Vec<u32>,
    seed: u64,
    pass: u64,
}

impl Shuffled {
    /// Read all that `source` has. Fails where it is broken, and for more than four billion rows.
    pub fn new<C: AsRef<[u8]>>(source: &mut dyn Source<C>, seed: u64) -> Result<Self, Broken> {
        let mut all = Self { buffer: Vec::new(), ends: Vec::new(), order: Vec::new(), seed, pass: 1 };
        while let Some(row) = source.next()? {
            all.buffer.extend_from_slice(row.content.as_ref());
            all.ends.push(all.buffer.len());
        }
        if u32::try_from(all.ends.len()).is_err() {
            return Err(Broken("these are more rows than can be shuffled, which is 4,294,967,295".into()));
        }
        all.order = order(all.ends.len(), seed, 1);
        Ok(all)
    }

    fn row(&self, place: usize) -> &[u8] {
        let start = place.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.buffer[start..self.ends[place]]
    }
}

impl<C: for<'row> From<&'row [u8]>> Source<C> for Shuffled {
    fn next(&mut self) -> Result<Option<Row<C>>, Broken> {
        let place = self.order.pop().map(|place| place as usize);
        Ok(place.map(|place| Row { number: place as u64 + 1, pass: self.pass, content: C::from(self.row(place)) }))
    }

    fn begin(&mut self, pass: u64) -> Result<(), Broken> {
        self.order = order(self.ends.len(), self.seed, pass);
        self.pass = pass;
        Ok(())
    }

    fn left(&self) -> Option<u64> {
        Some(self.order.len() as u64)
    }
}

/// The numbers below `count` in an order by lot (Fisher and Yates).
pub fn order(count: usize, seed: u64, pass: u64) -> Vec<u32> {
    let mut lots = SplitMix(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add(pass));
    let mut order: Vec<u32> = (0..count as u32).collect();
    for end in (1..count).rev() {
        order.swap(end, lots.below(end + 1));
    }
    order
}

/// `SplitMix64`: small, and good enough to deal out rows.
struct SplitMix(u64);

impl SplitMix {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// By multiplication: its bias, at most one in two to the thirty-second, is none that anybody could measure.
    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.next()) * bound as u128) >> 64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_by_lot_has_every_number_once_and_repeats_with_its_seed() {
        let mut all = order(1000, 42, 1);
        assert_eq!(all, order(1000, 42, 1));
        assert_ne!(all, order(1000, 43, 1));
        assert_ne!(all, order(1000, 42, 2));
        assert_ne!(all, (0..1000).collect::<Vec<_>>());
        all.sort_unstable();
        assert_eq!(all, (0..1000).collect::<Vec<_>>());
    }

    #[test]
    fn every_place_is_as_likely_as_any_other() {
        let mut first = [0; 4];
        for seed in 0..4000 {
            first[order(4, seed, 1)[0] as usize] += 1;
        }
        assert!(first.iter().all(|count| (850..1150).contains(count)), "{first:?}");
    }
}
