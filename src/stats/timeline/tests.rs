use super::*;
use crate::stats::Sample;
use proptest::prelude::*;
use std::time::Duration;

fn sample(ms: f64, lag_ms: u64) -> Sample {
    let generator_lag = Duration::from_millis(lag_ms);
    Sample { response_time_ms: Some(ms), response_length: 1, generator_lag, phases: None, at: 1.0 }
}

fn table() -> Mutex<Table> {
    Mutex::new(Table::new(0.0, true))
}

fn record(table: &Mutex<Table>, name: &str, ms: f64) {
    held(table).record("GET", name, sample(ms, 0));
}

#[test]
fn an_interval_holds_what_came_in_it() {
    let (table, mut timeline) = (table(), Timeline::new(1000.0, 5.0, 1.0));
    record(&table, "/a", 10.0);
    held(&table).set_user_count(3);
    timeline.observe(&table, 1001.0, 6.0);
    timeline.observe(&table, 1002.0, 7.0);
    record(&table, "/a", 30.0);
    record(&table, "/b", 50.0);
    timeline.observe(&table, 1003.0, 8.0);
    let requests: Vec<_> = timeline.intervals().iter().map(|interval| interval.counts.requests).collect();
    assert_eq!(requests, [1, 0, 2]);
    assert_eq!(timeline.intervals()[0].users, (0, 3));
    assert_eq!(timeline.entries()[0].counts.iter().map(|(place, _)| *place).collect::<Vec<_>>(), [0, 2]);
    let (seconds, recent) = timeline.recent(2.0, |_| true, true);
    assert_eq!((seconds, recent.requests, recent.average_ms()), (2.0, 2, Some(40.0)));
    let (_, of_b) = timeline.recent(2.0, |entry| &*entry.name == "/b", false);
    assert_eq!(of_b.requests, 1);
    let json = timeline.to_json();
    assert_eq!(json["total"]["requests"], serde_json::json!([1, 0, 2]));
    assert_eq!(json["entries"]["rows"][1]["avg_ms"], serde_json::json!([null, null, 50.0]));
}

#[test]
fn an_emptied_table_is_a_new_run_and_a_zeroed_one_is_not() {
    let (table, mut timeline) = (table(), Timeline::new(1000.0, 0.0, 1.0));
    record(&table, "/a", 10.0);
    timeline.observe(&table, 1001.0, 1.0);
    held(&table).clear_all(1.0);
    record(&table, "/b", 10.0);
    timeline.observe(&table, 1002.0, 2.0);
    assert_eq!((timeline.intervals().len(), timeline.started(), timeline.entries().len()), (1, 1001.0, 1));
    held(&table).reset_all(2.0);
    record(&table, "/b", 10.0);
    timeline.observe(&table, 1003.0, 3.0);
    assert_eq!((timeline.intervals().len(), timeline.counted_from()), (2, 1.0));
    assert_eq!(timeline.total_slices()["requests"], serde_json::json!([1]));
}

#[test]
fn a_saturated_generator_is_named_and_so_is_the_time_it_was_stuck() {
    let (table, mut timeline) = (table(), Timeline::new(0.0, 0.0, 1.0));
    for second in 1..=5u32 {
        if second == 5 {
            (0..50).for_each(|_| held(&table).record("GET", "/", sample(5.0, 2500)));
        } else if second < 3 {
            (0..50).for_each(|_| held(&table).record("GET", "/", sample(5.0, 1)));
        }
        timeline.observe(&table, f64::from(second), f64::from(second));
    }
    assert_eq!(timeline.to_json()["saturated"], serde_json::json!([[2.0, 5.0]]));
}

#[test]
fn the_last_stub_is_part_of_the_interval_before_it() {
    let (table, mut timeline) = (table(), Timeline::new(0.0, 0.0, 1.0));
    record(&table, "/a", 10.0);
    timeline.observe(&table, 1.0, 1.0);
    record(&table, "/a", 10.0);
    timeline.observe(&table, 1.1, 1.1);
    assert_eq!(timeline.intervals().len(), 1);
    assert_eq!((timeline.intervals()[0].counts.requests, timeline.intervals()[0].end), (2, 1.1));
}

#[test]
fn rounds_to_significant_digits() {
    let rounded = [0.0, 0.012_345, 1.234_5, 98.76, 12_345.6, f64::NAN].map(|value| significant(value, 3));
    assert_eq!(rounded, [0.0, 0.0123, 1.23, 98.8, 12_300.0, 0.0]);
}

/// A thousand entries that are all requested all the time.
#[test]
fn eight_hours_of_a_thousand_entries_are_bounded_and_whole() {
    let (table, mut timeline) = (Mutex::new(Table::new(0.0, false)), Timeline::new(0.0, 0.0, 48.0));
    let names: Vec<String> = (0..1000).map(|entry| format!("/entry/{entry}")).collect();
    let (mut at, mut observed) = (0.0, 0);
    while at < 8.0 * 3600.0 {
        at += timeline.interval();
        observed += 1;
        for (place, name) in names.iter().enumerate() {
            record(&table, name, 0.001 * f64::from((place as u32 * 7 + observed) % 128));
        }
        timeline.observe(&table, at, at);
        assert!(timeline.held <= Timeline::MOST_CELLS && timeline.intervals().len() < Timeline::MOST_INTERVALS);
    }
    assert_eq!(timeline.held, timeline.cells());
    assert_eq!(timeline.entries().len(), 1000);
    let requests = |timeline: &Timeline| {
        let entries = timeline.entries().iter().flat_map(|entry| &entry.counts);
        let of_total: u64 = timeline.intervals().iter().map(|interval| interval.counts.requests).sum();
        (of_total, entries.map(|(_, counts)| counts.requests).sum::<u64>())
    };
    let counted = held(&table).total().parts().num_requests;
    assert_eq!(requests(&timeline), (counted, counted));
    assert!(timeline.seconds() >= 8.0 * 3600.0);

    timeline.thin(300, Timeline::MOST_CELLS_KEPT);
    assert!(timeline.held <= Timeline::MOST_CELLS_KEPT && timeline.intervals().len() <= 300);
    assert_eq!(requests(&timeline), (counted, counted));
    let shown = timeline.entry_json(1, "GET", "/entry/7");
    let shown: u64 = shown["requests"].as_array().unwrap().iter().filter_map(serde_json::Value::as_u64).sum();
    assert_eq!(shown, held(&table).row("GET", "/entry/7").unwrap().parts().num_requests);
}

/// Who follows a run knows at every moment what somebody who comes then is told.
#[test]
fn news_put_together_are_the_whole() {
    let (table, mut timeline) = (table(), Timeline::new(1000.0, 0.0, 1.0));
    let (mut seen, mut at, mut wholes) = (Seen::default(), 0.0, 0);
    let (mut ends, mut requests) = (Vec::new(), Vec::new());
    for second in 0..700 {
        at += timeline.interval();
        (0..second % 5).for_each(|_| record(&table, "/a", 10.0));
        timeline.observe(&table, at, at);
        let Some(news) = timeline.news(1, &mut seen) else { continue };
        wholes += u32::from(news["whole"] == true);
        let from = news["from"].as_u64().unwrap() as usize;
        let of = |column: &serde_json::Value| column.as_array().unwrap().clone();
        ends.splice(from.., of(&news["timeline"]["ends_s"]));
        requests.splice(from.., of(&news["timeline"]["total"]["requests"]));
        let whole = timeline.total_json(1);
        assert_eq!(
            (&ends, &requests),
            (&of(&whole["timeline"]["ends_s"]), &of(&whole["timeline"]["total"]["requests"]))
        );
        assert!(ends.len() <= 300);
    }
    assert!((2..6).contains(&wholes), "{wholes}");
    assert_eq!(timeline.news(1, &mut seen), None);
    assert_eq!(timeline.news(2, &mut seen).expect("another run is news")["whole"], true);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(6))]

    /// However long it runs: nothing lost, the whole is the sum of the entries, and there is a bound.
    #[test]
    fn merging_loses_nothing(seconds in prop::collection::vec(prop::collection::vec((0..4u8, 1..1_000_000u64), 0..4), 1..1500)) {
        let (table, mut timeline) = (table(), Timeline::new(0.0, 0.0, 1.0));
        let mut at = 0.0;
        let mut next = 1.0;
        for requests in &seconds {
            at += 1.0;
            for (name, time) in requests {
                record(&table, &name.to_string(), *time as f64 / 1000.0);
            }
            if at >= next {
                timeline.observe(&table, at, at);
                next = at + timeline.interval();
            }
        }
        timeline.observe(&table, at + 1.0, at + 1.0);
        prop_assert!(timeline.intervals().len() < Timeline::MOST_INTERVALS);
        let mut all = Counts::default();
        timeline.intervals().iter().for_each(|interval| all.merge(&interval.counts));
        let mut entries = Counts::default();
        timeline.entries().iter().flat_map(|entry| &entry.counts).for_each(|(_, counts)| entries.merge(counts));
        prop_assert_eq!(&all.times, &entries.times);
        let table = held(&table);
        prop_assert_eq!(&all.times, &Cells::of(&table.total().parts().response_times));
        prop_assert_eq!(all.requests, table.total().parts().num_requests);
    }
}

/// What a worker reports of three seconds, some time after them: `requests` in each.
fn report(table: &Mutex<Table>, seconds: std::ops::Range<u32>, requests: u32) {
    for second in seconds {
        for request in 0..requests {
            let at = f64::from(second) + 0.9 * f64::from(request) / f64::from(requests);
            held(table).record("GET", "/a", Sample { at, ..sample(f64::from(1 + request), 1) });
        }
    }
}

fn fed() -> (Mutex<Table>, Timeline) {
    let table = table();
    held(&table).set_delay(Some(4.0));
    (table, Timeline::new(1000.3, 0.0, 1.0))
}

fn requests(timeline: &Timeline) -> Vec<u64> {
    timeline.intervals().iter().map(|interval| interval.counts.requests).collect()
}

#[test]
fn a_master_has_each_second_in_the_interval_in_which_it_was() {
    let (table, mut timeline) = fed();
    for second in 1001..1040u32 {
        held(&table).set_user_count(u64::from(second) - 1000);
        // Two workers that report every three seconds, each at its own time, the second one of a second that goes on.
        if second % 3 == 0 {
            report(&table, second - 3..second, 10);
        }
        if second % 3 == 1 {
            report(&table, second - 2..second + 1, 20);
        }
        timeline.observe(&table, f64::from(second) + 0.3, f64::from(second) - 1000.0);
    }
    let shown = requests(&timeline);
    assert_eq!((timeline.intervals().len(), timeline.seconds().round()), (35, 35.0));
    assert!(shown[3..].iter().all(|requests| *requests == 30), "{shown:?}");
    // Each has short ones and long ones, and its part of the waits.
    for interval in &timeline.intervals()[3..] {
        let times = &interval.counts.times;
        assert_eq!((times.count(), interval.lag.count()), (30, 30));
        assert!((5.0..12.0).contains(&times.quantile_ms(0.5).unwrap()), "{:?}", times.quantile_ms(0.5));
    }
    // So many users as there were then.
    assert_eq!(timeline.intervals().last().unwrap().users, (33, 34));
    timeline.close_all(39.2);
    assert_eq!(&requests(&timeline)[35..37], [30, 30]);
    let counted = held(&table).total().parts().num_requests;
    assert_eq!(requests(&timeline).iter().sum::<u64>(), counted);
    let of_entry = timeline.entries()[0].counts.iter().map(|(_, counts)| counts.times.count()).sum::<u64>();
    assert_eq!((of_entry, timeline.held), (counted, timeline.cells()));
}

#[test]
fn what_comes_too_late_for_its_second_is_not_lost() {
    let (table, mut timeline) = fed();
    timeline.observe(&table, 1020.3, 20.0);
    report(&table, 1002..1005, 5); // of a worker that was cut off
    report(&table, 1090..1091, 5); // of one whose clock is ahead
    timeline.observe(&table, 1021.3, 21.0);
    timeline.observe(&table, 1040.3, 40.0);
    assert_eq!(requests(&timeline), [0, 15, 5]);
    assert!(!timeline.intervals().iter().any(|interval| interval.end > 37.0));
}

#[test]
fn a_zeroed_table_of_a_master_counts_from_then_on() {
    let (table, mut timeline) = fed();
    report(&table, 1001..1004, 5);
    timeline.observe(&table, 1004.3, 4.0);
    held(&table).reset_all(1005.0);
    report(&table, 1005..1006, 7);
    timeline.observe(&table, 1006.3, 6.0);
    timeline.close_all(12.0);
    assert_eq!(requests(&timeline).iter().sum::<u64>(), 22);
    assert_eq!(timeline.counted_from(), 6.0);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    /// Whenever it comes: nothing lost, nothing twice, and the whole is the sum of the entries.
    #[test]
    fn a_master_loses_nothing(
        steps in prop::collection::vec((0..3u8, 0..12u32, 1..20u32, any::<bool>()), 1..60)
    ) {
        let (table, mut timeline) = fed();
        for (step, (name, ago, count, failed)) in steps.iter().enumerate() {
            let now = 1001 + step as u32;
            let at = f64::from((now + 2).saturating_sub(*ago)) + 0.5;
            for _ in 0..*count {
                held(&table).record("GET", &name.to_string(), Sample { at, ..sample(f64::from(*count), 1) });
            }
            if *failed {
                held(&table).record_error("GET", &name.to_string(), crate::stats::ErrorText::of_text("x"), at);
            }
            timeline.observe(&table, f64::from(now), f64::from(now) - 1000.3);
        }
        timeline.close_all(steps.len() as f64 + 1.0);
        let (mut all, mut entries, mut waits) = (Counts::default(), Counts::default(), 0);
        timeline.intervals().iter().for_each(|interval| all.merge(&interval.counts));
        timeline.intervals().iter().for_each(|interval| waits += interval.lag.count());
        timeline.entries().iter().flat_map(|entry| &entry.counts).for_each(|(_, counts)| entries.merge(counts));
        let table = held(&table);
        let parts = table.total().parts();
        prop_assert_eq!((all.requests, all.failures, waits), (parts.num_requests, parts.num_failures, parts.num_requests));
        prop_assert_eq!((&all.times, entries.requests), (&Cells::of(&parts.response_times), parts.num_requests));
        prop_assert!((all.sum_ms - parts.total_response_time).abs() < 0.001);
        prop_assert_eq!(timeline.held, timeline.cells());
    }

    #[test]
    fn what_is_dealt_out_is_what_there_was(times in prop::collection::vec(1..1_000_000u64, 0..200), shares in prop::collection::vec(0..50u64, 1..6)) {
        let cells = Cells::from_times_ms(times.iter().map(|time| (*time as f64 / 1000.0, 1)));
        let parts = cells.split(&shares);
        let mut sum = Cells::default();
        parts.iter().for_each(|part| sum.merge(part));
        prop_assert_eq!(&sum, &cells);
        let all: u64 = shares.iter().sum();
        for (part, share) in parts.iter().zip(&shares) {
            let due = if all > 0 { *share as f64 / all as f64 * times.len() as f64 } else { 0.0 };
            prop_assert!(all == 0 || (part.count() as f64 - due).abs() <= shares.len() as f64, "{} {}", part.count(), due);
        }
    }
}
