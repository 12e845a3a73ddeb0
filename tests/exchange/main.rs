//! Our HTTP/1.1 exchange, response for response against hyper's, and against servers that misbehave.

#![allow(clippy::unwrap_used)] // a test that cannot go on has failed

mod client;
mod http2;
mod lanes;
mod properties;
mod retry;
mod table;
mod timeouts;
mod verdict;
mod wire;
