//! What outlives a request: cookies, and the rules for what follows a response.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use super::io::Outcome;
use super::transport::Transport;
use super::{Request, Stamps};

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// One user's client as the I/O threads know it.
#[derive(Debug)]
pub struct Session {
    id: u64,
}

impl Session {
    pub fn new() -> Self {
        Self { id: NEXT_ID.fetch_add(1, Ordering::Relaxed) }
    }

    pub fn id(&self) -> u64 {
        self.id
    }
}

pub async fn execute<T: Transport>(transport: &mut T, _session: &Session, request: &Request) -> Outcome {
    let mut stamps = Stamps::at(Instant::now());
    let result = transport.send(request, None, &mut stamps).await;
    stamps.end = Instant::now();
    Outcome { result, stamps, hops: Vec::new() }
}
