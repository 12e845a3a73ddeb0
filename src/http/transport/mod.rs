//! One request out, one response in. What a transport does not know: cookies, redirects, users.

mod chunks;
mod connect;
mod direct;
mod head;
mod http1;
mod http2;
mod parts;
mod phases;
#[doc(hidden)]
pub mod probe;
mod proxied;
mod race;
mod reply;
mod resolve;
mod rest;
mod socket;
pub mod tls;
mod transports;

pub use direct::Direct;
pub use http2::Connections;
pub use phases::{Phase, Phases, Stamps};
pub use proxied::{NoProxy, Proxy};
pub use tls::Tls;
pub use transports::Transports;

use std::time::Duration;

use super::{Failure, Request, Response};

/// Sends one request and gives its response.
pub trait Transport {
    /// `cookies` is the Cookie header to send. `stamps` are filled in as far as the exchange gets.
    fn send(
        &mut self,
        request: &Request,
        cookies: Option<&str>,
        stamps: &mut Stamps,
    ) -> impl Future<Output = Result<Response, Failure>>;

    /// What came of the response that failed last: its head, and some of its body or all of it undecoded.
    fn take_partial(&mut self) -> Option<Response> {
        None
    }

    /// Wait before a further attempt; an error when the operation is cancelled meanwhile.
    fn pause(&mut self, pause: Duration) -> impl Future<Output = Result<(), Failure>>;
}
