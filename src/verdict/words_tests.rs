use std::sync::Mutex;
use std::time::Duration;

use super::*;
use crate::stats::{ErrorText, Sample};
use crate::verdict::{Check, Judge};

/// `(name, milliseconds, requests)`, with so much lag.
fn table(rows: &[(&str, f64, u32)], lag_ms: u64) -> Table {
    let mut table = Table::new(0.0, true);
    for (name, ms, requests) in rows {
        for _ in 0..*requests {
            let generator_lag = Duration::from_millis(lag_ms);
            let sample =
                Sample { response_time_ms: Some(*ms), response_length: 1, generator_lag, phases: None, at: 1.0 };
            table.record("GET", name, sample);
        }
    }
    table
}

fn said(table: Table, checks: &[&str]) -> Vec<Word> {
    let (table, mut timeline) = (Mutex::new(table), Timeline::new(0.0, 0.0, 1.0));
    timeline.observe(&table, 1.0, 1.0);
    let table = table.into_inner().unwrap();
    let judge = Judge::new(checks.iter().map(|check| Check::parse(check).unwrap()).collect());
    let outcomes = judge.outcomes(&table, &timeline);
    let knee = Knee::of(timeline.intervals());
    words(&Facts { table: &table, timeline: &timeline, outcomes: &outcomes, knee: &knee })
}

fn rules(words: &[Word]) -> Vec<&'static str> {
    words.iter().map(|word| word.rule).collect()
}

fn texts(words: &[Word]) -> String {
    words.iter().map(|word| format!("{}: {}", word.rule, word.text)).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_failure_is_of_a_kind() {
    let kinds = [
        ("HTTPError('503 Server Error: Service Unavailable for url: /x')", Kind::Server),
        ("HTTPError('404 Client Error: Not Found for url: /timeouts')", Kind::Client),
        ("HTTPError('429 Client Error: Too Many Requests for url: /x')", Kind::TooMany),
        ("LocustBadStatusCode(code=401)", Kind::Refused),
        ("LocustBadStatusCode(code=504)", Kind::TimeOut),
        ("ReadTimeout(ReadTimeoutError(\"HTTPConnectionPool(host='a', port=1): Read timed out.\"))", Kind::TimeOut),
        ("ConnectionRefusedError(111, 'Connection refused')", Kind::Connection),
        ("RemoteDisconnected('Remote end closed connection without response')", Kind::Connection),
        ("CatchResponseError('too few items')", Kind::Judged),
        ("AssertionError('HTTP said nothing')", Kind::Judged),
    ];
    for (text, kind) in kinds {
        assert_eq!(Kind::of(text), kind, "{text}");
    }
}

#[test]
fn what_failed_comes_first_and_what_to_do_last() {
    let mut table = table(&[("/a", 10.0, 90), ("/b", 500.0, 10)], 0);
    for (text, times) in [("LocustBadStatusCode(code=500)", 3), ("TimeoutError('timed out')", 8)] {
        for _ in 0..times {
            table.record_error("GET", "/b", ErrorText::of_text(text), 1.0);
        }
    }
    let words = said(table, &["p95 < 100ms, rps > 1", "GET /a: max < 1s", "/never: p50 < 1s"]);
    assert_eq!(rules(&words), ["checks", "errors", "dominates", "next"]);
    insta::assert_snapshot!(texts(&words));
}

#[test]
fn a_saturated_generator_is_said_before_anything_is_concluded() {
    let words = said(table(&[("/a", 10.0, 200)], 80), &[]);
    assert_eq!(rules(&words), ["generator", "next"]);
    insta::assert_snapshot!(texts(&words));
}

#[test]
fn an_uneven_entry_is_named() {
    let words = said(table(&[("/a", 10.0, 490), ("/a", 900.0, 10)], 0), &["p50 < 1s"]);
    assert_eq!(rules(&words), ["tail"]);
}

#[test]
fn a_run_without_requests_is_one_sentence() {
    let words = said(table(&[], 0), &[]);
    assert_eq!(rules(&words), ["nothing"]);
}

#[test]
fn what_workers_could_not_report_is_said() {
    let mut whole = table(&[("/a", 10.0, 5)], 0);
    assert!(!rules(&said(whole.copy(), &[])).contains(&"incomplete"));
    let loss = "Worker w had counted at least 7 requests that it has not reported: they are in no figure.";
    whole.set_losses(vec![loss.into()]);
    assert_eq!(said(whole.copy(), &[])[0].text, format!("The figures are not whole. {loss}"));
    whole.set_losses(vec![loss.into(); 3]);
    assert!(said(whole, &[])[0].text.ends_with("There are 2 more such losses; the log tells of them."));
}
