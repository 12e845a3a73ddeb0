//! Chance that can be repeated: the n-th draw of a stream depends on the seed, the stream and n alone, so neither threads
//! nor the order of other streams' draws change it.

use std::f64::consts::TAU;
use std::sync::atomic::{AtomicU64, Ordering};

/// One sequence of draws.
pub struct Stream {
    key: u64,
    // Relaxed suffices: each draw needs a number of its own, not an order among other memory.
    drawn: AtomicU64,
}

impl Stream {
    pub fn new(seed: u64, name: &str) -> Self {
        let key = name.bytes().fold(mix(seed), |key, byte| mix(key ^ u64::from(byte)));
        Self { key, drawn: AtomicU64::new(0) }
    }

    /// A number from 0 up to, but not including, 1.
    pub fn uniform(&self) -> f64 {
        unit(self.next())
    }

    /// A standard normal number (Box-Muller).
    pub fn normal(&self) -> f64 {
        let bits = self.next();
        let (radius, angle) = (1.0 - unit(bits), unit(mix(bits)));
        (-2.0 * radius.ln()).sqrt() * (TAU * angle).cos()
    }

    /// Begin the sequence anew.
    pub fn restart(&self) {
        self.drawn.store(0, Ordering::Relaxed);
    }

    fn next(&self) -> u64 {
        mix(self.key.wrapping_add(self.drawn.fetch_add(1, Ordering::Relaxed)))
    }
}

/// A well-mixed number for every number (the step of `SplitMix64`).
pub fn mix(value: u64) -> u64 {
    let mut z = value.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

fn unit(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_its_draws_and_another_does_not() {
        let draws = |seed| {
            let stream = Stream::new(seed, "checkout");
            (0..100).map(|_| stream.uniform().to_bits()).collect::<Vec<_>>()
        };
        assert_eq!(draws(1), draws(1));
        assert_ne!(draws(1), draws(2));
    }

    #[test]
    fn normal_draws_have_mean_0_and_deviation_1() {
        let stream = Stream::new(7, "x");
        let draws: Vec<f64> = (0..20_000).map(|_| stream.normal()).collect();
        let mean = draws.iter().sum::<f64>() / draws.len() as f64;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / draws.len() as f64;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.05, "{mean} {variance}");
    }
}
