//! Pairs of runs whose truth is known. Seconds in which a server is slow come together: the logarithm of its speed follows
//! an autoregression, shared by all entries, and requests arrive and scatter as they do in the shop of `gregaria target`.

use super::*;
use crate::stats::timeline::Cells;

struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) as f64 + 0.5) / (1u64 << 53) as f64
    }

    fn normal(&mut self) -> f64 {
        (-2.0 * self.uniform().ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos()
    }
}

const ENTRIES: [(&str, f64, f64, f64); 4] = [
    ("/login", 25.0, 0.4, 40.0),
    ("/orders", 12.0, 0.4, 120.0),
    ("/search", 25.0, 0.6, 80.0),
    ("/cart", 8.0, 0.3, 100.0),
];

/// A minute; times of the entry `slow` are longer by `factor`.
fn run(seed: u64, slow: &str, factor: f64, failing: f64) -> RunFile {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let (correlation, scatter) = (0.6f64, 0.03);
    let mut level = scatter * random.normal();
    let mut entries: Vec<Entry> = ENTRIES
        .iter()
        .map(|(name, ..)| Entry { method: "GET".into(), name: (*name).into(), slices: Vec::new(), has_slices: true })
        .collect();
    for _ in 0..60 {
        level = correlation * level + scatter * (1.0 - correlation * correlation).sqrt() * random.normal();
        for (entry, (name, median, spread, rps)) in entries.iter_mut().zip(ENTRIES) {
            let requests = (rps + rps.sqrt() * random.normal()).round().max(0.0) as u64;
            let factor = if name == slow { factor } else { 1.0 };
            let time = |random: &mut Random| median * factor * (level + spread * random.normal()).exp();
            let times = Cells::from_times_ms((0..requests).map(|_| (time(&mut random), 1)).collect::<Vec<_>>());
            let failures = (0..requests).filter(|_| random.uniform() < failing).count() as u64;
            entry.slices.push(Slice { seconds: 1.0, requests, failures, times });
        }
    }
    RunFile { entries }
}

fn quick() -> Settings {
    Settings { replicates: 100, ..Settings::default() }
}

#[test]
fn equal_runs_are_not_claimed_to_differ() {
    let claims = (0..100u64).filter(|pair| {
        let comparison = compare(&run(2 * pair + 1, "", 1.0, 0.01), &run(2 * pair + 2, "", 1.0, 0.01), quick());
        comparison.count(Conclusion::Worse) + comparison.count(Conclusion::Better) > 0
    });
    let claims = claims.count();
    assert!(claims <= 5, "{claims} of 100");
}

#[test]
fn a_tenth_slower_is_found_and_nothing_else() {
    let (mut found, mut others) = (0, 0);
    for pair in 0..100u64 {
        let (slow, ..) = ENTRIES[pair as usize % ENTRIES.len()];
        let comparison = compare(&run(2 * pair + 1001, "", 1.0, 0.01), &run(2 * pair + 1002, slow, 1.1, 0.01), quick());
        let worse: Vec<_> = comparison.changes().filter(|(_, c)| c.conclusion == Conclusion::Worse).collect();
        found += u32::from(worse.iter().any(|(entry, _)| entry.name == slow));
        others += u32::from(worse.iter().any(|(entry, _)| entry.name != slow));
    }
    assert!(found >= 95 && others <= 5, "found {found} of 100, others {others}");
}

#[test]
fn more_failures_are_found_and_a_faster_server_is_better() {
    let comparison = compare(&run(1, "", 1.0, 0.0), &run(2, "/cart", 0.8, 0.03), quick());
    for (entry, change) in comparison.changes().filter(|(_, change)| change.figure == Figure::FailRatio) {
        assert_eq!(change.conclusion, Conclusion::Worse, "{}", entry.name);
    }
    let cart = comparison.entries.iter().find(|entry| entry.name == "/cart").unwrap();
    assert_eq!(cart.changes[0].conclusion, Conclusion::Better);
    assert!(cart.slower_share.unwrap() < 0.4 && (cart.changes[0].effect + 0.2).abs() < 0.06);
}

#[test]
fn what_lies_between_is_said_to_be_unclear_or_the_same() {
    let comparison = compare(&run(1, "", 1.0, 0.0), &run(2, "", 1.0, 0.0), Settings { threshold: 0.5, ..quick() });
    assert!(comparison.count(Conclusion::Same) > 0);
    let comparison = compare(&run(1, "", 1.0, 0.0), &run(2, "", 1.0, 0.0), Settings { threshold: 0.001, ..quick() });
    assert!(comparison.count(Conclusion::Unclear) > 0);
}

#[test]
fn an_entry_of_one_run_only_is_listed_and_not_judged() {
    let (mut base, new) = (run(1, "", 1.0, 0.0), run(2, "", 1.0, 0.0));
    base.entries.remove(0);
    let comparison = compare(&base, &new, quick());
    let login = comparison.entries.iter().find(|entry| entry.name == "/login").unwrap();
    assert!(login.changes.is_empty() && login.requests.0 == 0 && login.requests.1 > 0);
}

#[test]
fn locusts_own_files_are_compared_by_what_they_have() {
    let file = |times: &str| {
        let text = format!(
            r#"[{{"name": "/", "method": "GET", "num_requests": 3000, "num_failures": 0, "start_time": 10.0,
                "last_request_timestamp": 40.0, "response_times": {times}}}]"#
        );
        RunFile::parse(&text).unwrap()
    };
    let (base, slower) = (r#"{"10": 1000, "11": 1000, "12": 1000}"#, r#"{"13": 1000, "14": 1000, "15": 1000}"#);
    let comparison = compare(&file(base), &file(slower), quick());
    assert!(comparison.is_limited);
    let change = &comparison.entries[0].changes[0];
    assert!((change.base - 11.0).abs() < 0.1 && (change.new - 14.0).abs() < 0.1, "{change:?}");
    assert_eq!(change.conclusion, Conclusion::Worse);
    assert_eq!(comparison.entries[0].rps, (100.0, 100.0));
    assert_eq!(compare(&file(base), &file(base), quick()).count(Conclusion::Worse), 0);
}

#[test]
fn what_is_no_such_file_is_said_in_a_sentence() {
    let said = ["", "{}", "[{}]", r#"[{"name": "/", "method": "GET"}]"#].map(|text| RunFile::parse(text).unwrap_err());
    insta::assert_snapshot!("no_such_file", said.join("\n"));
}
