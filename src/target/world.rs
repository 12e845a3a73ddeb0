//! Everything that connections share.

use std::io;
use std::sync::atomic::{AtomicU64, Ordering};

use super::counts::Shard;
use super::options::Options;
use super::recorder::Recorder;
use super::shop::Shop;
use super::timer::Timer;
use super::witness::Witness;

pub struct World {
    pub shards: Vec<Shard>,
    pub shop: Shop,
    pub witness: Witness,
    pub recorder: Recorder,
    pub timer: Timer,
    connections: AtomicU64,
}

impl World {
    pub fn new(options: &Options) -> io::Result<Self> {
        Ok(Self {
            shards: (0..options.threads).map(|_| Shard::default()).collect(),
            shop: Shop::new(options.seed, options.slots()),
            witness: Witness::new(options.seed),
            recorder: Recorder::default(),
            timer: Timer::start()?,
            connections: AtomicU64::new(0),
        })
    }

    /// A number for a new connection, from 1. Relaxed suffices: it must be different, no more.
    pub fn next_connection(&self) -> u64 {
        self.connections.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Keep what arrives from now on, and number connections from 1 again: then two recordings of the same are the same.
    pub fn record(&self) {
        self.connections.store(0, Ordering::Relaxed);
        self.recorder.start();
    }

    /// As if started anew, except for the connections that are open and the tokens that were given out.
    pub fn reset(&self) {
        self.shards.iter().for_each(Shard::reset);
        self.shop.reset();
        self.witness.reset();
        self.recorder.stop();
    }
}
