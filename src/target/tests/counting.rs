//! The counts are exact.

use super::*;

fn exact_under_eight_connections(threads: &str) {
    let target = Target::start(&["--fast", "--threads", threads]);
    at_once(8, |index| {
        let mut client = target.connect();
        for n in 0..250 {
            assert_eq!(client.get(&format!("/json?n={}", n % 5)).status(), 200);
            assert_eq!(client.post(&format!("/status/50{}", index % 2), &json!({})).status() / 100, 5);
        }
    });
    let counts = target.counts_when(|counts| counts["connections_open"] == 0);
    assert_eq!(counts["requests"], 4000);
    assert_eq!(counts["requests_finished"], 4000);
    assert_eq!((&counts["requests_aborted"], &counts["requests_open"]), (&json!(0), &json!(0)));
    assert_eq!(counts["connections_opened"], 8);
    assert_eq!(counts["statuses"], json!({"200": 2000, "500": 1000, "501": 1000}));
    assert_eq!(counts["by"], json!({"GET /json": 2000, "POST /status/500": 1000, "POST /status/501": 1000}));
    assert_eq!(counts["by_full"]["GET /json?n=3"], 400);
}

#[test]
fn counts_are_exact_under_eight_connections() {
    exact_under_eight_connections("1");
}

#[test]
fn counts_are_exact_over_several_threads() {
    exact_under_eight_connections("3");
}

#[test]
fn an_answer_that_was_read_is_counted() {
    let target = Target::start(&["--threads", "2", "--fast"]);
    let (mut client, mut reader) = (target.connect(), target.connect());
    for n in 1..300 {
        client.get(if n % 2 == 0 { "/json" } else { "/bytes/40000" });
        assert_eq!(reader.get("/witness/counts").json()["requests_finished"], n);
    }
}

#[test]
fn a_client_that_goes_away_early_is_said_apart() {
    let target = Target::fast();
    target.get("/json");
    for request in ["GET /delay?ms=60000 HTTP/1.1\r\n\r\n", "POST /echo HTTP/1.1\r\nContent-Length: 10\r\n\r\nabc"] {
        let mut client = target.connect();
        client.send(request);
        target.counts_when(|counts| counts["requests_open"] == 1);
    }
    let counts = target.counts_when(|counts| counts["connections_open"] == 0);
    assert_eq!((&counts["requests"], &counts["requests_finished"]), (&json!(3), &json!(1)));
    assert_eq!((&counts["requests_aborted"], &counts["requests_open"]), (&json!(2), &json!(0)));
    assert_eq!(counts["statuses"], json!({"200": 1}));
}

#[test]
fn a_client_that_leaves_a_large_body_unread_is_aborted() {
    let target = Target::fast();
    let mut client = target.connect();
    client.send("GET /bytes/1000000000 HTTP/1.1\r\n\r\n");
    client.head();
    assert_eq!(target.counts()["requests_open"], 1);
    drop(client);
    assert_eq!(target.counts_when(|counts| counts["connections_open"] == 0)["requests_aborted"], 1);
}

#[test]
fn readers_leave_no_trace_and_reset_zeroes() {
    let target = Target::fast();
    let mut client = target.connect();
    client.get("/json");
    for _ in 0..3 {
        assert_eq!(target.counts()["requests"], 1);
    }
    assert_eq!(target.counts_when(|counts| counts["connections_open"] == 1)["connections_opened"], 1);
    assert_eq!(target.post("/witness/reset", &json!({})).status(), 200);
    let counts = target.counts();
    assert_eq!((&counts["requests"], &counts["connections_opened"]), (&json!(0), &json!(0)));
    assert_eq!((&counts["by_full"], &counts["connections_open"]), (&json!({}), &json!(1)));
}

#[test]
fn requests_are_kept_word_for_word_once_that_is_asked_for() {
    let target = Target::fast();
    target.get("/json");
    assert_eq!(target.get("/witness/requests").json(), json!([]));
    target.post("/witness/record", &json!({}));
    target.connect().request("PUT", "/echo?a=%20", "X-One: 1\r\nx-one: 2\r\n", "body");
    let kept = target.get("/witness/requests").json();
    assert_eq!(kept.as_array().unwrap().len(), 1);
    assert_eq!((&kept[0]["method"], &kept[0]["target"]), (&json!("PUT"), &json!("/echo?a=%20")));
    assert_eq!((&kept[0]["body"], &kept[0]["body_length"]), (&json!("body"), &json!(4)));
    let headers = json!([["Host", "t"], ["Content-Length", "4"], ["X-One", "1"], ["x-one", "2"]]);
    assert_eq!(kept[0]["headers"], headers);
    target.post("/witness/reset", &json!({}));
    target.get("/json");
    assert_eq!(target.get("/witness/requests").json(), json!([]));
}
