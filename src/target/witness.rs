//! Routes with a memory: stalls, two-peaked delays, every n-th failing, and routes programmed by a test.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;
use serde_json::Value;

use super::plain::milliseconds;
use super::random::Stream;
use super::reply::Reply;
use super::request::{Request, number};
use super::routes::{Refusal, Served};
use crate::sync::held;

pub struct Witness {
    peaks: Stream,
    stall_ends: Mutex<Option<Instant>>,
    calls: Mutex<FxHashMap<u64, u64>>,
    routes: Mutex<FxHashMap<String, Vec<Programmed>>>,
    // So that a request need not lock what is mostly not in use. Relaxed suffices: whoever programs a route and then
    // uses it has waited for the answer in between.
    stall_known: AtomicBool,
    routes_known: AtomicBool,
}

impl Witness {
    pub fn new(seed: u64) -> Self {
        Self {
            peaks: Stream::new(seed, "bimodal"),
            stall_ends: Mutex::default(),
            calls: Mutex::default(),
            routes: Mutex::default(),
            stall_known: AtomicBool::new(false),
            routes_known: AtomicBool::new(false),
        }
    }

    pub fn reset(&self) {
        self.peaks.restart();
        self.stall_known.store(false, Ordering::Relaxed);
        *held(&self.stall_ends) = None;
        held(&self.calls).clear();
        self.routes_known.store(false, Ordering::Relaxed);
        held(&self.routes).clear();
    }

    /// Until when every counted route has to wait, if there ever was a stall.
    pub fn stalled_until(&self) -> Option<Instant> {
        if self.stall_known.load(Ordering::Relaxed) { *held(&self.stall_ends) } else { None }
    }

    /// Begin the stall. There is one between resets: a call while it lasts, or later, changes nothing.
    pub fn stall(&self, duration: Duration) {
        held(&self.stall_ends).get_or_insert_with(|| Instant::now() + duration);
        self.stall_known.store(true, Ordering::Relaxed);
    }

    pub fn program(&self, path: String, route: Programmed) {
        let mut routes = held(&self.routes);
        let at_path = routes.entry(path).or_default();
        at_path.retain(|earlier| earlier.method != route.method);
        at_path.push(route);
        self.routes_known.store(true, Ordering::Relaxed);
    }

    /// The programmed answer to this request: one for its method before one for all methods.
    pub fn programmed(&self, request: &Request<'_>) -> Option<Programmed> {
        if !self.routes_known.load(Ordering::Relaxed) {
            return None;
        }
        let routes = held(&self.routes);
        let at_path = routes.get(request.path)?;
        let for_method = at_path.iter().find(|route| route.method.as_deref() == Some(request.method));
        for_method.or_else(|| at_path.iter().find(|route| route.method.is_none())).cloned()
    }

    /// Whether this call of `/fail-every/{n}` is an n-th one.
    fn is_nth(&self, n: u64) -> bool {
        let mut calls = held(&self.calls);
        let count = calls.entry(n).or_default();
        *count += 1;
        count.is_multiple_of(n)
    }
}

pub fn serve(first: &str, rest: &str, request: &Request<'_>, witness: &Witness, reply: &mut Reply) -> Served {
    match first {
        "stall" => {
            witness.stall(seconds(request)?);
            reply.json(200, r#"{"stalled":true}"#);
        }
        "bimodal" => bimodal(request, witness, reply)?,
        _ => fail_every(rest, witness, reply)?,
    }
    Ok(())
}

pub fn seconds(request: &Request<'_>) -> Result<Duration, Refusal> {
    let seconds: f64 = request.number("seconds", 3.0)?;
    Duration::try_from_secs_f64(seconds).map_err(|_| Refusal::new(400, "`seconds` is not a length of time"))
}

fn bimodal(request: &Request<'_>, witness: &Witness, reply: &mut Reply) -> Served {
    let share: f64 = request.number("share", 0.1)?;
    let slow = witness.peaks.uniform() < share;
    let pause = if slow { milliseconds(request, "slow", 200.0)? } else { milliseconds(request, "fast", 5.0)? };
    reply.not_before = Some(Instant::now() + pause);
    reply.json(200, if slow { r#"{"slow":true}"# } else { r#"{"slow":false}"# });
    Ok(())
}

fn fail_every(rest: &str, witness: &Witness, reply: &mut Reply) -> Served {
    let n: u64 = number("n", rest)?;
    if n == 0 {
        return Err(Refusal::new(400, "`n` must be 1 or more"));
    }
    let (status, body) = if witness.is_nth(n) { (500, r#"{"ok":false}"#) } else { (200, r#"{"ok":true}"#) };
    reply.json(status, body);
    Ok(())
}

/// An answer that a test has set for a path.
#[derive(Clone, Debug)]
pub struct Programmed {
    method: Option<String>,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    delay: Duration,
}

impl Programmed {
    /// From `{"path", "method", "status", "headers", "body", "delay_ms"}`, all but the path optional. A body that is no
    /// string is sent as JSON.
    pub fn parse(json: &[u8]) -> Result<(String, Self), Refusal> {
        let bad = |what: &str| Refusal::new(400, what);
        let value: Value = serde_json::from_slice(json).map_err(|error| bad(&format!("not JSON: {error}")))?;
        let path = value["path"].as_str().filter(|path| path.starts_with('/'));
        let path = path.ok_or_else(|| bad("`path` must be a string that begins with `/`"))?;
        let status = value.get("status").map_or(Some(200), Value::as_u64).filter(|status| (200..1000).contains(status));
        let delay = value.get("delay_ms").map_or(Some(0.0), Value::as_f64);
        let delay = delay.and_then(|ms| Duration::try_from_secs_f64(ms / 1000.0).ok());
        let (body, is_json) = body(&value["body"]);
        let mut headers = headers(&value["headers"])?;
        if is_json && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
            headers.push(("content-type".into(), "application/json".into()));
        }
        let route = Self {
            method: value["method"].as_str().map(str::to_ascii_uppercase),
            status: status.ok_or_else(|| bad("`status` must be a number from 200 to 999"))? as u16,
            headers,
            body,
            delay: delay.ok_or_else(|| bad("`delay_ms` must be a number, 0 or more"))?,
        };
        Ok((path.to_owned(), route))
    }

    pub fn write(&self, now: Instant, reply: &mut Reply) {
        reply.not_before = (!self.delay.is_zero()).then(|| now + self.delay);
        reply.start(self.status);
        for (name, value) in &self.headers {
            reply.header(name, value);
        }
        reply.body(&self.body);
    }
}

fn body(value: &Value) -> (Vec<u8>, bool) {
    match value {
        Value::Null => (Vec::new(), false),
        Value::String(text) => (text.clone().into_bytes(), false),
        other => (other.to_string().into_bytes(), true),
    }
}

/// An object of strings, or of lists of strings for headers that come more than once.
fn headers(value: &Value) -> Result<Vec<(String, String)>, Refusal> {
    let mut headers = Vec::new();
    for (name, value) in value.as_object().into_iter().flatten() {
        let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
        for value in values {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            check_header(name, &value)?;
            headers.push((name.clone(), value));
        }
    }
    Ok(headers)
}

/// Refuse what would not be one header. Broken heads have routes of their own, and the body's framing is ours.
pub fn check_header(name: &str, value: &str) -> Served {
    let is_name = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':');
    if !is_name || value.contains(['\r', '\n', '\0']) {
        return Err(Refusal::new(400, format!("`{}` cannot be a header", name.escape_debug())));
    }
    if ["content-length", "transfer-encoding"].iter().any(|ours| name.eq_ignore_ascii_case(ours)) {
        return Err(Refusal::new(400, format!("`{name}` is set by the server")));
    }
    Ok(())
}
