//! `/witness/…`: how a test reads the counts and programs the server. None of it is counted, delayed or stalled.

use super::counts;
use super::reply::Reply;
use super::request::Request;
use super::routes::{Refusal, Served};
use super::witness::{Programmed, seconds};
use super::world::World;

pub fn serve(rest: &str, request: &Request<'_>, world: &World, reply: &mut Reply) -> Served {
    match (request.method, rest) {
        ("GET", "counts") => {
            reply.json(200, counts::report(&world.shards).to_string());
            return Ok(());
        }
        ("GET", "requests") => {
            reply.json(200, world.recorder.report().to_string());
            return Ok(());
        }
        ("POST", "record") => world.record(),
        ("POST", "reset") => world.reset(),
        ("POST", "routes") => {
            let (path, route) = Programmed::parse(request.body)?;
            world.witness.program(path, route);
        }
        ("POST", "stall") => world.witness.stall(seconds(request)?),
        (_, "counts" | "requests") => return Err(Refusal::new(405, "read this with GET").with("allow", "GET")),
        (_, "record" | "reset" | "routes" | "stall") => return Err(Refusal::new(405, "use POST").with("allow", "POST")),
        _ => return Err(Refusal::not_found(request.path)),
    }
    reply.json(200, r#"{"ok":true}"#);
    Ok(())
}
