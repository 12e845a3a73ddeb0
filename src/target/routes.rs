//! Which route answers: the shop's, the witness's, or a programmed one.

use std::time::Instant;

use serde_json::json;

use super::reply::Reply;
use super::request::Request;
use super::world::World;
use super::{broken, control, encoded, plain, shop, witness};

/// A request that a route will not serve.
#[derive(Debug)]
pub struct Refusal {
    status: u16,
    message: String,
    header: Option<(&'static str, &'static str)>,
}

impl Refusal {
    pub fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), header: None }
    }

    pub fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.header = Some((name, value));
        self
    }

    pub fn not_found(path: &str) -> Self {
        Self::new(404, format!("there is nothing at `{path}`"))
    }

    pub fn write(&self, reply: &mut Reply) {
        reply.start(self.status).header("content-type", "application/json");
        if let Some((name, value)) = self.header {
            reply.header(name, value);
        }
        reply.body(json!({ "error": self.message }).to_string().as_bytes());
    }
}

pub type Served = Result<(), Refusal>;

/// Whether a request is the witness's reader's own, and so not to be counted.
pub fn is_readers(path: &str) -> bool {
    path.starts_with("/witness/")
}

/// Answer one request.
pub fn answer(request: &Request<'_>, world: &World, reply: &mut Reply) {
    reply.begin(request);
    if let Err(refusal) = route(request, world, reply) {
        reply.begin(request);
        refusal.write(reply);
    }
    if !is_readers(request.path) {
        world.recorder.arrived(request);
        let stalled = world.witness.stalled_until();
        reply.not_before = reply.not_before.max(stalled);
    }
}

fn route(request: &Request<'_>, world: &World, reply: &mut Reply) -> Served {
    if let Some(rest) = request.path.strip_prefix("/witness/") {
        return control::serve(rest, request, world, reply);
    }
    if let Some(programmed) = world.witness.programmed(request) {
        programmed.write(Instant::now(), reply);
        return Ok(());
    }
    let path = request.path.strip_prefix('/').unwrap_or(request.path);
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    match first {
        "login" | "api" => {
            shop::serve(request, &world.shop, reply);
            Ok(())
        }
        "stall" | "bimodal" | "fail-every" => witness::serve(first, rest, request, &world.witness, reply),
        "encoded" => encoded::serve(rest, request, reply),
        _ => {
            if plain::serve(first, rest, request, reply)? || broken::serve(first, rest, request, reply)? {
                return Ok(());
            }
            Err(Refusal::not_found(request.path))
        }
    }
}
