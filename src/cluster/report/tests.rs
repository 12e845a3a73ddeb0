//! What is merged is what was counted, however it was split up; what is lost or comes twice is noticed.

use std::sync::Mutex;
use std::time::Duration;

use proptest::prelude::*;
use rmpv::Value;

use super::*;
use crate::cluster::message::field;
use crate::http::{Phase, Phases};
use crate::stats::{ErrorText, Histogram, Sample, Table, locust_bucket};
use crate::sync::held;

/// Written down from a worker of Locust 2.47.0: requests with a time, without one, with a whole one and with none.
const OF_LOCUST: &[u8] = include_bytes!("locust-2.47.0.report");

fn table() -> Mutex<Table> {
    Mutex::new(Table::new(1000.0, true))
}

fn sample(time: f64, at: f64) -> Sample {
    let mut phases = Phases { reused: 1, ..Phases::default() };
    phases.add(Phase::Waiting, Duration::from_secs_f64(time / 1000.0));
    let generator_lag = Duration::from_micros(time as u64 % 977);
    Sample { response_time_ms: Some(time), response_length: 7, generator_lag, phases: Some(phases), at }
}

fn record(table: &Mutex<Table>, name: &str, time: f64, at: f64) {
    table.lock().unwrap().record("GET", name, sample(time, at));
}

fn users(count: u64) -> Vec<(String, u64)> {
    vec![("Visitor".into(), count), ("Buyer".into(), 0)]
}

/// A worker that counts and reports.
struct Worker {
    table: Mutex<Table>,
    reporter: Reporter,
}

impl Worker {
    fn new() -> Self {
        Self { table: Mutex::new(Table::new(1000.0, false)), reporter: Reporter::new() }
    }

    fn report(&mut self, to: Master) -> Vec<u8> {
        self.reporter.write(&self.table, &users(3), 1003.0, to).1
    }

    fn counts(&self, requests: u32) {
        (0..requests).for_each(|_| record(&self.table, "/", 5.0, 1001.0));
    }
}

/// Everything a table has counted, to be compared: sums of floats depend on the order they are added in.
fn figures(table: &Mutex<Table>) -> Vec<String> {
    let table = table.lock().unwrap();
    let quantiles = [0.0, 0.25, 0.5, 0.66, 0.9, 0.99, 0.999, 1.0];
    let row = |row: &crate::stats::Row| {
        let parts = row.parts();
        format!(
            "{} {} {} {} {} {:.3} {:?} {} {} {:?} {:?} {:?} {:?} {:?}",
            row.name,
            row.method,
            parts.num_requests,
            parts.num_none_requests,
            parts.num_failures,
            parts.total_response_time,
            parts.min_response_time,
            parts.max_response_time,
            parts.total_content_length,
            parts.phases,
            parts.response_times.cells().collect::<Vec<_>>(),
            parts.requests_per_second,
            parts.failures_per_second,
            quantiles.map(|quantile| (row.percentile(quantile), row.quantile_ms(quantile))),
        )
    };
    let mut all: Vec<_> = table.sorted_rows().into_iter().map(row).collect();
    all.push(row(table.total()));
    all.extend(table.errors().sorted_by_key().iter().map(|error| format!("{error:?}")));
    all.push(format!("{:?} {:?}", table.lag().longest().as_micros(), table.lag().waits().cells().collect::<Vec<_>>()));
    all
}

#[test]
fn a_report_of_locusts_is_read_whole() {
    let (mut reports, master) = (Reports::default(), table());
    let merged = reports.merge("w", OF_LOCUST, &master, 2000.0).unwrap();
    assert_eq!((merged.users, merged.requests), (vec![("A".to_owned(), 2)], 600));
    let table = master.lock().unwrap();
    let rows: Vec<_> =
        table.rows().iter().map(|row| (&*row.name, row.parts().num_requests, row.percentile(0.5))).collect();
    assert_eq!(rows, [("/a", 120, 12), ("/b", 120, 0), ("/zero", 120, 0), ("/zf", 120, 0), ("/int", 120, 3)]);
    let (total, a) = (table.total().parts(), table.row("GET", "/a").unwrap().parts());
    assert_eq!((total.num_requests, total.num_none_requests, total.num_failures), (600, 120, 240));
    assert_eq!((a.min_response_time, a.max_response_time, a.total_content_length), (Some(12.34), 12.34, 1200));
    assert_eq!(a.requests_per_second.iter().map(|(_, count)| count).collect::<Vec<_>>(), [10, 40, 38, 32]);
    let errors: Vec<_> = table.errors().iter().map(|error| (error.text.as_str(), error.occurrences)).collect();
    assert_eq!(errors, [("ValueError('boom')", 120), ("text", 120)]);
    assert!(table.errors().get("796c024f8d25f86c3c0f35dbb767bde7c9eb1039c1b2e2e1f256bbef77dbdf13").is_some());
}

#[test]
fn towards_locust_only_its_own_keys_are_sent_and_in_its_order() {
    let mut worker = Worker::new();
    worker.counts(2);
    worker.table.lock().unwrap().record_error("GET", "/", ErrorText::of_text("x"), 1001.5);
    let keys = |value: &Value| {
        value.as_map().unwrap().iter().map(|(key, _)| key.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let decode = |data: &[u8]| rmpv::decode::read_value(&mut &*data).unwrap();
    let theirs = decode(OF_LOCUST);
    let mine = decode(&worker.report(Master::Locusts));
    assert_eq!(keys(&mine), keys(&theirs));
    let entry = |data: &Value| field(data, "stats").unwrap().as_array().unwrap()[0].clone();
    assert_eq!(keys(&entry(&mine)), keys(&entry(&theirs)));
    assert_eq!(keys(field(&mine, "stats_total").unwrap()), keys(&entry(&theirs)));
    let error = |data: &Value| field(data, "errors").unwrap().as_map().unwrap()[0].1.clone();
    assert_eq!(keys(&error(&mine)), keys(&error(&theirs)));
    assert_eq!(field(&entry(&mine), "response_times").unwrap(), &Value::Map(vec![(5.into(), 2.into())]));
    assert_eq!(field(&entry(&mine), "num_reqs_per_sec").unwrap(), &Value::Map(vec![(1001.into(), 2.into())]));
    // Nothing new: no entry, no error, the total with whole zeros, as Python has them.
    let empty = decode(&worker.report(Master::Locusts));
    let total = field(&empty, "stats_total").unwrap();
    for (key, value) in
        [("total_response_time", 0.into()), ("max_response_time", 0.into()), ("min_response_time", Value::Nil)]
    {
        assert_eq!(field(total, key), Some(&value));
    }
    assert_eq!(field(total, "start_time"), Some(&Value::from(1003.0)));
    assert_eq!(
        (field(&empty, "stats"), field(&empty, "errors")),
        (Some(&Value::Array(vec![])), Some(&Value::Map(vec![])))
    );
}

#[test]
fn what_a_peer_leaves_out_is_what_a_fresh_entry_has() {
    let mut writer = bytes::Writer::default();
    writer.map(4);
    writer.text("stats");
    writer.array(1);
    let entry = |writer: &mut bytes::Writer| {
        writer.map(4);
        for (key, value) in [("name", "/go"), ("method", "GET"), ("whatever", "else")] {
            writer.text(key);
            writer.text(value);
        }
        writer.text("num_requests");
        writer.count(2);
    };
    entry(&mut writer);
    writer.text("stats_total");
    entry(&mut writer);
    for key in ["errors", "user_classes_count"] {
        writer.text(key);
        writer.map(0);
    }
    let (mut reports, master) = (Reports::default(), table());
    reports.merge("go", &writer.0, &master, 2000.0).unwrap();
    let table = master.lock().unwrap();
    let row = table.row("GET", "/go").unwrap();
    assert_eq!((row.parts().num_requests, row.parts().start_time, row.percentile(0.5)), (2, 2000.0, 0));
}

#[test]
fn a_report_that_is_broken_anywhere_changes_nothing() {
    let mut worker = Worker::new();
    worker.counts(3);
    let whole = worker.report(Master::Ours);
    let (mut reports, master) = (Reports::default(), table());
    let before = figures(&master);
    for end in 0..whole.len() {
        assert!(reports.merge("w", &whole[..end], &master, 1003.0).is_err(), "{end}");
    }
    assert_eq!(figures(&master), before);
    let refused = reports.merge("w", &[0x80], &master, 1003.0).unwrap_err();
    assert_eq!(refused.to_string(), "`stats` is missing");
    assert!(reports.merge("w", &whole, &master, 1003.0).is_ok());
}

/// A report without figures but these.
fn report_of(entries: usize, entry: &[u8], classes: usize) -> Vec<u8> {
    let mut writer = bytes::Writer::default();
    writer.map(4);
    writer.text("stats");
    writer.array(entries);
    writer.0.extend(entry.repeat(entries));
    writer.text("stats_total");
    writer.0.extend(b"\x82\xa4name\xa0\xa6method\xa0");
    writer.text("errors");
    writer.map(0);
    writer.text("user_classes_count");
    writer.map(classes);
    writer.0.extend(b"\xa0\x00".repeat(classes));
    writer.0
}

#[test]
fn a_report_of_more_than_anybody_measures_is_refused() {
    let (mut reports, master) = (Reports::default(), table());
    let mut merge = |data: Vec<u8>| reports.merge("w", &data, &master, 1003.0).map_err(|why| why.to_string());
    let entry = |seconds: u64| {
        let mut writer = bytes::Writer(b"\x83\xa4name\xa0\xa6method\xa0".to_vec());
        writer.text("num_reqs_per_sec");
        writer.pairs((0..seconds as u32).rev().map(|second| (u64::from(second), 1)));
        writer.0
    };
    assert!(merge(report_of(3, &entry(86_400), 3)).is_ok());
    assert_eq!(
        merge(report_of(1, &entry(86_401), 3)).unwrap_err(),
        "`stats`[0]: `num_reqs_per_sec`: there are 86401, more than 86400"
    );
    // Fifteen bytes each on their way, and more than two hundred here.
    assert_eq!(
        merge(report_of(4_000_000, &entry(0)[..15], 0)).unwrap_err(),
        "`stats`: there are 4000000, more than 100000"
    );
    assert_eq!(merge(report_of(0, b"", 10_001)).unwrap_err(), "`user_classes_count`: there are 10001, more than 10000");
}

/// The part of a report that only ours have, changed.
fn with_own(report: &[u8], change: impl Fn(&mut Vec<(Value, Value)>)) -> Vec<u8> {
    let mut data = rmpv::decode::read_value(&mut &*report).unwrap();
    let Value::Map(pairs) = &mut data else { panic!("a report is a map") };
    let (_, own) = pairs.iter_mut().find(|(key, _)| key.as_str() == Some(KEY)).unwrap();
    let Value::Map(own) = own else { panic!("ours is a map") };
    change(own);
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &data).unwrap();
    bytes
}

fn set(own: &mut Vec<(Value, Value)>, key: &str, to: impl Into<Value>) {
    own.retain(|(name, _)| name.as_str() != Some(key));
    own.push((key.into(), to.into()));
}

#[test]
fn an_entry_that_a_listener_changed_stands_beside_the_others_as_locusts() {
    let (mut worker, mut other) = (Worker::new(), Worker::new());
    worker.counts(2);
    record(&other.table, "/changed", 70.0, 1001.0);
    let theirs = other.report(Master::Locusts);
    let entries = field(&rmpv::decode::read_value(&mut &*theirs).unwrap(), "stats").unwrap().clone();
    let mut data = rmpv::decode::read_value(&mut &*worker.report(Master::Ours)).unwrap();
    let Value::Map(pairs) = &mut data else { panic!("a report is a map") };
    set(pairs, "stats", entries);
    let mut bytes = Vec::new();
    rmpv::encode::write_value(&mut bytes, &data).unwrap();
    let (mut reports, master) = (Reports::default(), table());
    reports.merge("w", &bytes, &master, 1003.0).unwrap();
    let table = master.lock().unwrap();
    let found = |name| table.row("GET", name).map(|row| (row.parts().num_requests, row.percentile(0.5)));
    assert_eq!((found("/"), found("/changed")), (Some((2, 5)), Some((1, 70))));
    assert_eq!(table.total().parts().num_requests, 2);
}

#[test]
fn a_report_without_our_total_has_locusts() {
    let mut worker = Worker::new();
    worker.counts(2);
    let whole = worker.report(Master::Ours);
    let without = with_own(&whole, |own| own.retain(|(key, _)| key.as_str() != Some("total")));
    let (mut reports, master) = (Reports::default(), table());
    assert_eq!(reports.merge("w", &without, &master, 1003.0).unwrap().requests, 2);
    let table = master.lock().unwrap();
    assert_eq!((table.total().parts().num_requests, table.total().parts().phases.calls()), (2, 0));
}

#[test]
fn entries_of_ours_that_are_none_are_refused() {
    let mut worker = Worker::new();
    worker.counts(2);
    let whole = worker.report(Master::Ours);
    let (mut reports, master) = (Reports::default(), table());
    let mut merge = |entry: Vec<Value>| {
        let data = with_own(&whole, |own| set(own, "entries", Value::Array(vec![Value::Array(entry.clone())])));
        reports.merge("w", &data, &master, 1003.0).map_err(|why| why.to_string())
    };
    let length = "`gregaria`: `entries`[0]: an entry is a list of 14 values and a map";
    assert_eq!(merge(vec![0.into(); 13]).unwrap_err(), length);
    let entry = |times: &[u8]| {
        let mut entry = vec![Value::from("/"), "GET".into(), Value::Nil, Value::Nil];
        entry.extend(vec![Value::from(0); 7]);
        entry.extend([times.into(), Value::Map(vec![]), Value::Map(vec![])]);
        entry
    };
    assert_eq!(merge(entry(&[1])).unwrap_err(), "`gregaria`: `entries`[0]: what was measured ends too early");
    let and = |mut entry: Vec<Value>, more: &[Value]| {
        entry.extend_from_slice(more);
        entry
    };
    let added = Value::Map(vec![("slo".into(), Value::Array(vec!["gold".into()]))]);
    assert_eq!(merge(and(entry(&[0]), &["gold".into()])).unwrap_err(), "`gregaria`: `entries`[0]: a map was expected");
    assert_eq!(merge(and(entry(&[0]), &[added.clone(), added.clone()])).unwrap_err(), length);
    assert!(merge(entry(&[0])).is_ok());
    assert!(merge(and(entry(&[0]), &[added])).is_ok());
}

#[test]
fn what_comes_twice_counts_once_and_what_is_lost_is_said() {
    let mut worker = Worker::new();
    let (mut reports, master) = (Reports::default(), table());
    let mut merge = |data: &[u8]| reports.merge("w", data, &master, 1003.0).unwrap();
    worker.counts(2);
    let first = worker.report(Master::Ours);
    assert_eq!(merge(&first).complaints, [""; 0]);
    assert!(merge(&first).is_duplicate);
    worker.counts(40);
    let late = worker.report(Master::Ours);
    worker.counts(2);
    assert_eq!(
        merge(&worker.report(Master::Ours)).complaints,
        ["A report of worker w did not arrive: the 40 requests in it are in no figure."]
    );
    assert_eq!(merge(&late).complaints, ["A report of worker w came late: 40 requests in it count."]);
    assert!(merge(&late).is_duplicate);
    for _ in 0..3 {
        worker.counts(1);
        worker.report(Master::Ours);
    }
    assert_eq!(
        merge(&worker.report(Master::Ours)).complaints,
        ["3 reports of worker w did not arrive: the 3 requests in them are in no figure."]
    );
    // Those of an empty report are nobody's loss.
    worker.report(Master::Ours);
    assert_eq!(merge(&worker.report(Master::Ours)).complaints, [""; 0]);
    assert_eq!(master.lock().unwrap().total().parts().num_requests, 44);
}

/// A heartbeat, and the numbers of the reports that its answer misses.
fn missed(reports: &mut Reports, worker: &Worker) -> Vec<u64> {
    let answer = reports.heartbeat("w", &worker.reporter.heartbeat(&worker.table, 1004.0), 1004.0);
    let missing = field(field(&answer, KEY).unwrap(), "missing").unwrap().as_array().unwrap().clone();
    missing.iter().map(|number| number.as_u64().unwrap()).collect()
}

#[test]
fn what_was_lost_under_way_is_asked_for_until_it_comes_or_another_test_begins() {
    let mut worker = Worker::new();
    let (mut reports, master) = (Reports::default(), table());
    assert_eq!(missed(&mut reports, &worker), [0; 0]);
    let sent: Vec<Vec<u8>> = (1..=4)
        .map(|requests| {
            worker.counts(requests);
            worker.report(Master::Ours)
        })
        .collect();
    assert_eq!(missed(&mut reports, &worker), [1, 2, 3, 4]);
    let merge = |reports: &mut Reports, number: usize| {
        reports.merge("w", &sent[number - 1], &master, 1005.0).unwrap().complaints.join(" ")
    };
    assert_eq!(
        merge(&mut reports, 3),
        "2 reports of worker w did not arrive: the 3 requests in them are in no figure."
    );
    assert_eq!(missed(&mut reports, &worker), [1, 2, 4]);
    assert_eq!(merge(&mut reports, 1), "A report of worker w came late: 1 request in it count.");
    assert_eq!(merge(&mut reports, 4), "");
    assert_eq!(missed(&mut reports, &worker), [2]);
    reports.began();
    assert_eq!(missed(&mut reports, &worker), [0; 0]);
    assert!(reports.merge("w", &sent[1], &master, 1006.0).unwrap().is_duplicate);
    assert_eq!(held(&master).total().parts().num_requests, 8);
    // Of another process under the same name only what it does from here on can be missed.
    let mut other = Worker::new();
    other.report(Master::Ours);
    assert_eq!(missed(&mut reports, &other), [0; 0]);
}

#[test]
fn a_master_that_comes_later_says_what_it_has_not_heard() {
    let mut worker = Worker::new();
    worker.counts(5);
    worker.report(Master::Ours);
    worker.counts(1);
    let (mut reports, master) = (Reports::default(), table());
    let merged = reports.merge("w", &worker.report(Master::Ours), &master, 1003.0).unwrap();
    assert_eq!(
        merged.complaints,
        ["Worker w had reported 5 requests of this test before this master heard of it: they are in no figure."]
    );
    // Another test begins: what was counted before it is nobody's concern.
    worker.table.lock().unwrap().clear_all(1004.0);
    worker.counts(2);
    assert_eq!(reports.merge("w", &worker.report(Master::Ours), &master, 1005.0).unwrap().complaints, [""; 0]);
}

const SILENT: Gone = Gone::Missing { may_have_counted: false };

#[test]
fn of_a_lost_worker_is_said_what_it_had_not_reported() {
    let mut worker = Worker::new();
    let (mut reports, master) = (Reports::default(), table());
    assert_eq!(reports.lost("w", SILENT, 1003.0), None);
    worker.counts(2);
    reports.merge("w", &worker.report(Master::Ours), &master, 1003.0).unwrap();
    assert_eq!(
        reports.lost("w", SILENT, 1004.5).as_deref(),
        Some("What worker w requested in the 1.5 s since its last report is in no figure.")
    );
    worker.counts(7);
    reports.heartbeat("w", &worker.reporter.heartbeat(&worker.table, 1004.0), 1004.0);
    assert_eq!(
        reports.lost("w", SILENT, 1005.0).as_deref(),
        Some("Worker w had counted at least 7 requests that it has not reported: they are in no figure.")
    );
    let merged = reports.merge("w", &worker.report(Master::Ours), &master, 1006.0).unwrap();
    assert_eq!(merged.complaints, ["Worker w has reported what it had counted: nothing of it is missing."]);
    // It stopped its users and went.
    let last = worker.reporter.write(&worker.table, &users(0), 1007.0, Master::Ours).1;
    reports.merge("w", &last, &master, 1007.0).unwrap();
    assert_eq!(reports.lost("w", SILENT, 1008.0), None);
    // It was given users again, and did not come to report them.
    assert_eq!(
        reports.lost("w", Gone::Missing { may_have_counted: true }, 1009.0).as_deref(),
        Some("What worker w requested in the 2.0 s since its last report is in no figure.")
    );
    assert_eq!(
        reports.lost("fresh", Gone::Missing { may_have_counted: true }, 1009.0).as_deref(),
        Some("What worker fresh requested is in no figure: it has never reported.")
    );
    // A worker of Locust's says nothing in between.
    reports.merge("l", OF_LOCUST, &master, 1008.0).unwrap();
    assert_eq!(
        reports.lost("l", SILENT, 1009.0).as_deref(),
        Some("What worker l requested in the 1.0 s since its last report is in no figure.")
    );
}

#[test]
fn times_of_a_worker_whose_clock_is_wrong_are_the_masters() {
    let mut worker = Worker::new();
    let (mut reports, master) = (Reports::default(), table());
    // The worker's clock is 100 s ahead; the heartbeat takes 20 ms each way.
    let answer = reports.heartbeat("w", &worker.reporter.heartbeat(&worker.table, 1100.0), 1000.02);
    worker.reporter.answered(&answer, 1100.04);
    worker.reporter.answered(&Value::Nil, 1100.04);
    record(&worker.table, "/", 5.0, 1101.5);
    worker.table.lock().unwrap().record_error("GET", "/", ErrorText::of_text("x"), 1101.5);
    let data = worker.reporter.write(&worker.table, &users(1), 1103.0, Master::Ours).1;
    let merged = reports.merge("w", &data, &master, 1003.0).unwrap();
    assert_eq!(
        merged.complaints,
        ["The clock of worker w is 100.0 s ahead of this machine's (±0.020 s): its times are corrected."]
    );
    let table = master.lock().unwrap();
    let row = table.row("GET", "/").unwrap().parts();
    assert!((row.last_request_timestamp.unwrap() - 1001.5).abs() < 0.03);
    assert_eq!(row.requests_per_second.iter().collect::<Vec<_>>(), [(1001, 1)]);
    assert!((table.errors().iter().next().unwrap().first_seen.unwrap() - 1001.5).abs() < 0.03);
    let (offset, error) = reports.figures("w").unwrap().offset.unwrap();
    assert!((offset + 100.0).abs() <= error + 1e-6 && (error - 0.02).abs() < 1e-6);
}

#[test]
fn of_each_worker_is_known_what_it_did() {
    let (mut reports, master) = (Reports::default(), table());
    let mut worker = Worker::new();
    for report in 0..4 {
        worker.counts(30);
        let data = worker.report(Master::Ours);
        reports.merge("w", &data, &master, 1000.0 + 3.0 * f64::from(report)).unwrap();
    }
    let figures = reports.figures("w").unwrap();
    assert_eq!((figures.requests, figures.failures, figures.rps, figures.last_report), (120, 0, 10.0, Some(1009.0)));
    assert_eq!((figures.lag.0, figures.lag.4), (120, 0.005));
    master.lock().unwrap().reset_all(1010.0);
    let mut counts_on = |reports: &mut Reports| {
        worker.counts(5);
        reports.merge("w", &worker.report(Master::Ours), &master, 1012.0).unwrap();
        reports.figures("w").unwrap().requests
    };
    assert_eq!((counts_on(&mut reports), counts_on(&mut reports)), (5, 10));
    reports.began();
    assert_eq!(reports.figures("w").unwrap().requests, 0);
    assert_eq!(reports.figures("nobody"), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Done when fleet percentiles equal those of all samples in one histogram.
    #[test]
    fn a_fleet_counts_as_one_process_would(
        samples in prop::collection::vec((0..4usize, 0..6u8, 0.0..200_000.0f64, 0..30u8, any::<bool>(), any::<bool>()), 0..250)
    ) {
        let (one, fleet) = (table(), table());
        let mut samples = samples;
        samples.sort_by_key(|sample| sample.3); // nobody's time goes backwards
        let mut reports = Reports::default();
        let mut workers: Vec<_> = (0..4).map(|_| Worker::new()).collect();
        let mut again: Option<(usize, Vec<u8>)> = None;
        for (place, name, time, second, failed, reports_now) in samples {
            let (name, at) = (format!("/{name}"), 1001.0 + f64::from(second));
            for table in [&one, &workers[place].table] {
                record(table, &name, time, at);
                if failed {
                    table.lock().unwrap().record_error("GET", &name, ErrorText::of_text("x"), at);
                }
            }
            if reports_now {
                let data = workers[place].report(Master::Ours);
                prop_assert!(!reports.merge(&place.to_string(), &data, &fleet, 1033.0).unwrap().is_duplicate);
                if let Some((place, data)) = again.replace((place, data)) {
                    prop_assert!(reports.merge(&place.to_string(), &data, &fleet, 1033.0).unwrap().is_duplicate);
                }
            }
        }
        for (place, worker) in workers.iter_mut().enumerate() {
            let data = worker.report(Master::Ours);
            prop_assert!(reports.merge(&place.to_string(), &data, &fleet, 1033.0).unwrap().complaints.is_empty());
        }
        prop_assert_eq!(figures(&fleet), figures(&one));
    }

    /// From workers of Locust: their rounded response times, and nothing invented.
    #[test]
    fn from_rounded_times_come_rounded_percentiles(times in prop::collection::vec(0.0..200_000.0f64, 1..200)) {
        let (master, mut worker, mut reports) = (table(), Worker::new(), Reports::default());
        times.iter().for_each(|time| record(&worker.table, "/", *time, 1001.0));
        let mut rounded = Histogram::default();
        let recorded = worker.table.lock().unwrap().total().parts().response_times.clone();
        for (time, count) in recorded.values_ms() {
            rounded.record_many_us(locust_bucket(time) as u64 * 1000, count as u32);
        }
        reports.merge("w", &worker.report(Master::Locusts), &master, 1003.0).unwrap();
        let table = master.lock().unwrap();
        let row = table.row("GET", "/").unwrap();
        prop_assert_eq!(row.parts().response_times.cells().collect::<Vec<_>>(), rounded.cells().collect::<Vec<_>>());
        prop_assert_eq!(row.parts().num_requests, times.len() as u64);
    }

    #[test]
    fn whatever_comes_is_merged_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..300), place in 0..2000usize, byte: u8) {
        let (master, mut reports) = (table(), Reports::default());
        let _ = reports.merge("w", &bytes, &master, 1003.0);
        let mut worker = Worker::new();
        worker.counts(20);
        for mut data in [worker.report(Master::Ours), OF_LOCUST.to_vec()] {
            let place = place % data.len();
            data[place] = byte;
            let _ = reports.merge("w", &data, &master, 1003.0);
        }
    }
}
