//! gregaria: Locust's locustfiles on a Rust engine.
//!
//! The map, from the bottom up; each part knows only what stands above it in this list:
//!
//! - [`clock`] and [`sync`]: the time, and what is under a lock.
//! - [`bridge`]: who waits for what, and how the main thread hears that it is there. No interpreter needed.
//! - [`http`]: what a user's client does: requests, sessions, transports, responses.
//! - [`stats`]: samples in, tables out.
//! - [`swarm`]: which users run, and when.
//! - [`feeder`]: rows for users, each handed out once over all workers.
//! - [`verdict`]: what a run means: checks, the knee, words, comparison.
//! - [`report`]: a table as people and machines read it: console, CSV.
//! - [`cluster`]: master and workers: Locust's messages over `ZeroMQ`.
//! - [`web`]: the web page's server, and what it hands over.
//! - [`cli`]: the command line.
//! - [`target`]: the server that demos and tests run against (`gregaria target`).
//! - [`py`]: the only modules that name `PyO3`: the bridge, and one file for each thing Python sees.

#![cfg_attr(test, allow(clippy::unwrap_used, clippy::float_cmp))]

pub mod bridge;
pub mod cli;
pub mod clock;
pub mod cluster;
pub mod feeder;
pub mod http;
pub mod py;
pub mod report;
pub mod stats;
pub mod swarm;
pub mod sync;
pub mod target;
pub mod verdict;
pub mod web;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;
