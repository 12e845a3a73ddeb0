//! Responses nobody thought of: well-formed ones, cut anywhere, and what becomes of them when bytes go wrong.
//!
//! `EXCHANGE_CASES` is the number of cases of each property, for long runs.

use std::cell::RefCell;
use std::fmt;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::Config;

use crate::verdict::{Verdict, hypers, ours};
use crate::wire::{End, Wire, cut};

#[derive(Clone, Debug)]
enum Framing {
    Length,
    Chunked { sizes: Vec<usize>, extension: &'static str, trailers: &'static str },
    UntilClose,
}

#[derive(Clone)]
struct Reply {
    method: &'static str,
    bytes: Vec<u8>,
    end: End,
}

impl fmt::Debug for Reply {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} \"{}\" {:?}", self.method, self.bytes.escape_ascii(), self.end)
    }
}

fn framings() -> impl Strategy<Value = Framing> {
    let chunked = (
        vec(1..40usize, 1..5),
        select(vec!["", "", ";a", ";a=b;c=\"d\"", " ", "\t;x"]),
        select(vec!["", "", "A: b\r\n", "Digest: x\r\nB:\r\n"]),
    )
        .prop_map(|(sizes, extension, trailers)| Framing::Chunked { sizes, extension, trailers });
    prop_oneof![3 => Just(Framing::Length), 3 => chunked, 1 => Just(Framing::UntilClose)]
}

fn header_lines() -> impl Strategy<Value = String> {
    let line = prop_oneof![
        4 => "X-[A-Za-z0-9!#$%&'*+.^_`|~-]{1,12}:[ \t]{0,2}[!-~]{0,12}[ \t]?[!-~äß]{0,12}[ \t]{0,2}\r\n",
        1 => select(vec![
            "Connection: keep-alive\r\n", "Connection: close\r\n", "connection: x, Close ,y\r\n", "Set-Cookie: a=b\r\n",
            "Transfer-Encoding: identity\r\n", "Content-Type: text/html\r\n", "Empty:\r\n", "Bare: lf\n",
        ]).prop_map(str::to_owned),
    ];
    vec(line, 0..6).prop_map(|lines| lines.concat())
}

fn replies() -> impl Strategy<Value = Reply> {
    (
        (select(vec!["GET", "GET", "GET", "HEAD"]), select(vec!["1.1", "1.1", "1.1", "1.0"])),
        select(vec![200u16, 200, 201, 204, 206, 301, 304, 404, 500, 999]),
        select(vec![" OK", "", " ", " Not so\tgood", " \u{e4}"]),
        select(vec![
            "",
            "",
            "HTTP/1.1 100 Continue\r\n\r\n",
            "HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 100\r\n\r\n",
        ]),
        header_lines(),
        (framings(), vec(any::<u8>(), 0..200)),
        select(vec![End::Open, End::Close, End::Reset]),
        select(vec!["", "", "", "", "\r\n", "!", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]),
    )
        .prop_map(|((method, version), status, reason, interim, lines, (framing, body), end, surplus)| {
            let mut bytes = format!("{interim}HTTP/{version} {status}{reason}\r\n{lines}").into_bytes();
            match &framing {
                Framing::Length => bytes.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes()),
                Framing::Chunked { .. } => bytes.extend(b"Transfer-Encoding: chunked\r\n\r\n"),
                Framing::UntilClose => bytes.extend(b"\r\n"),
            }
            if method != "HEAD" && !matches!(status, 204 | 304) {
                bytes.extend(encode(&framing, &body));
            }
            bytes.extend(surplus.bytes());
            Reply { method, bytes, end }
        })
}

fn encode(framing: &Framing, body: &[u8]) -> Vec<u8> {
    let Framing::Chunked { sizes, extension, trailers } = framing else { return body.to_vec() };
    let mut wire = Vec::new();
    for chunk in cut(body, sizes) {
        wire.extend(format!("{:x}{extension}\r\n", chunk.len()).bytes());
        wire.extend(chunk);
        wire.extend(b"\r\n");
    }
    wire.extend(format!("0{extension}\r\n{trailers}\r\n").bytes());
    wire
}

#[derive(Clone, Debug)]
enum Damage {
    Flip(Index, u8),
    Replace(Index, &'static str),
    Insert(Index, &'static str),
    Remove(Index, usize),
    Truncate(Index),
    Double(Index, usize),
}

fn damages() -> impl Strategy<Value = Damage> {
    let word = || {
        select(vec![
            "\r\n",
            "\n",
            "\r",
            "\0",
            " ",
            ":",
            ";",
            ",",
            "0",
            "-",
            "+",
            "f",
            "\r\n\r\n",
            "0\r\n\r\n",
            "HTTP/1.1 ",
            "chunked",
            "gzip",
            "Content-Length: 3\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Transfer-Encoding: identity\r\n",
            "\r\n x",
            "99999999999999999999",
        ])
    };
    prop_oneof![
        3 => (any::<Index>(), any::<u8>()).prop_map(|(at, with)| Damage::Flip(at, with)),
        3 => (any::<Index>(), word()).prop_map(|(at, with)| Damage::Replace(at, with)),
        3 => (any::<Index>(), word()).prop_map(|(at, with)| Damage::Insert(at, with)),
        2 => (any::<Index>(), 1..8usize).prop_map(|(at, length)| Damage::Remove(at, length)),
        1 => any::<Index>().prop_map(Damage::Truncate),
        1 => (any::<Index>(), 1..60usize).prop_map(|(at, length)| Damage::Double(at, length)),
    ]
}

fn damage(bytes: &mut Vec<u8>, damage: &Damage) {
    if bytes.is_empty() {
        return;
    }
    let span = |at: usize, length: usize| at..(at + length).min(bytes.len());
    match damage {
        Damage::Flip(at, with) => {
            let at = at.index(bytes.len());
            bytes[at] ^= with;
        }
        Damage::Replace(at, with) => drop(bytes.splice(span(at.index(bytes.len()), with.len()), with.bytes())),
        Damage::Insert(at, with) => {
            let at = at.index(bytes.len());
            drop(bytes.splice(at..at, with.bytes()));
        }
        Damage::Remove(at, length) => drop(bytes.drain(span(at.index(bytes.len()), *length))),
        Damage::Truncate(at) => bytes.truncate(at.index(bytes.len())),
        Damage::Double(at, length) => {
            let span = span(at.index(bytes.len()), *length);
            let again = bytes[span.clone()].to_vec();
            drop(bytes.splice(span.end..span.end, again));
        }
    }
}

/// Both verdicts, hyper's on the uncut bytes.
fn verdicts(reply: &Reply, lengths: &[usize]) -> (Verdict, Verdict, Verdict) {
    thread_local! {
        static RUNTIME: RefCell<tokio::runtime::Runtime> = RefCell::new(
            tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap(),
        );
    }
    let Reply { method, bytes, end } = reply;
    let whole = || Wire::new([bytes.clone()], *end);
    RUNTIME.with_borrow(|runtime| {
        runtime.block_on(async {
            let pieces = Wire::new(cut(bytes, lengths), *end);
            (ours(whole(), method).await, ours(pieces, method).await, hypers(whole(), method).await)
        })
    })
}

/// Where we take a response that hyper takes otherwise, as `table.rs` has it: identity is no coding.
fn names_identity(bytes: &[u8]) -> bool {
    bytes.to_ascii_lowercase().windows(8).any(|window| window == b"identity")
}

/// hyper reads no word of a `Connection` that is not ASCII throughout. We read those that are, and close for a `close`:
/// such a response is taken for less.
fn for_less(ours: &Verdict, hypers: Verdict) -> Verdict {
    let is_odd = |(name, value): &(String, Vec<u8>)| name.eq_ignore_ascii_case("connection") && !value.is_ascii();
    match (ours, hypers) {
        (Verdict::Takes { headers: said, kept: false, .. }, Verdict::Takes { status, headers, body, .. })
            if said.iter().any(is_odd) =>
        {
            Verdict::Takes { status, headers, body, kept: false }
        }
        (_, hypers) => hypers,
    }
}

fn config() -> Config {
    let cases = std::env::var("EXCHANGE_CASES").ok().and_then(|cases| cases.parse().ok()).unwrap_or(1500);
    // What fails is worth a line in `table.rs`, not a file of seeds.
    Config { cases, failure_persistence: None, ..Config::default() }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_good_response_is_the_same_to_us_cut_or_whole_and_to_hyper(reply in replies(), lengths in vec(1..80usize, 1..8)) {
        let (whole, pieces, hypers) = verdicts(&reply, &lengths);
        prop_assert_eq!(&whole, &pieces);
        if !names_identity(&reply.bytes) {
            prop_assert_eq!(&whole, &hypers);
        }
    }

    /// A damaged response may be refused by either. But what we take, hyper takes, and takes it for the same.
    #[test]
    fn a_damaged_response_is_never_taken_for_more_than_hyper_takes_it(
        reply in replies(),
        damages in vec(damages(), 1..4),
        lengths in vec(1..80usize, 1..8),
    ) {
        let mut reply = reply;
        damages.iter().for_each(|each| damage(&mut reply.bytes, each));
        let (whole, pieces, hypers) = verdicts(&reply, &lengths);
        if reply.end != End::Open {
            prop_assert_ne!(&whole, &Verdict::Waits);
            prop_assert_ne!(&pieces, &Verdict::Waits);
        }
        if matches!(whole, Verdict::Takes { .. }) || matches!(pieces, Verdict::Takes { .. }) {
            prop_assert_eq!(&whole, &pieces, "{:?}", reply);
            if !names_identity(&reply.bytes) {
                prop_assert_eq!(&whole, &for_less(&whole, hypers), "{:?}", reply);
            }
        }
    }
}
