//! Routes that misbehave, byte for byte as their names say.

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
        "reset-mid-body" => mid_body(End::Reset, request, reply)?,
        "close-after" => close_after(reply),
        "slow-head" => slow_head(request, reply)?,
        "garbage" => garbage(reply),
        "huge-header" => huge_header(request, reply)?,
        "endless-headers" => endless_headers(reply),
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
    if length > 64 * 1024 * 1024 {
        return Err(Refusal::new(400, "`bytes` must be 64 MiB or less"));
    }
    reply.start(200).header("x-huge", &"h".repeat(length)).body(b"");
    Ok(())
}

fn endless_headers(reply: &mut Reply) {
    reply.start(200);
    reply.then.push(Step::Repeat(b"x-endless: and so on, and so on, and so on\r\n".repeat(64)));
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
