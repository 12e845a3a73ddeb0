//! Routes that misbehave, byte for byte as their names say.

use super::encoded;
use super::plain::milliseconds;
use super::reply::{End, Reply, Step};
use super::request::Request;
use super::routes::{Refusal, Served};

/// Whether the route is one of these.
pub fn serve(first: &str, rest: &str, request: &Request<'_>, reply: &mut Reply) -> Result<bool, Refusal> {
    if !rest.is_empty() {
        return Ok(false);
    }
    match first {
        "close" => reply.cut(End::Close),
        "reset" => reply.cut(End::Reset),
        "close-mid-body" => mid_body(End::Drop, request, reply)?,
        "end-mid-body" => mid_body(End::Close, request, reply)?,
        "reset-mid-body" => mid_body(End::Reset, request, reply)?,
        "close-after" => close_after(reply),
        "slow-head" => slow_head(request, reply)?,
        "garbage" => garbage(reply),
        "huge-header" => huge_header(request, reply)?,
        "endless-headers" => endless_headers(reply),
        "endless-header" => endless(reply, "", "x-endless: ", &"and so on, ".repeat(400)),
        "endless-interim" => endless_interim(reply),
        "endless-extension" => endless(reply, CHUNKED, "\r\n5;", &"and=\"so on\";".repeat(400)),
        "endless-trailers" => {
            endless(reply, CHUNKED, "\r\n5\r\nhello\r\n0\r\n", &"x-trailer: and so on\r\n".repeat(200));
        }
        "longer-body" => longer_body(request, reply)?,
        "gzip-bomb" => gzip_bomb(request, reply)?,
        "garbage-below" => garbage_below(reply),
        "bad-chunk" => bad_chunk(reply),
        "two-lengths" => two_lengths(reply),
        "length-and-chunked" => length_and_chunked(reply),
        _ => return Ok(false),
    }
    Ok(true)
}

/// `sent` bytes of a body of which `declared` were promised.
fn mid_body(end: End, request: &Request<'_>, reply: &mut Reply) -> Served {
    let declared: u64 = request.number("declared", 1000)?;
    let sent: u64 = request.number("sent", 100)?;
    if sent >= declared {
        return Err(Refusal::new(400, "`sent` must be less than `declared`"));
    }
    reply.end = End::KeepAlive; // what the head claims
    reply.start(200).header("content-type", "application/octet-stream");
    reply.header("content-length", &declared.to_string()).raw("\r\n");
    reply.then.push(Step::Fill(sent));
    reply.cut(end);
    Ok(())
}

/// Nothing in the answer says that the connection ends with it.
fn close_after(reply: &mut Reply) {
    reply.end = End::KeepAlive;
    reply.json(200, r#"{"ok":true}"#);
    reply.end = End::Close;
}

/// A head that comes a line at a time, each `ms` after the other, a line broken in two among them.
fn slow_head(request: &Request<'_>, reply: &mut Reply) -> Served {
    let pause = milliseconds(request, "ms", 50.0)?;
    reply.json(200, r#"{"ok":true}"#);
    let whole = std::mem::take(&mut reply.out);
    let middle = whole.len() / 2;
    for line in whole[..middle].split_inclusive(|&byte| byte == b'\n').chain([&whole[middle..]]) {
        reply.then.push(Step::Send(line.to_vec()));
        reply.wait(pause);
    }
    reply.then.pop(); // nothing to wait for after the last piece
    Ok(())
}

fn garbage(reply: &mut Reply) {
    reply.raw(b"\x00\x01\x02 this is not HTTP\r\n\xff\xfe\r\n\r\n");
    reply.cut(End::Close);
}

fn huge_header(request: &Request<'_>, reply: &mut Reply) -> Served {
    let length: usize = request.number("bytes", 100_000)?;
    if length > 1 << 30 {
        return Err(Refusal::new(400, "`bytes` must be 1 GiB or less"));
    }
    const BLOCK: usize = 64 * 1024;
    reply.start(200).header("content-length", "0").raw("x-huge: ").raw("h".repeat(length % BLOCK));
    reply.then.push(Step::Times(length / BLOCK, vec![b'h'; BLOCK]));
    reply.then.push(Step::Send(b"\r\n\r\n".to_vec()));
    Ok(())
}

fn endless_headers(reply: &mut Reply) {
    endless(reply, "", "", &"x-endless: and so on, and so on, and so on\r\n".repeat(64));
}

const CHUNKED: &str = "transfer-encoding: chunked\r\n";

/// An answer that begins well and then repeats itself until the client goes away.
fn endless(reply: &mut Reply, headers: &str, beginning: &str, again: &str) {
    reply.start(200).raw(headers).raw(beginning);
    reply.then.push(Step::Repeat(again.as_bytes().to_vec()));
    reply.cut(End::Drop);
}

/// Responses before the response, which never comes.
fn endless_interim(reply: &mut Reply) {
    reply.then.push(Step::Repeat(b"HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n".repeat(64)));
    reply.cut(End::Drop);
}

/// More bytes than the head declares, on a connection that claims to be kept.
fn longer_body(request: &Request<'_>, reply: &mut Reply) -> Served {
    let declared: u64 = request.number("declared", 10)?;
    let sent: usize = request.number("sent", 20)?;
    if declared >= sent as u64 || sent > 1 << 20 {
        return Err(Refusal::new(400, "`sent` must be more than `declared`, and 1 MiB or less"));
    }
    reply.start(200).header("content-type", "text/plain").header("content-length", &declared.to_string());
    reply.raw("\r\n").raw("b".repeat(sent));
    Ok(())
}

/// A few kB on the wire that decode to `bytes`, rounded up to whole megabytes; the checksum behind them is wrong.
fn gzip_bomb(request: &Request<'_>, reply: &mut Reply) -> Served {
    let length: u64 = request.number("bytes", 4 << 30)?;
    if length > 64 << 30 {
        return Err(Refusal::new(400, "`bytes` must be 64 GiB or less"));
    }
    let bomb = encoded::bomb(length).map_err(|error| Refusal::new(500, error.to_string()))?;
    reply.start(200).header("content-type", "application/octet-stream").header("content-encoding", "gzip").body(&bomb);
    Ok(())
}

/// A part of a body, and then bytes beneath TLS that are none of its records. Without TLS they are part of the body.
fn garbage_below(reply: &mut Reply) {
    reply
        .start(200)
        .header("content-type", "text/plain")
        .header("content-length", "1000")
        .raw("\r\n")
        .raw("b".repeat(100));
    reply.then.push(Step::Below(b"\x00\x01\x02 this is no TLS record".to_vec()));
    reply.cut(End::Drop);
}

/// A second chunk whose size is no number.
fn bad_chunk(reply: &mut Reply) {
    reply.start(200).header("transfer-encoding", "chunked").raw("\r\n5\r\nhello\r\nnine\r\nand so on\r\n0\r\n\r\n");
    reply.cut(End::Close);
}

fn two_lengths(reply: &mut Reply) {
    reply.start(200).header("content-length", "5").header("content-length", "7").raw("\r\nhello!!");
    reply.cut(End::Close);
}

fn length_and_chunked(reply: &mut Reply) {
    reply.start(200).header("content-length", "5").header("transfer-encoding", "chunked");
    reply.raw("\r\n5\r\nhello\r\n0\r\n\r\n");
    reply.cut(End::Close);
}
