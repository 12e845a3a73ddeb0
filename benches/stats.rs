//! What counting one request costs, what a row weighs, what a worker's report costs its master, and what who looks on
//! costs it.

use std::hint::black_box;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use gregaria::cluster::master::Fleet;
use gregaria::cluster::message;
use gregaria::cluster::report::read::Report;
use gregaria::cluster::report::{Master, Reporter};
use gregaria::http::Phases;
use gregaria::stats::{ErrorText, Sample, Table};
use gregaria::verdict::Session;
use gregaria::web::{Settings, Shared, Status};

fn sample(i: u64) -> Sample {
    Sample {
        response_time_ms: Some(1.0 + (i % 977) as f64 * 0.731),
        response_length: 512,
        generator_lag: Duration::from_micros(i % 300),
        phases: Some(phases(i)),
        at: 1_767_225_600.0 + i as f64 / 50_000.0,
    }
}

/// As most are: on a connection kept alive.
fn phases(i: u64) -> Phases {
    Phases { nanoseconds: [0, 0, 0, i % 30_000, i % 977_000, i % 50_000], opened: 0, reused: 1 }
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|i| format!("/api/products/{i}/reviews")).collect()
}

fn record(c: &mut Criterion) {
    for rows in [1, 20, 500] {
        let names = names(rows);
        let mut table = Table::new(1_767_225_600.0, true);
        let mut i = 0u64;
        c.bench_function(&format!("record, {rows} rows"), |b| {
            b.iter(|| {
                i += 1;
                table.record(black_box("GET"), &names[i as usize % rows], sample(i));
            });
        });
    }
}

fn record_error(c: &mut Criterion) {
    let mut table = Table::new(1_767_225_600.0, true);
    let error = ErrorText::of_text("HTTPError('503 Server Error: Service Unavailable for url: /api/cart')");
    c.bench_function("record_error", |b| {
        b.iter(|| table.record_error(black_box("GET"), "/api/cart", error, 1_767_225_600.0));
    });
}

/// Three seconds of 500 entries, as a worker reports them: written by it, read and merged by its master. 1500 workers send
/// 500 of them in a second, so that this many microseconds for an entry are four times as many percent of a core.
fn report(c: &mut Criterion) {
    const ENTRIES: usize = 500;
    let names = names(ENTRIES);
    let mut group = c.benchmark_group("report");
    group.throughput(Throughput::Elements(ENTRIES as u64));
    for (to, whose) in [(Master::Ours, "ours"), (Master::Locusts, "Locust's")] {
        for requests in [1, 6, 60] {
            let worker = Mutex::new(Table::new(1_767_225_600.0, false));
            let written = || {
                for i in 0..ENTRIES * requests {
                    let at = 1_767_225_600.0 + 3.0 * i as f64 / (ENTRIES * requests) as f64;
                    let sample = Sample { at, ..sample((i * 7919) as u64) };
                    worker.lock().expect("nobody panics").record("GET", &names[i % ENTRIES], sample);
                }
                Reporter::new().write(&worker, &[("Visitor".into(), 10)], 1_767_225_603.0, to).1
            };
            let data = written();
            eprintln!("{whose}, {requests} requests an entry: {} bytes", data.len());
            let mut master = Table::new(1_767_225_600.0, true);
            let mut reports = 0;
            group.bench_function(format!("merge {whose}, {requests} requests an entry"), |b| {
                b.iter(|| {
                    reports += 1;
                    let report = Report::read(black_box(&data)).expect("it is one");
                    report.add_to(&mut master, 1_767_225_603.0, f64::from(reports) / 500.0);
                });
            });
        }
    }
    group.finish();
}

/// A master with 500 entries and 1500 workers, each of which has reported: what is polled, and what only our page shows.
fn look_on(c: &mut Criterion) {
    const ROWS: usize = 500;
    const WORKERS: usize = 1500;
    let names = names(ROWS);
    let table = Arc::new(Mutex::new(Table::new(1_767_225_600.0, true)));
    let fleet = Arc::new(Fleet::new(Arc::clone(&table)));
    let worker = Mutex::new(Table::new(1_767_225_600.0, false));
    let report = |seed: usize| {
        for i in 0..ROWS * 6 {
            worker.lock().expect("nobody panics").record("GET", &names[i % ROWS], sample((seed * 7919 + i) as u64));
        }
        Reporter::new().write(&worker, &[("Visitor".into(), 10)], 1_767_225_603.0, Master::Ours).1
    };
    let reports: Vec<_> = (0..16).map(report).collect();
    for (place, data) in (0..WORKERS).zip(reports.iter().cycle()) {
        let node = place.to_string();
        fleet.take(&node, &message::encode("client_ready", &"2.47.0".into(), &node), 1_767_225_600.0);
        fleet.take(&node, &message::encode_raw("stats", data, &node), 1_767_225_603.0);
    }
    let session = Session::start(table, Vec::new(), Duration::from_hours(1), true, |_| {}).expect("a thread");
    let settings = Settings { kept: Duration::ZERO, ..Settings::default() };
    let shared = Shared::new(settings, Arc::new(session));
    shared.set_status(Status { has_runner: true, state: "running".into(), ..Status::default() });
    shared.follow_fleet(Arc::clone(&fleet));
    let mut group = c.benchmark_group("look on");
    group.bench_function("/stats/requests", |b| b.iter(|| shared.builtin("/stats/requests", "", &[])));
    group.bench_function("/metrics", |b| b.iter(|| shared.builtin("/metrics", "", &[])));
    group.bench_function("the workers' figures", |b| b.iter(|| fleet.workers()));
    group.finish();
}

/// Half a minute at 50,000 requests a second, by what the process grows: allocator, spare room and all.
fn weigh(_: &mut Criterion) {
    const ROWS: usize = 500;
    let names = names(ROWS);
    let before = resident_bytes();
    let mut table = Table::new(1_767_225_600.0, true);
    for i in 0..1_500_000 {
        table.record("GET", &names[i as usize % ROWS], sample(i));
    }
    eprintln!("{} bytes a row", (resident_bytes() - before) / ROWS);
}

/// Zero where the system is not Linux.
fn resident_bytes() -> usize {
    let Ok(statm) = std::fs::read_to_string("/proc/self/statm") else { return 0 };
    let pages: usize = statm.split_whitespace().nth(1).expect("seven numbers").parse().expect("a number");
    pages * 4096
}

// Weighed first: memory that an earlier bench gave back would not be seen to be taken again.
criterion_group!(benches, weigh, record, record_error, report, look_on);
criterion_main!(benches);
