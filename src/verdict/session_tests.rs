use std::time::Duration;

use super::*;
use crate::stats::Sample;

fn session(checks: &[&str]) -> (Arc<Mutex<Table>>, Session) {
    let table = Arc::new(Mutex::new(Table::new(0.0, true)));
    let checks = checks.iter().map(|check| Check::parse(check).unwrap()).collect();
    // An interval that no test waits for: what ends it is the end of its run.
    let session = Session::start(Arc::clone(&table), checks, Duration::from_hours(1), true, |_| ()).unwrap();
    (table, session)
}

fn record(table: &Mutex<Table>, name: &str, count: u32) {
    for _ in 0..count {
        let sample = Sample {
            response_time_ms: Some(10.0),
            response_length: 1,
            generator_lag: Duration::from_millis(1),
            phases: None,
            at: 1.0,
        };
        held(table).record("GET", name, sample);
    }
}

fn run(table: &Mutex<Table>, session: &Session, name: &str, requests: u32) {
    held(table).clear_all(0.0);
    session.begin(Some(format!("profile {name}")));
    record(table, name, requests);
    session.end();
}

fn numbers(runs: &Value) -> Vec<(u64, u64)> {
    let number = |run: &Value, key: &str| run[key].as_u64().unwrap();
    runs["runs"].as_array().unwrap().iter().map(|run| (number(run, "run"), number(run, "requests"))).collect()
}

#[test]
fn nothing_is_recorded_before_the_first_run() {
    let (table, session) = session(&[]);
    record(&table, "/early", 3);
    assert_eq!((session.run(), session.runs()["runs"].as_array().unwrap().len()), (0, 0));
    assert_eq!(session.timeline_event(&mut Seen::default()), None);
}

#[test]
fn each_run_is_kept_with_its_entries_beside_those_after_it() {
    let (table, session) = session(&[]);
    run(&table, &session, "/a", 3);
    run(&table, &session, "/b", 5);
    assert_eq!(numbers(&session.runs()), [(1, 3), (2, 5)]);
    let runs = session.runs();
    assert_eq!((&runs["runs"][0]["profile"], runs["runs"][1]["ended"].is_number()), (&json!("profile /a"), true));
    assert_eq!(session.timeline(Some(1)).unwrap()["timeline"]["total"]["requests"], json!([3]));
    assert_eq!(session.timeline(None).unwrap()["run"], 2);
    assert_eq!(session.entry(Some(1), "GET", "/a").unwrap()["requests"], json!([3]));
    assert_eq!(session.entry(Some(2), "GET", "/a").unwrap()["requests"], json!([0]));
    assert_eq!(session.entry(Some(3), "GET", "/a"), None);
    assert_eq!(session.timeline(Some(3)), None);
}

#[test]
fn only_the_last_runs_are_kept() {
    let (table, session) = session(&[]);
    (0..14).for_each(|_| run(&table, &session, "/", 1));
    let kept: Vec<u64> = numbers(&session.runs()).into_iter().map(|(number, _)| number).collect();
    assert_eq!(kept, (4..=14).collect::<Vec<_>>());
}

#[test]
fn what_comes_after_the_end_is_part_of_the_run_and_idle_time_is_not() {
    let (table, session) = session(&[]);
    run(&table, &session, "/", 2);
    let seconds = session.recorder().timeline().seconds();
    record(&table, "/", 1);
    session.recorder().close();
    assert_eq!(numbers(&session.runs()), [(1, 3)]);
    assert!(session.recorder().timeline().seconds() < seconds + 0.01);
}

#[test]
fn an_annotation_is_told_with_its_run() {
    let (table, session) = session(&[]);
    held(&table).annotate("before all", 1.0);
    for text in ["one", "two"] {
        held(&table).clear_all(0.0);
        session.begin(None);
        held(&table).annotate(text, 2.0);
        session.end();
    }
    let said = session.annotations();
    let said: Vec<_> = said["annotations"].as_array().unwrap().iter().map(|a| (&a["text"], &a["run"])).collect();
    assert_eq!(said, [(&json!("before all"), &json!(0)), (&json!("one"), &json!(1)), (&json!("two"), &json!(2))]);
}

#[test]
fn checks_are_judged_while_the_run_goes_on() {
    let (table, session) = session(&["requests >= 5", "GET /b: p95 < 1s"]);
    held(&table).clear_all(0.0);
    session.begin(None);
    record(&table, "/b", 2);
    let checks = session.checks();
    let passed: Vec<_> = checks["checks"].as_array().unwrap().iter().map(|check| &check["passed"]).collect();
    assert_eq!(passed, [&json!(false), &json!(true)]);
    assert_eq!(session.settle().outcomes.len(), 2);
    assert_eq!(session.knee()["found"], false);
    assert_eq!(session.lag()["count"], 2);
}
