//! A server that contradicts itself: every exchange ends with a response or the failure that its end explains, what we
//! take hyper takes for the same, and a connection whose framing is in doubt serves no other request.

#![no_main]

#[path = "../../tests/exchange/wire.rs"]
#[allow(dead_code, clippy::unwrap_used)]
mod wire;

use std::cell::RefCell;
use std::time::Duration;

use gregaria::http::transport::probe;
use gregaria::http::url::{Style, Url};
use gregaria::http::{Failure, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use tokio::time::timeout;
use wire::{End, Wire, cut};

/// With a paused clock, this is when nothing moves any more.
const PATIENCE: Duration = Duration::from_secs(10);

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Line<'a> {
    Length(u8),
    Lengths(u8, u8),
    OddLength(&'a [u8]),
    Chunked,
    Coding(u8),
    Close,
    KeepAlive,
    Upgrade,
    Other(&'a [u8]),
}

#[derive(Arbitrary, Clone, Copy, Debug)]
enum Piece<'a> {
    Data(&'a [u8]),
    Chunk(&'a [u8]),
    /// A chunk that is not as long as it says.
    Lie(u8, &'a [u8]),
    Extension(&'a [u8], u8),
    LastChunk,
    Trailer(&'a [u8]),
    End,
    Interim(u8),
    /// Another response behind the first.
    Another(u8),
}

#[derive(Arbitrary, Debug)]
struct Case<'a> {
    method: u8,
    version: u8,
    status: u8,
    lines: Vec<Line<'a>>,
    pieces: Vec<Piece<'a>>,
    interim: u8,
    end: u8,
    cuts: [u8; 3],
}

impl Case<'_> {
    fn bytes(&self) -> Vec<u8> {
        const STATUSES: [u16; 12] = [200, 204, 304, 206, 404, 500, 302, 205, 100, 101, 999, 99];
        let mut out = Vec::new();
        for _ in 0..self.interim % 4 {
            out.extend(b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n");
        }
        let version = ["1.1", "1.1", "1.1", "1.0", "2.0", "0.9"][usize::from(self.version % 6)];
        out.extend(format!("HTTP/{version} {} x\r\n", STATUSES[usize::from(self.status % 12)]).bytes());
        self.lines.iter().for_each(|line| line.write(&mut out));
        out.extend(b"\r\n");
        self.pieces.iter().for_each(|piece| piece.write(&mut out));
        out
    }

    fn end(&self) -> End {
        [End::Close, End::Open, End::Reset][usize::from(self.end % 3)]
    }
}

impl Line<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        const CODINGS: [&str; 8] = [
            "identity", "gzip, chunked", "chunked, gzip", "chunked,", "CHUNKED", "chunked;x=1", " chunked ", "chunked\tx",
        ];
        match self {
            Self::Length(length) => out.extend(format!("Content-Length: {length}\r\n").bytes()),
            Self::Lengths(one, other) => out.extend(format!("content-length: {one}, {other}\r\n").bytes()),
            Self::OddLength(text) => out.extend([&b"Content-Length: "[..], text, b"\r\n"].concat()),
            Self::Chunked => out.extend(b"Transfer-Encoding: chunked\r\n"),
            Self::Coding(which) => {
                out.extend(format!("transfer-encoding: {}\r\n", CODINGS[usize::from(which % 8)]).bytes());
            }
            Self::Close => out.extend(b"Connection: close\r\n"),
            Self::KeepAlive => out.extend(b"Connection: keep-alive\r\n"),
            Self::Upgrade => out.extend(b"Connection: upgrade\r\nUpgrade: x\r\n"),
            Self::Other(text) => out.extend([text, &b"\r\n"[..]].concat()),
        }
    }
}

impl Piece<'_> {
    fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Data(data) => out.extend(*data),
            Self::Chunk(data) => out.extend([format!("{:x}\r\n", data.len()).as_bytes(), data, b"\r\n"].concat()),
            Self::Lie(length, data) => out.extend([format!("{length:X}\r\n").as_bytes(), data, b"\r\n"].concat()),
            Self::Extension(text, times) => {
                out.extend([b"1;", &text.repeat(usize::from(*times))[..], b"\r\nx\r\n"].concat());
            }
            Self::LastChunk => out.extend(b"0\r\n"),
            Self::Trailer(text) => out.extend([text, &b"\r\n"[..]].concat()),
            Self::End => out.extend(b"\r\n"),
            Self::Interim(status) => out.extend(format!("HTTP/1.1 1{:02} x\r\n\r\n", status % 100).bytes()),
            Self::Another(length) => {
                out.extend(format!("HTTP/1.1 200 OK\r\nContent-Length: {length}\r\n\r\nsmuggled").bytes());
            }
        }
    }
}

#[derive(Debug, PartialEq)]
struct Taken {
    status: u16,
    headers: Vec<(String, Vec<u8>)>,
    body: Vec<u8>,
    kept: bool,
}

fn taken<'h>(status: u16, headers: impl Iterator<Item = (&'h str, &'h [u8])>, body: &[u8], kept: bool) -> Taken {
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())).collect();
    headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    Taken { status, headers, body: body.to_vec(), kept }
}

async fn ours(mut wire: Wire, method: &'static str) -> Result<(Response, bool), Failure> {
    let request = probe::request(method, Url::prepare(Style::Requests, "http://h/", "").expect("this is a URL"));
    // The lanes' timers are not running here, and their clock is not the paused one.
    match timeout(PATIENCE, probe::exchange(&mut wire, &request)).await {
        Ok(result) => result,
        Err(_) => Err(Failure::ReadTimeout(PATIENCE)),
    }
}

async fn hypers(wire: Wire, method: &'static str) -> Option<Taken> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(wire)).await.expect("nothing is sent yet");
    let task = tokio::spawn(connection);
    let exchange = async {
        let request = hyper::Request::builder().method(method).uri("/").header("Host", "h").body(Empty::<Bytes>::new());
        let response = sender.send_request(request.expect("it is well-formed")).await?;
        let (parts, body) = response.into_parts();
        Ok::<_, hyper::Error>((parts, body.collect().await?.to_bytes()))
    };
    let exchanged = timeout(PATIENCE, exchange).await;
    let taken = match exchanged {
        Ok(Ok((parts, body))) => {
            for _ in 0..10 {
                tokio::task::yield_now().await;
            }
            let kept = matches!(timeout(PATIENCE, sender.ready()).await, Ok(Ok(())));
            let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            Some(taken(parts.status.as_u16(), headers, &body, kept))
        }
        _ => None,
    };
    task.abort();
    taken
}

thread_local! {
    static RUNTIME: RefCell<tokio::runtime::Runtime> = RefCell::new(
        tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("it can be built"),
    );
}

fuzz_target!(|case: Case<'_>| {
    let (bytes, end) = (case.bytes(), case.end());
    let method = ["GET", "GET", "HEAD", "POST"][usize::from(case.method % 4)];
    let lengths = case.cuts.map(|cut| usize::from(cut).max(1));
    RUNTIME.with_borrow(|runtime| {
        runtime.block_on(async {
            let whole = ours(Wire::new([bytes.clone()], end), method).await;
            let pieces = ours(Wire::new(cut(&bytes, &lengths), end), method).await;
            explain(&whole, end, &bytes);
            explain(&pieces, end, &bytes);
            match (&whole, &pieces) {
                (Ok((whole, kept)), Ok((pieces, kept_too))) => {
                    assert_eq!((whole.head(), whole.body(), kept), (pieces.head(), pieces.body(), kept_too));
                }
                (Err(_), Err(_)) => {}
                (whole, pieces) => panic!("whole {whole:?}, in pieces {pieces:?}"),
            }
            if let Ok((response, kept)) = whole {
                // Identity is no transfer coding, and no one's disagreement about a body.
                if bytes.to_ascii_lowercase().windows(8).any(|window| window == b"identity") {
                    return;
                }
                let ours = taken(response.status, response.headers().into_iter(), response.body(), kept);
                assert_eq!(Some(ours), hypers(Wire::new([bytes.clone()], end), method).await, "{}", bytes.escape_ascii());
            }
        });
    });
});

/// A failure is what a user would name after what the server did.
fn explain(result: &Result<(Response, bool), Failure>, end: End, bytes: &[u8]) {
    match result {
        Ok((response, kept)) => {
            assert!(response.wire_length as usize <= bytes.len());
            assert!(!kept || end == End::Open && response.wire_length as usize == bytes.len());
        }
        Err(Failure::Protocol(what) | Failure::Chunks(what)) => assert!(!what.is_empty()),
        Err(Failure::Incomplete { received, .. }) => {
            assert!(end == End::Close && *received as usize <= bytes.len());
        }
        Err(Failure::Disconnected) => assert!(end == End::Close && bytes.is_empty()),
        Err(Failure::Broken(_) | Failure::BodyBroken(_)) => assert_eq!(end, End::Reset),
        Err(Failure::ReadTimeout(_) | Failure::BodyTimeout(_)) => assert_eq!(end, End::Open),
        Err(other) => panic!("{other:?}"),
    }
}
