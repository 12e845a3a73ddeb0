//! How much a figure of a run would scatter if the run were repeated.

use super::{ENOUGH_BEYOND, Entry, Figure};
use crate::stats::timeline::cells::quantile_ms;

/// How long a block is, in cube roots of the number of slices. One would do for what is nearly independent; servers have
/// good and bad spells of several seconds.
const BLOCK: f64 = 1.5;

/// An entry's slices in the form in which they are added up quickly, and the weights of every replicate.
pub struct Sampler<'a> {
    entry: &'a Entry,
    /// Every cell that any slice counts in, ascending.
    cells: Vec<u16>,
    /// Of each slice: place in `cells`, and count.
    slices: Vec<Vec<(usize, f64)>>,
    /// How often each replicate has each slice.
    weights: Vec<Vec<f64>>,
    blocks: f64,
}

/// A figure and its standard error, of times as logarithms.
#[derive(Debug, Clone, Copy)]
pub struct Estimate {
    pub value: f64,
    /// In milliseconds, or as a share.
    pub shown: f64,
    pub error: f64,
    pub freedom: f64,
    pub has_slices: bool,
}

struct Random(u64);

impl Random {
    /// A whole number below `limit`, by splitmix64.
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((u128::from(mixed ^ (mixed >> 31)) * limit as u128) >> 64) as usize
    }
}

impl<'a> Sampler<'a> {
    /// The same entry and seed give the same replicates: a comparison that is repeated says the same.
    pub fn new(entry: &'a Entry, replicates: u32, seed: u64) -> Self {
        let mut cells: Vec<u16> =
            entry.slices.iter().flat_map(|slice| slice.times.pairs()).map(|pair| pair.0).collect();
        cells.sort_unstable();
        cells.dedup();
        let place = |cell: u16| cells.binary_search(&cell).unwrap_or(0);
        let slices = entry
            .slices
            .iter()
            .map(|slice| slice.times.pairs().iter().map(|(cell, count)| (place(*cell), f64::from(*count))).collect());
        let count = entry.slices.len();
        let length = ((BLOCK * (count as f64).cbrt()).round() as usize).max(1);
        let mut random = Random(seed);
        let replicates = if entry.has_slices { replicates } else { 0 };
        let weights = (0..replicates).map(|_| replicate(count, length, &mut random)).collect();
        Self { entry, slices: slices.collect(), cells, weights, blocks: count as f64 / length as f64 }
    }

    fn has_slices(&self) -> bool {
        self.entry.has_slices && self.blocks >= 3.0
    }

    /// `None` where there is too little to say anything.
    pub fn estimate(&self, figure: Figure) -> Option<Estimate> {
        match figure {
            Figure::Quantile(quantile) => self.time(quantile),
            Figure::FailRatio => self.failures(),
        }
    }

    fn sum(&self, weights: &[f64]) -> Vec<f64> {
        let mut sum = vec![0.0; self.cells.len()];
        for (slice, weight) in self.slices.iter().zip(weights).filter(|(_, weight)| **weight > 0.0) {
            slice.iter().for_each(|(place, count)| sum[*place] += weight * count);
        }
        sum
    }

    fn quantile(&self, counts: &[f64], quantile: f64) -> Option<f64> {
        let cells: Vec<_> = self.cells.iter().copied().zip(counts.iter().copied()).collect();
        quantile_ms(&cells, |cell| cell.1, |cell| cell.0, quantile).filter(|value| *value > 0.0)
    }

    fn all(&self) -> Vec<f64> {
        self.sum(&vec![1.0; self.slices.len()])
    }

    fn time(&self, quantile: f64) -> Option<Estimate> {
        let all = self.all();
        let count: f64 = all.iter().sum();
        if count * (1.0 - quantile).min(quantile) < ENOUGH_BEYOND {
            return None;
        }
        let shown = self.quantile(&all, quantile)?;
        // As if requests were independent: the ranks a standard error below and above, as times.
        let rank = (quantile * (1.0 - quantile) / count).sqrt();
        let [low, high] = [quantile - rank, (quantile + rank).min(1.0)].map(|rank| self.quantile(&all, rank));
        let independent = (high?.ln() - low?.ln()) / 2.0;
        let replicates = self.weights.iter().filter_map(|weights| self.quantile(&self.sum(weights), quantile));
        Some(self.concluded(shown.ln(), shown, independent, replicates.map(f64::ln)))
    }

    fn failures(&self) -> Option<Estimate> {
        let slices = &self.entry.slices;
        let ratio = |weights: &[f64]| {
            let sum = |value: fn(&super::Slice) -> u64| {
                slices.iter().zip(weights).map(|(slice, weight)| value(slice) as f64 * weight).sum::<f64>()
            };
            let requests = sum(|slice| slice.requests);
            (requests > 0.0).then(|| sum(|slice| slice.failures) / requests)
        };
        let shown = ratio(&vec![1.0; slices.len()])?;
        let requests: f64 = slices.iter().map(|slice| slice.requests as f64).sum();
        // Agresti and Coull: no failure among few requests is no proof that there are none.
        let share = (shown * requests + 2.0) / (requests + 4.0);
        let independent = (share * (1.0 - share).max(0.0) / (requests + 4.0)).sqrt();
        Some(self.concluded(shown, shown, independent, self.weights.iter().filter_map(|weights| ratio(weights))))
    }

    fn concluded(&self, value: f64, shown: f64, independent: f64, replicates: impl Iterator<Item = f64>) -> Estimate {
        if !self.has_slices() {
            return Estimate { value, shown, error: independent, freedom: 1e6, has_slices: false };
        }
        let replicates: Vec<f64> = replicates.collect();
        let mean = replicates.iter().sum::<f64>() / replicates.len().max(1) as f64;
        let squares: f64 = replicates.iter().map(|value| (value - mean).powi(2)).sum();
        let scatter = (squares / (replicates.len() as f64 - 1.0).max(1.0)).sqrt();
        // Of few blocks a bootstrap finds too little scatter, as any sample does.
        let error = (scatter * (self.blocks / (self.blocks - 1.0)).sqrt()).max(independent);
        Estimate { value, shown, error, freedom: self.blocks - 1.0, has_slices: true }
    }
}

/// Blocks that begin anywhere, round the end, until there are as many slices as there were.
fn replicate(slices: usize, length: usize, random: &mut Random) -> Vec<f64> {
    let mut weights = vec![0.0; slices];
    let mut drawn = 0;
    while drawn < slices {
        let start = random.below(slices);
        for step in 0..length.min(slices - drawn) {
            weights[(start + step) % slices] += 1.0;
        }
        drawn += length;
    }
    weights
}

pub fn slower_share(base: &Sampler<'_>, new: &Sampler<'_>) -> Option<f64> {
    let (before, after) = (base.all(), new.all());
    let pairs = before.iter().sum::<f64>() * after.iter().sum::<f64>();
    let mut slower = 0.0;
    let mut passed = 0.0;
    let mut place = 0;
    for (cell, count) in new.cells.iter().zip(&after) {
        while place < base.cells.len() && base.cells[place] < *cell {
            passed += before[place];
            place += 1;
        }
        let equal = if base.cells.get(place) == Some(cell) { before[place] } else { 0.0 };
        slower += count * (passed + equal / 2.0);
    }
    (pairs > 0.0).then(|| slower / pairs)
}
