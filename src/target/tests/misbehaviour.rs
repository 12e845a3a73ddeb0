//! The routes that misbehave, as bytes.

use super::*;

/// What comes back for one GET, and how the connection ends.
fn bytes(target: &Target, path: &str) -> (String, io::Result<()>) {
    let mut client = target.connect();
    client.send(format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n"));
    let (bytes, end) = client.rest();
    (String::from_utf8_lossy(&bytes).into_owned(), end)
}

fn is_reset(end: &io::Result<()>) -> bool {
    end.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::ConnectionReset)
}

fn body(answer: &str) -> &str {
    answer.split_once("\r\n\r\n").unwrap().1
}

#[test]
fn no_answer_at_all() {
    let target = Target::fast();
    let (answer, end) = bytes(&target, "/close");
    assert!(answer.is_empty() && end.is_ok());
    let (answer, end) = bytes(&target, "/reset");
    assert!(answer.is_empty() && is_reset(&end), "{end:?}");
    let counts = target.counts();
    assert_eq!((&counts["requests"], &counts["requests_cut"]), (&json!(2), &json!(2)));
}

#[test]
fn an_end_in_mid_body() {
    let target = Target::fast();
    let (answer, end) = bytes(&target, "/close-mid-body?declared=1000&sent=100");
    assert!(answer.contains("content-length: 1000\r\n") && body(&answer).len() == 100 && end.is_ok());
    let (answer, end) = bytes(&target, "/reset-mid-body?declared=1000&sent=100");
    assert!(answer.contains("content-length: 1000\r\n") && body(&answer).len() == 100 && is_reset(&end));
    assert_eq!(target.counts()["statuses"], json!({}));
}

#[test]
fn an_end_after_an_answer_that_promised_more() {
    let target = Target::fast();
    let (answer, end) = bytes(&target, "/close-after");
    assert!(!answer.to_lowercase().contains("connection:") && body(&answer) == r#"{"ok":true}"# && end.is_ok());
    assert_eq!(target.counts()["requests_finished"], 1);
}

#[test]
fn answers_that_cannot_be_read_in_one_way() {
    let target = Target::fast();
    assert!(!bytes(&target, "/garbage").0.starts_with("HTTP"));
    assert!(body(&bytes(&target, "/bad-chunk").0).starts_with("5\r\nhello\r\nnine\r\n"));
    assert_eq!(bytes(&target, "/two-lengths").0.matches("content-length").count(), 2);
    let both = bytes(&target, "/length-and-chunked").0;
    assert!(both.contains("content-length: 5") && both.contains("transfer-encoding: chunked"));
}

#[test]
fn heads_that_are_too_much() {
    let target = Target::fast();
    assert_eq!(target.get("/huge-header?bytes=200000").header("x-huge").map(str::len), Some(200_000));
    let mut client = target.connect();
    client.send("GET /endless-headers HTTP/1.1\r\n\r\n");
    for _ in 0..100_000 {
        assert_ne!(client.line(), "\r\n");
    }
    drop(client);
    assert_eq!(target.counts_when(|counts| counts["connections_open"] == 0)["requests_cut"], 1);
}

#[test]
fn answers_before_the_answer() {
    let target = Target::fast();
    let mut client = target.connect();
    client.send("GET /informational HTTP/1.1\r\n\r\n");
    assert!(client.head().starts_with("HTTP/1.1 100 "));
    assert!(client.head().starts_with("HTTP/1.1 103 "));
    assert_eq!(client.response(true).status(), 200);
}

#[test]
fn what_is_no_request_is_refused_and_not_counted_as_one() {
    let target = Target::fast();
    for (request, status) in
        [("nonsense\r\n\r\n".to_owned(), 400), (format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "y".repeat(70_000)), 431)]
    {
        let mut client = target.connect();
        client.send(request);
        assert_eq!(client.response(true).status(), status);
        assert!(client.rest().1.is_ok());
    }
    let counts = target.counts();
    assert_eq!((&counts["requests"], &counts["malformed"]), (&json!(0), &json!(2)));
}

#[test]
fn a_body_that_could_be_read_in_two_ways_is_answered_with_400_and_counted_so() {
    let target = Target::fast();
    let mut client = target.connect();
    client.send("POST /echo HTTP/1.1\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc");
    assert_eq!(client.response(true).status(), 400);
    assert!(client.rest().1.is_ok());
    assert_eq!(target.counts()["statuses"], json!({"400": 1}));
}

/// The first `length` bytes of what comes back, and no more are asked for.
fn beginning(target: &Target, path: &str, length: usize) -> String {
    let mut client = target.connect();
    client.send(format!("GET {path} HTTP/1.1\r\nHost: t\r\n\r\n"));
    String::from_utf8_lossy(&client.some(length)).into_owned()
}

#[test]
fn answers_that_never_end() {
    let target = Target::fast();
    let line = beginning(&target, "/endless-header", 500_000);
    assert_eq!(line.lines().count(), 3, "status, server, and one header");
    let interim = beginning(&target, "/endless-interim", 50_000);
    assert!(interim.matches("HTTP/1.1 103 ").count() > 500 && !interim.contains("200"));
    let extension = beginning(&target, "/endless-extension", 50_000);
    assert!(body(&extension).starts_with("5;and=") && !body(&extension).contains('\r'));
    let trailers = beginning(&target, "/endless-trailers", 50_000);
    assert!(body(&trailers).starts_with("5\r\nhello\r\n0\r\nx-trailer: ") && !body(&trailers).contains("\r\n\r\n"));
}

#[test]
fn more_than_was_declared() {
    let target = Target::fast();
    let mut client = target.connect();
    client.send("GET /longer-body?declared=10&sent=20 HTTP/1.1\r\n\r\n");
    assert!(client.head().contains("content-length: 10\r\n"));
    assert_eq!(client.some(20), b"bbbbbbbbbbbbbbbbbbbb");
}
