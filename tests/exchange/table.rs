//! Response for response: what we make of it, and what hyper does. Where the two part, the reason stands beside it.

use std::fmt::Write;

use crate::client::{Client, User};
use crate::verdict::{Verdict, hypers, hypers_over_tcp, ours, ours_over_tcp};
use crate::wire::{End, Wire, cut, serve, soon};
use End::{Close, Open, Reset};

/// A verdict without the headers.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Short {
    Kept(u16, String),
    Closed(u16, String),
    Refused,
    Waits,
}

impl From<&Verdict> for Short {
    fn from(verdict: &Verdict) -> Self {
        match verdict {
            Verdict::Takes { status, body, kept: true, .. } => Self::Kept(*status, body.escape_ascii().to_string()),
            Verdict::Takes { status, body, .. } => Self::Closed(*status, body.escape_ascii().to_string()),
            Verdict::Refuses => Self::Refused,
            Verdict::Waits => Self::Waits,
        }
    }
}

fn kept(body: &str) -> Short {
    Short::Kept(200, body.to_owned())
}

fn closed(body: &str) -> Short {
    Short::Closed(200, body.to_owned())
}

struct Case {
    name: &'static str,
    method: &'static str,
    bytes: Vec<u8>,
    end: End,
    ours: Short,
    /// What hyper does instead, and why we do not.
    hyper: Option<(Short, &'static str)>,
}

impl Case {
    fn but_hyper(mut self, does: Short, why: &'static str) -> Self {
        self.hyper = Some((does, why));
        self
    }
}

fn case(name: &'static str, bytes: impl AsRef<[u8]>, end: End, ours: Short) -> Case {
    Case { name, method: "GET", bytes: bytes.as_ref().to_vec(), end, ours, hyper: None }
}

fn head_case(name: &'static str, bytes: &str, end: End, ours: Short) -> Case {
    Case { method: "HEAD", ..case(name, bytes, end, ours) }
}

/// `HTTP/1.1 200 OK` with these header lines, then `body`.
fn ok(lines: &str, body: &str) -> String {
    format!("HTTP/1.1 200 OK\r\n{lines}\r\n{body}")
}

fn sized(length: &str) -> String {
    ok(&format!("Content-Length: {length}\r\n"), "hello")
}

fn chunked(body: &str) -> String {
    ok("Transfer-Encoding: chunked\r\n", body)
}

fn bodies() -> Vec<Case> {
    let large = "x".repeat(200_000);
    vec![
        case("by length", sized("5"), Open, kept("hello")),
        case("by length, then closed", sized("5"), Close, closed("hello")),
        case("an empty one", ok("Content-Length: 0\r\n", ""), Open, kept("")),
        case("longer than any buffer", ok("Content-Length: 200000\r\n", &large), Open, kept(&large)),
        case("to the close", ok("", "hello"), Close, closed("hello")),
        case("to the close that does not come", ok("", "hello"), Open, Short::Waits),
        case("to the close, but reset", ok("", "hello"), Reset, Short::Refused),
        case("HTTP/1.0 to the close", "HTTP/1.0 200 OK\r\n\r\nhello", Close, closed("hello")),
        case("short by one byte", sized("6"), Close, Short::Refused),
        case("short by one byte, reset", sized("6"), Reset, Short::Refused),
        case("short by one byte, open", sized("6"), Open, Short::Waits),
        head_case("HEAD with a length", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", Open, kept("")),
        head_case(
            "HEAD with chunks announced",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
            Open,
            kept(""),
        ),
        head_case("HEAD with neither", "HTTP/1.1 200 OK\r\n\r\n", Open, kept("")),
        head_case("HEAD with a body all the same", &sized("5"), Open, closed("")),
        case("204", "HTTP/1.1 204 No Content\r\n\r\n", Open, Short::Kept(204, String::new())),
        case(
            "204 with a length",
            "HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n",
            Open,
            Short::Kept(204, String::new()),
        ),
        case(
            "304 with a length",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n",
            Open,
            Short::Kept(304, String::new()),
        ),
        case(
            "304 with a body",
            "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\nhello",
            Open,
            Short::Closed(304, String::new()),
        ),
        case(
            "205 by length",
            "HTTP/1.1 205 Reset Content\r\nContent-Length: 0\r\n\r\n",
            Open,
            Short::Kept(205, String::new()),
        ),
        case(
            "a status of our own making",
            "HTTP/1.1 799 Odd\r\nContent-Length: 0\r\n\r\n",
            Open,
            Short::Kept(799, String::new()),
        ),
    ]
}

fn chunks() -> Vec<Case> {
    let many = |text: &str, times: usize| text.repeat(times);
    vec![
        case("chunks", chunked("5\r\nhello\r\n1\r\n!\r\n0\r\n\r\n"), Open, kept("hello!")),
        case("no chunk at all", chunked("0\r\n\r\n"), Open, kept("")),
        case("chunks, then closed", chunked("5\r\nhello\r\n0\r\n\r\n"), Close, closed("hello")),
        case(
            "sizes in either case, with zeros before",
            chunked("00A\r\n0123456789\r\nb\r\n0123456789a\r\n000\r\n\r\n"),
            Open,
            kept("01234567890123456789a"),
        ),
        case("extensions", chunked("5;a=b;c=\"d e\"\r\nhello\r\n0;last\r\n\r\n"), Open, kept("hello")),
        case("white space behind a size", chunked("5 \t\r\nhello\r\n0 ;x\r\n\r\n"), Open, kept("hello")),
        case("trailers", chunked("5\r\nhello\r\n0\r\nA: b\r\nC: d\r\n\r\n"), Open, kept("hello")),
        case("a trailer without colon", chunked("5\r\nhello\r\n0\r\nnonsense\r\n\r\n"), Open, Short::Refused),
        case("a folded trailer", chunked("0\r\nA: b\r\n c\r\n\r\n"), Open, Short::Refused),
        case("too many trailers", chunked(&format!("0\r\n{}\r\n", many("A: b\r\n", 101))), Open, Short::Refused),
        case("trailers too long", chunked(&format!("0\r\nA: {}\r\n\r\n", many("x", 20_000))), Open, Short::Refused),
        case("bare LF behind a size", chunked("5\nhello\r\n0\r\n\r\n"), Open, Short::Refused),
        case("bare LF in an extension", chunked("5;x\nhello\r\n0\r\n\r\n"), Open, Short::Refused),
        case("bare LF behind the data", chunked("5\r\nhello\n0\r\n\r\n"), Open, Short::Refused),
        case("bare LF at the end", chunked("5\r\nhello\r\n0\r\n\n"), Open, Short::Refused)
            .but_hyper(Short::Waits, "it begins a trailer with it, and refuses that at its end"),
        case("words behind a size", chunked("5 hello\r\nhello\r\n0\r\n\r\n"), Open, Short::Refused),
        case("no size", chunked("\r\nhello\r\n0\r\n\r\n"), Open, Short::Refused),
        case("a negative size", chunked("-5\r\nhello\r\n0\r\n\r\n"), Open, Short::Refused),
        case("a size that is no number", chunked("5x\r\nhello\r\n0\r\n\r\n"), Open, Short::Refused),
        case("a size with 0x", chunked("0x5\r\nhello\r\n0\r\n\r\n"), Open, Short::Refused),
        case("a size beyond 64 bits", chunked("10000000000000000\r\nhello\r\n0\r\n\r\n"), Open, Short::Refused),
        case("a chunk longer than its size", chunked("4\r\nhello\r\n0\r\n\r\n"), Open, Short::Refused),
        case("a chunk shorter than its size", chunked("6\r\nhello\r\n0\r\n\r\n"), Open, Short::Refused),
        case("closed before the last chunk", chunked("5\r\nhello\r\n"), Close, Short::Refused),
        case("closed before the last line end", chunked("5\r\nhello\r\n0\r\n"), Close, Short::Refused),
        case("reset before the last chunk", chunked("5\r\nhello\r\n"), Reset, Short::Refused),
        case(
            "endless extensions",
            chunked(&many("1;0123456789012345678901234567890123456789\r\nx\r\n", 500)),
            Open,
            Short::Refused,
        ),
        case("endless zeros", chunked(&format!("{}5\r\nhello\r\n0\r\n\r\n", many("0", 100))), Open, Short::Refused)
            .but_hyper(kept("hello"), "64 digits of size are plenty"),
        case(
            "endless white space",
            chunked(&format!("5{}\r\nhello\r\n0\r\n\r\n", many(" ", 20_000))),
            Open,
            Short::Refused,
        )
        .but_hyper(kept("hello"), "16 KiB of nothing are plenty"),
    ]
}

fn framing() -> Vec<Case> {
    let both = "both a length and a coding: RFC 9112, 6.3 calls it an attempt at smuggling and lets us refuse";
    let coded = "it hands out coded bytes as the body (RFC 9112, 6.1: understand the coding, or refuse)";
    vec![
        case("the same length twice", ok("Content-Length: 5\r\nContent-Length: 5\r\n", "hello"), Open, kept("hello")),
        case("the same length as a list", sized("5, 5"), Open, kept("hello")),
        case("two lengths", ok("Content-Length: 5\r\nContent-Length: 6\r\n", "hello"), Open, Short::Refused),
        case("two lengths as a list", sized("5, 6"), Open, Short::Refused),
        case("a list with nothing in it", sized("5,"), Open, Short::Refused),
        case("a length that is no number", sized("five"), Open, Short::Refused),
        case("no length at all", sized(""), Open, Short::Refused),
        case("a negative length", sized("-5"), Open, Short::Refused),
        case("a length with a sign", sized("+5"), Open, Short::Refused),
        case("a length beyond 64 bits", sized("18446744073709551616"), Open, Short::Refused),
        case("a length beyond reason", sized("18446744073709551615"), Open, Short::Refused),
        case("a length beyond memory", sized("9000000000000"), Close, Short::Refused),
        case(
            "a length with chunks",
            ok("Content-Length: 5\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            Open,
            Short::Refused,
        )
        .but_hyper(kept("hello"), both),
        case(
            "chunks with a length",
            ok("Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            Open,
            Short::Refused,
        )
        .but_hyper(kept("hello"), both),
        case("a coding nobody knows", ok("Transfer-Encoding: gzip\r\n", "hello"), Close, Short::Refused)
            .but_hyper(closed("hello"), coded),
        case(
            "a coding below chunks",
            ok("Transfer-Encoding: gzip, chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            Open,
            Short::Refused,
        )
        .but_hyper(kept("hello"), coded),
        case(
            "chunks twice",
            ok("Transfer-Encoding: chunked, chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            Open,
            Short::Refused,
        )
        .but_hyper(kept("hello"), "RFC 9112, 6.1: chunked is not to be applied twice"),
        case("chunks not last", ok("Transfer-Encoding: chunked, gzip\r\n", "hello"), Close, Short::Refused)
            .but_hyper(closed("hello"), coded),
        case(
            "a comma behind chunked",
            ok("Transfer-Encoding: chunked,\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            Open,
            Short::Refused,
        )
        .but_hyper(Short::Waits, "to RFC 9110, 5.6.1 these are chunks, to hyper they are not: two readings"),
        case(
            "a comma before chunked",
            ok("Transfer-Encoding: ,chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            Open,
            kept("hello"),
        ),
        case(
            "chunks in two lines",
            ok("Transfer-Encoding: identity\r\nTransfer-Encoding: chunked\r\n", "5\r\nhello\r\n0\r\n\r\n"),
            Open,
            kept("hello"),
        ),
        case(
            "identity, and a length",
            ok("Transfer-Encoding: identity\r\nContent-Length: 5\r\n", "hello"),
            Open,
            kept("hello"),
        )
        .but_hyper(
            Short::Waits,
            "identity is no coding; Python's clients go by the length, and hyper waits for the close",
        ),
        case(
            "chunks in HTTP/1.0",
            "HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Close,
            Short::Refused,
        ),
    ]
}

fn persistence() -> Vec<Case> {
    vec![
        case("HTTP/1.1 and close", ok("Connection: close\r\nContent-Length: 5\r\n", "hello"), Open, closed("hello")),
        case(
            "HTTP/1.1 and close among others",
            ok("Connection: x, Close\r\nContent-Length: 5\r\n", "hello"),
            Open,
            closed("hello"),
        ),
        case(
            "HTTP/1.1, close in the second line",
            ok("Connection: keep-alive\r\nConnection: close\r\nContent-Length: 5\r\n", "hello"),
            Open,
            closed("hello"),
        ),
        case("HTTP/1.0", "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", Open, closed("hello")),
        case(
            "HTTP/1.0 and keep-alive",
            "HTTP/1.0 200 OK\r\nConnection: Keep-Alive\r\nContent-Length: 5\r\n\r\nhello",
            Open,
            kept("hello"),
        ),
        case(
            "HTTP/1.0, keep-alive, to the close",
            "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\n\r\nhello",
            Close,
            closed("hello"),
        ),
        case("a byte too many", sized("5") + "!", Open, closed("hello")),
        case("a line end too many", sized("5") + "\r\n", Open, closed("hello")),
        case("a response nobody asked for", sized("5") + &sized("5"), Open, closed("hello")),
        case("a byte behind the last chunk", chunked("0\r\n\r\n!"), Open, closed("")),
        case("a byte behind a 204", "HTTP/1.1 204 No Content\r\n\r\n!", Open, Short::Closed(204, String::new())),
    ]
}

fn interim() -> Vec<Case> {
    let then = |interim: &str| format!("{interim}{}", sized("5"));
    vec![
        case("100 first", then("HTTP/1.1 100 Continue\r\n\r\n"), Open, kept("hello")),
        case("103 with a header first", then("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"), Open, kept("hello")),
        case(
            "several first",
            then("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n"),
            Open,
            kept("hello"),
        ),
        case(
            "100 with a length first",
            then("HTTP/1.1 100 Continue\r\nContent-Length: 5\r\n\r\n"),
            Open,
            kept("hello"),
        ),
        case("nothing but 100", "HTTP/1.1 100 Continue\r\n\r\n", Close, Short::Refused),
        case("nothing but 100, open", "HTTP/1.1 100 Continue\r\n\r\n", Open, Short::Waits),
        case("100 without end", then(&"HTTP/1.1 100 Continue\r\n\r\n".repeat(101)), Open, Short::Refused)
            .but_hyper(kept("hello"), "a response would never come; http.client has the same limit"),
        case(
            "another protocol",
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
            Open,
            Short::Refused,
        )
        .but_hyper(
            Short::Closed(101, String::new()),
            "nobody asked for it (RFC 9110, 15.2.2), and hyper takes it for one who did",
        ),
    ]
}

fn heads() -> Vec<Case> {
    let mut hundred = String::new();
    for n in 0..99 {
        write!(hundred, "X-{n}: {n}\r\n").unwrap();
    }
    let huge = |length: usize| ok(&format!("X: {}\r\nContent-Length: 5\r\n", "x".repeat(length)), "hello");
    vec![
        case("no reason phrase", "HTTP/1.1 200\r\nContent-Length: 5\r\n\r\nhello", Open, kept("hello")),
        case("an empty reason phrase", "HTTP/1.1 200 \r\nContent-Length: 5\r\n\r\nhello", Open, kept("hello")),
        case(
            "a reason phrase of odd bytes",
            b"HTTP/1.1 200 \xe4\t!\r\nContent-Length: 5\r\n\r\nhello",
            Open,
            kept("hello"),
        ),
        case(
            "header values of odd bytes",
            b"HTTP/1.1 200 OK\r\nX: \xe4\xff\r\nY:\r\nZ:\t a \r\nContent-Length: 5\r\n\r\nhello",
            Open,
            kept("hello"),
        ),
        case("bare LF", "HTTP/1.1 200 OK\nX: y\nContent-Length: 5\n\nhello", Open, kept("hello")),
        case("bare LF here and there", "HTTP/1.1 200 OK\r\nX: y\nContent-Length: 5\r\n\nhello", Open, kept("hello")),
        case("bare CR", ok("X: a\rb\r\nContent-Length: 5\r\n", "hello"), Open, Short::Refused),
        case("a folded header", ok("X: a\r\n b\r\nContent-Length: 5\r\n", "hello"), Open, Short::Refused),
        case("no colon", ok("nonsense\r\nContent-Length: 5\r\n", "hello"), Open, Short::Refused),
        case("no name", ok(": x\r\nContent-Length: 5\r\n", "hello"), Open, Short::Refused),
        case("a space before the colon", ok("Content-Length : 5\r\n", "hello"), Open, Short::Refused),
        case("a NUL in a value", ok("X: a\0b\r\nContent-Length: 5\r\n", "hello"), Open, Short::Refused),
        case("a hundred headers", ok(&format!("{hundred}Content-Length: 5\r\n"), "hello"), Open, kept("hello")),
        case(
            "a hundred and one",
            ok(&format!("{hundred}A: b\r\nContent-Length: 5\r\n"), "hello"),
            Open,
            Short::Refused,
        ),
        case("a head of 200 kB", huge(200_000), Open, kept("hello")),
        case("a head of 300 kB", huge(300_000), Open, Short::Refused).but_hyper(
            kept("hello"),
            "its limit is some 400 KiB, ours 256: four times what http.client takes in a line",
        ),
        case("a head without end", ok(&format!("X: {}", "x".repeat(500_000)), ""), Open, Short::Refused),
        case("an empty line first", format!("\r\n{}", sized("5")), Open, Short::Refused)
            .but_hyper(kept("hello"), "RFC 9112, 2.2 has servers skip it, not clients; http.client refuses as well"),
        case("HTTP/1.2", "HTTP/1.2 200 OK\r\nContent-Length: 5\r\n\r\nhello", Open, Short::Refused),
        case("HTTP/2", "HTTP/2 200 OK\r\nContent-Length: 5\r\n\r\nhello", Open, Short::Refused),
        case("HTTP/0.9", "hello", Close, Short::Refused),
        case("a status of two digits", "HTTP/1.1 20 OK\r\nContent-Length: 5\r\n\r\nhello", Open, Short::Refused),
        case("a status below 100", format!("HTTP/1.1 099 OK\r\n\r\n{}", sized("5")), Open, Short::Refused),
        case(
            "two spaces before the status",
            "HTTP/1.1  200 OK\r\nContent-Length: 5\r\n\r\nhello",
            Open,
            Short::Refused,
        ),
        case("another server's banner", "SSH-2.0-OpenSSH_9.6\r\n", Open, Short::Refused),
        case("nothing", "", Close, Short::Refused),
        case("nothing, reset", "", Reset, Short::Refused),
        case("nothing, open", "", Open, Short::Waits),
        case("half a status line", "HTTP/1.1 20", Close, Short::Refused),
        case("half a head", "HTTP/1.1 200 OK\r\nContent-Le", Close, Short::Refused),
        case("half a head, reset", "HTTP/1.1 200 OK\r\nContent-Le", Reset, Short::Refused),
        case("a head without its empty line", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", Close, Short::Refused),
    ]
}

fn cases() -> Vec<Case> {
    [bodies(), chunks(), framing(), persistence(), interim(), heads()].into_iter().flatten().collect()
}

fn whole(case: &Case) -> Wire {
    Wire::new([case.bytes.clone()], case.end)
}

#[tokio::test(start_paused = true)]
async fn every_response_is_taken_as_the_table_has_it() {
    let mut wrong = String::new();
    for case in cases() {
        let (ours, hypers) = (ours(whole(&case), case.method).await, hypers(whole(&case), case.method).await);
        let expected = case.hyper.as_ref().map_or(&case.ours, |(does, _)| does);
        if Short::from(&ours) != case.ours || Short::from(&hypers) != *expected {
            writeln!(wrong, "{}:\n  ours  {ours:?}\n  hyper {hypers:?}", case.name).unwrap();
        } else if case.hyper.is_none() && ours != hypers {
            writeln!(wrong, "{}: the headers differ:\n  ours  {ours:?}\n  hyper {hypers:?}", case.name).unwrap();
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

#[tokio::test(start_paused = true)]
async fn where_a_response_is_cut_makes_no_difference() {
    for case in cases() {
        let whole = ours(whole(&case), case.method).await;
        let length = case.bytes.len();
        let mut ways: Vec<Vec<Vec<u8>>> = vec![cut(&case.bytes, &[1000]), cut(&case.bytes, &[7, 65_536, 1])];
        if length < 2000 {
            ways.push(cut(&case.bytes, &[1]));
            ways.extend((1..length).map(|at| vec![case.bytes[..at].to_vec(), case.bytes[at..].to_vec()]));
        }
        for pieces in ways {
            let first = pieces.first().map_or(0, Vec::len);
            let cut = ours(Wire::new(pieces, case.end), case.method).await;
            // What is behind the response may come too late to be seen with it; then it is found on the next use.
            assert_eq!(cut, whole, "{}, the first piece being {first} bytes", case.name);
        }
    }
}

#[tokio::test]
async fn sockets_behave_like_the_wire_in_memory() {
    let client = Client::start();
    let mut wrong = String::new();
    let moves = |case: &Case| case.ours != Short::Waits && !matches!(case.hyper, Some((Short::Waits, _)));
    let mut cases = cases().into_iter().filter(moves);
    loop {
        let runs: Vec<_> = cases.by_ref().take(20).map(|case| tokio::spawn(over_tcp(case, client.user()))).collect();
        if runs.is_empty() {
            break;
        }
        for run in runs {
            wrong.extend(soon(run).await.unwrap());
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
}

async fn over_tcp(case: Case, user: User) -> Option<String> {
    let ours = ours_over_tcp(user, serve(case.bytes.clone(), case.end).await, case.method).await;
    let hypers = hypers_over_tcp(serve(case.bytes.clone(), case.end).await, case.method).await;
    let expected = case.hyper.as_ref().map_or(&case.ours, |(does, _)| does).clone();
    let agree = Short::from(&ours) == case.ours && Short::from(&hypers) == expected;
    (!agree).then(|| format!("{}:\n  ours  {ours:?}\n  hyper {hypers:?}\n", case.name))
}
