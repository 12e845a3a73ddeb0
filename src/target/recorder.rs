//! What arrived, word for word, while a test asks for it to be kept.
//!
//! Off by default and then one load per request: a target under load must not grow.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use super::request::Request;
use crate::sync::held;

/// Requests beyond that are not kept: whoever records asks often.
const MOST_REQUESTS: usize = 10_000;
/// So much of a body is kept; its length is told in any case.
const MOST_OF_A_BODY: usize = 16 * 1024;

#[derive(Default)]
pub struct Recorder {
    // Relaxed suffices: whoever starts the recording and then sends has waited for the answer in between.
    on: AtomicBool,
    requests: Mutex<Vec<Value>>,
}

impl Recorder {
    /// Keep what arrives from now on, and forget what was kept.
    pub fn start(&self) {
        held(&self.requests).clear();
        self.on.store(true, Ordering::Relaxed);
    }

    pub fn stop(&self) {
        self.on.store(false, Ordering::Relaxed);
        held(&self.requests).clear();
    }

    /// Keep this request, if any is kept.
    pub fn arrived(&self, request: &Request<'_>) {
        if !self.on.load(Ordering::Relaxed) {
            return;
        }
        let mut requests = held(&self.requests);
        if requests.len() < MOST_REQUESTS {
            requests.push(kept(request));
        }
    }

    /// All that was kept, in the order of arrival.
    pub fn report(&self) -> Value {
        Value::Array(held(&self.requests).clone())
    }
}

fn kept(request: &Request<'_>) -> Value {
    let body = &request.body[..request.body.len().min(MOST_OF_A_BODY)];
    json!({
        "method": request.method,
        "target": request.target,
        "version": format!("1.{}", request.version),
        "headers": request.headers().collect::<Vec<_>>(),
        "body": String::from_utf8_lossy(body),
        "body_length": request.body.len(),
        "connection": request.connection,
        "tls": request.tls,
    })
}
