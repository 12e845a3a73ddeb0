//! The data of a `stats` message.

use super::bytes::Writer;
use super::{KEY, Stamp, compact};
use crate::stats::{Errors, Histogram, PerSecond, Row, Taken, locust_bucket};

/// The keys of an entry, in Locust's order.
pub const ENTRY: [&str; 14] = [
    "name",
    "method",
    "last_request_timestamp",
    "start_time",
    "num_requests",
    "num_none_requests",
    "num_failures",
    "total_response_time",
    "max_response_time",
    "min_response_time",
    "total_content_length",
    "response_times",
    "num_reqs_per_sec",
    "num_fail_per_sec",
];

/// All of it. With a stamp it is for a master of ours.
pub fn write(taken: &Taken, users: &[(String, u64)], stamp: Option<&Stamp>) -> Vec<u8> {
    let mut writer = Writer(Vec::with_capacity(512 * (taken.rows.len() + 2)));
    let is_ours = stamp.is_some();
    writer.map(5 + usize::from(is_ours));
    writer.text("stats");
    writer.array(taken.rows.len());
    taken.rows.iter().for_each(|row| entry(&mut writer, row, is_ours));
    writer.text("stats_total");
    entry(&mut writer, &taken.total, is_ours);
    writer.text("errors");
    errors(&mut writer, &taken.errors);
    writer.text("user_classes_count");
    writer.map(users.len());
    for (class, count) in users {
        writer.text(class);
        writer.count(*count);
    }
    writer.text("user_count");
    writer.count(users.iter().map(|(_, count)| count).sum());
    if let Some(stamp) = stamp {
        writer.text(KEY);
        writer.map(Stamp::KEYS + 1);
        stamp.write(&mut writer);
        writer.text("lag");
        writer.bin(&lag(taken));
    }
    writer.0
}

fn entry(writer: &mut Writer, row: &Row, is_ours: bool) {
    let parts = row.parts();
    writer.map(ENTRY.len() + usize::from(is_ours));
    let mut keys = ENTRY.iter();
    let mut key = |writer: &mut Writer| keys.next().into_iter().for_each(|key| writer.text(key));
    key(writer);
    writer.text(&row.name);
    key(writer);
    writer.text(&row.method);
    key(writer);
    writer.optional(parts.last_request_timestamp);
    key(writer);
    writer.float(parts.start_time);
    for count in [parts.num_requests, parts.num_none_requests, parts.num_failures] {
        key(writer);
        writer.count(count);
    }
    key(writer);
    // Python's sums and maxima begin with a whole zero, and stay it until something is added.
    whole_zero_if(writer, parts.min_response_time.is_none(), parts.total_response_time);
    key(writer);
    whole_zero_if(writer, parts.max_response_time == 0.0, parts.max_response_time);
    key(writer);
    writer.optional(parts.min_response_time);
    key(writer);
    writer.count(parts.total_content_length);
    key(writer);
    buckets(writer, &parts.response_times);
    for seconds in [&parts.requests_per_second, &parts.failures_per_second] {
        key(writer);
        per_second(writer, seconds);
    }
    if is_ours {
        let mut bytes = Vec::with_capacity(128);
        compact::put_entry(&mut bytes, &parts.response_times, &parts.phases);
        writer.text(KEY);
        writer.bin(&bytes);
    }
}

fn whole_zero_if(writer: &mut Writer, is_zero: bool, number: f64) {
    if is_zero { writer.count(0) } else { writer.float(number) }
}

/// Locust's rounded response times, ascending: neighbouring cells fall into one.
fn buckets(writer: &mut Writer, histogram: &Histogram) {
    let mut buckets: Vec<(u64, u64)> = Vec::new();
    for (value, count) in histogram.values_ms() {
        let bucket = locust_bucket(value).max(0) as u64;
        match buckets.last_mut() {
            Some(last) if last.0 == bucket => last.1 += count,
            _ => buckets.push((bucket, count)),
        }
    }
    writer.pairs(buckets.into_iter());
}

fn per_second(writer: &mut Writer, seconds: &PerSecond) {
    writer.map(seconds.len());
    for (second, count) in seconds.iter() {
        writer.count(second.max(0) as u64);
        writer.count(count);
    }
}

fn errors(writer: &mut Writer, errors: &Errors) {
    writer.map(errors.len());
    for error in errors.iter() {
        writer.text(&error.key);
        writer.map(6);
        for (key, text) in [("name", &error.name), ("method", &error.method), ("error", &error.text)] {
            writer.text(key);
            writer.text(text);
        }
        writer.text("occurrences");
        writer.count(error.occurrences);
        for (key, at) in [("first_seen", error.first_seen), ("last_seen", error.last_seen)] {
            writer.text(key);
            writer.optional(at);
        }
    }
}

/// How long finished responses waited for Python: the longest in microseconds, and the cells.
fn lag(taken: &Taken) -> Vec<u8> {
    let mut bytes = Vec::new();
    compact::put(&mut bytes, taken.lag.longest().as_micros() as u64);
    compact::put_cells(&mut bytes, taken.lag.waits());
    bytes
}
