//! Routes that behave: statuses, delays, bodies, redirects, cookies, headers, echo.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde_json::{Map, Value, json};

use super::options::ROUTES;
use super::reply::{End, Reply, Step, pattern, write_chunk};
use super::request::{Request, decoded, number};
use super::routes::{Refusal, Served};
use super::witness::check_header;

const SMALL_JSON: &str = r#"{"message":"Hello, World!","id":1,"ok":true}"#;
/// Chunks and drops are made in advance, so their number has a limit.
const MOST_PIECES: u64 = 1_000_000;

/// Whether the route is one of these.
pub fn serve(first: &str, rest: &str, request: &Request<'_>, reply: &mut Reply) -> Result<bool, Refusal> {
    match first {
        "json" => reply.json(200, SMALL_JSON),
        "" => reply.text(200, ROUTES),
        "status" => status(rest, reply)?,
        "delay" => delay(request, reply)?,
        "bytes" => bytes(rest, reply)?,
        "chunked" => chunked(rest, request, reply)?,
        "to-close" => to_close(rest, request, reply)?,
        "drip" => drip(request, reply)?,
        "redirect" => redirect(rest, request, reply)?,
        "redirect-to" => redirect_to(request, reply)?,
        "cookies" => cookies(rest, request, reply)?,
        "no-content" => reply.start(204).body(b""),
        "not-modified" => reply.start(304).header("etag", "\"1\"").body(b""),
        "informational" => informational(reply),
        "basic-auth" => basic_auth(rest, request, reply)?,
        "echo" => reply.json(200, echo(request).to_string()),
        "headers" => headers(request, reply)?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// A query's parameter as a length of time.
pub fn milliseconds(request: &Request<'_>, name: &str, default: f64) -> Result<Duration, Refusal> {
    let ms: f64 = request.number(name, default)?;
    let time = Duration::try_from_secs_f64(ms / 1000.0).ok().filter(|time| *time <= Duration::from_hours(24));
    time.ok_or_else(|| Refusal::new(400, format!("`{name}` cannot be `{ms}`: milliseconds, up to a day")))
}

fn status(rest: &str, reply: &mut Reply) -> Served {
    let status: u16 = number("status", rest)?;
    if !(200..1000).contains(&status) {
        return Err(Refusal::new(400, "the status must be from 200 to 999"));
    }
    reply.json(status, format!(r#"{{"status":{status}}}"#));
    Ok(())
}

fn delay(request: &Request<'_>, reply: &mut Reply) -> Served {
    reply.not_before = Some(Instant::now() + milliseconds(request, "ms", 20.0)?);
    reply.json(200, r#"{"ok":true}"#);
    Ok(())
}

fn bytes(rest: &str, reply: &mut Reply) -> Served {
    reply.start(200).header("content-type", "application/octet-stream").fill(number("n", rest)?);
    Ok(())
}

fn pieces(count: u64) -> Result<u64, Refusal> {
    if count > MOST_PIECES { Err(Refusal::new(400, format!("more than {MOST_PIECES} pieces"))) } else { Ok(count) }
}

fn chunked(rest: &str, request: &Request<'_>, reply: &mut Reply) -> Served {
    let length: u64 = number("n", rest)?;
    let size: u64 = request.number("chunk", 1000)?;
    if size == 0 || length > 64 * 1024 * 1024 {
        return Err(Refusal::new(400, "`chunk` must be 1 or more, `n` 64 MiB or less"));
    }
    pieces(length / size)?;
    let trailers = request.parameter("trailers").is_some();
    reply.start(200).header("content-type", "application/octet-stream").header("transfer-encoding", "chunked");
    if trailers {
        reply.header("trailer", "x-length, x-trailer");
    }
    reply.raw("\r\n");
    if !reply.wants_body() {
        return Ok(());
    }
    for start in (0..length).step_by(size as usize) {
        let size = size.min(length - start);
        write_chunk(&mut reply.out, pattern(start, size), size);
    }
    reply.raw("0\r\n");
    if trailers {
        reply.raw(format!("x-length: {length}\r\nx-trailer: the end\r\n"));
    }
    reply.raw("\r\n");
    Ok(())
}

/// A body that ends with the connection, headed as HTTP/1.0 with `?version=1.0`.
fn to_close(rest: &str, request: &Request<'_>, reply: &mut Reply) -> Served {
    let length: u64 = number("n", rest)?;
    reply.end = End::Close;
    reply.start(200).header("content-type", "application/octet-stream").raw("\r\n");
    if request.parameter("version").is_some_and(|version| version == "1.0") {
        reply.out[7] = b'0';
    }
    if reply.wants_body() {
        reply.then.push(Step::Fill(length));
    }
    Ok(())
}

/// One byte at a time.
fn drip(request: &Request<'_>, reply: &mut Reply) -> Served {
    let count = pieces(request.number("bytes", 10)?)?;
    let pause = milliseconds(request, "ms", 50.0)?;
    reply.start(200).header("content-type", "application/octet-stream");
    reply.header("content-length", &count.to_string()).raw("\r\n");
    if reply.wants_body() {
        for position in 0..count {
            reply.wait(pause);
            pattern(position, 1).for_each(|byte| {
                reply.raw(byte);
            });
        }
    }
    Ok(())
}

/// To `/redirect/{n-1}`, at last to `/status/200`. `?status=` is kept along the way, `?absolute=1` names the host.
fn redirect(rest: &str, request: &Request<'_>, reply: &mut Reply) -> Served {
    let n: u32 = number("n", rest)?;
    if n == 0 {
        return status("200", reply);
    }
    let status = redirect_status(request)?;
    let query = if request.query.is_empty() { String::new() } else { format!("?{}", request.query) };
    let path = if n == 1 { "/status/200".to_owned() } else { format!("/redirect/{}{query}", n - 1) };
    let origin = request.parameter("absolute").and(request.header("host")).map(|host| {
        let scheme = if request.tls { "https" } else { "http" };
        format!("{scheme}://{host}")
    });
    send_to(status, &format!("{}{path}", origin.unwrap_or_default()), reply);
    Ok(())
}

fn redirect_to(request: &Request<'_>, reply: &mut Reply) -> Served {
    let url = request.parameter("url").ok_or_else(|| Refusal::new(400, "`url` is missing"))?;
    check_header("location", &url)?;
    send_to(redirect_status(request)?, &url, reply);
    Ok(())
}

fn redirect_status(request: &Request<'_>) -> Result<u16, Refusal> {
    let status = request.number("status", 302)?;
    if (300..400).contains(&status) { Ok(status) } else { Err(Refusal::new(400, "`status` must be from 300 to 399")) }
}

fn send_to(status: u16, url: &str, reply: &mut Reply) {
    reply.start(status).header("location", url).header("content-type", "text/plain").body(b"elsewhere\n");
}

fn cookies(rest: &str, request: &Request<'_>, reply: &mut Reply) -> Served {
    match rest {
        "" => reply.json(200, Value::from(received_cookies(request)).to_string()),
        "set" => set_cookies(request, reply, |name, value| format!("{name}={value}; Path=/"))?,
        "delete" => set_cookies(request, reply, |name, _| {
            format!("{name}=; Path=/; Max-Age=0; Expires=Thu, 01 Jan 1970 00:00:00 GMT")
        })?,
        _ => return Err(Refusal::not_found(request.path)),
    }
    Ok(())
}

fn received_cookies(request: &Request<'_>) -> Map<String, Value> {
    let lists = request.headers().filter(|(name, _)| name.eq_ignore_ascii_case("cookie")).map(|(_, value)| value);
    let mut cookies = Map::new();
    for list in lists {
        for pair in list.split(';') {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            cookies.insert(name.trim().to_owned(), value.trim().into());
        }
    }
    cookies
}

fn set_cookies(request: &Request<'_>, reply: &mut Reply, cookie: impl Fn(&str, &str) -> String) -> Served {
    reply.start(200).header("content-type", "application/json");
    let mut names = Vec::new();
    for (name, value) in request.parameters() {
        let cookie = cookie(&name, &value);
        check_header("set-cookie", &cookie)?;
        reply.header("set-cookie", &cookie);
        names.push(name.into_owned());
    }
    reply.body(json!({ "cookies": names }).to_string().as_bytes());
    Ok(())
}

fn informational(reply: &mut Reply) {
    reply.raw("HTTP/1.1 100 Continue\r\n\r\n");
    reply.raw("HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n");
    reply.json(200, r#"{"ok":true}"#);
}

fn basic_auth(rest: &str, request: &Request<'_>, reply: &mut Reply) -> Served {
    let (user, password) = rest.split_once('/').ok_or_else(|| Refusal::not_found(request.path))?;
    let (user, password) = (decoded(user), decoded(password));
    let expected = format!("Basic {}", BASE64.encode(format!("{user}:{password}")));
    if request.header("authorization") != Some(expected.as_str()) {
        let refusal = Refusal::new(401, "wrong user or password");
        return Err(refusal.with("www-authenticate", "Basic realm=\"target\""));
    }
    reply.json(200, json!({ "authenticated": true, "user": user }).to_string());
    Ok(())
}

fn echo(request: &Request<'_>) -> Value {
    json!({
        "method": request.method,
        "path": request.path,
        "query": request.query,
        "headers": request.headers().map(|(name, value)| json!([name, value])).collect::<Vec<_>>(),
        "body": String::from_utf8_lossy(request.body),
        "body_base64": BASE64.encode(request.body),
        "version": if request.version == 2 { "HTTP/2".to_owned() } else { format!("HTTP/1.{}", request.version) },
        "connection": request.connection,
        "tls": request.tls,
    })
}

fn headers(request: &Request<'_>, reply: &mut Reply) -> Served {
    reply.start(200).header("content-type", "application/json");
    let mut sent = Vec::new();
    for (name, value) in request.parameters() {
        check_header(&name, &value)?;
        reply.header(&name, &value);
        sent.push(json!([name, value]));
    }
    reply.body(json!({ "headers": sent }).to_string().as_bytes());
    Ok(())
}
