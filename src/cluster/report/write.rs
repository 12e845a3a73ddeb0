//! The data of a `stats` message.

use super::bytes::Writer;
use super::{KEY, Stamp, compact};
use crate::stats::{Errors, PerSecond, Row, RowParts, Taken, locust_bucket};

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

/// All of it. With a stamp it is for a master of ours: then entries stand under [`KEY`], as lists of their values in the
/// order of [`ENTRY`]. Their keys would be half of the message.
pub fn write(taken: &Taken, users: &[(String, u64)], stamp: Option<&Stamp>) -> Vec<u8> {
    let mut writer = Writer(Vec::with_capacity(512 * (taken.rows.len() + 2)));
    let is_ours = stamp.is_some();
    writer.map(5 + usize::from(is_ours));
    writer.text("stats");
    entries(&mut writer, if is_ours { &[] } else { &taken.rows }, Form::Locusts);
    writer.text("stats_total");
    entry(&mut writer, &taken.total, Form::Locusts);
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
        writer.map(Stamp::KEYS + 3);
        stamp.write(&mut writer);
        writer.text("entries");
        entries(&mut writer, &taken.rows, Form::Ours);
        writer.text("total");
        entry(&mut writer, &taken.total, Form::Ours);
        writer.text("lag");
        writer.bin(&lag(taken));
    }
    writer.0
}

#[derive(Clone, Copy, PartialEq)]
enum Form {
    /// A map, with response times rounded as Locust rounds them.
    Locusts,
    /// A list, with all that was measured in their place.
    Ours,
}

fn entries(writer: &mut Writer, rows: &[Row], form: Form) {
    writer.array(rows.len());
    rows.iter().for_each(|row| entry(writer, row, form));
}

fn entry(writer: &mut Writer, row: &Row, form: Form) {
    let parts = row.parts();
    match form {
        Form::Locusts => writer.map(ENTRY.len()),
        Form::Ours => writer.array(ENTRY.len()),
    }
    let mut keys = ENTRY.iter().filter(|_| form == Form::Locusts);
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
    match form {
        Form::Locusts => writer.pairs(rounded(parts.response_times.values_ms()).into_iter()),
        Form::Ours => writer.bin(&measured(parts)),
    }
    for seconds in [&parts.requests_per_second, &parts.failures_per_second] {
        key(writer);
        per_second(writer, seconds);
    }
}

fn measured(parts: &RowParts) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(128);
    compact::put_times(&mut bytes, &parts.response_times, &parts.phases);
    bytes
}

fn whole_zero_if(writer: &mut Writer, is_zero: bool, number: f64) {
    if is_zero { writer.count(0) } else { writer.float(number) }
}

/// Locust's rounded response times of such in ascending order, in milliseconds: neighbouring ones fall into one.
pub fn rounded(times: impl Iterator<Item = (f64, u64)>) -> Vec<(u64, u64)> {
    let mut buckets: Vec<(u64, u64)> = Vec::new();
    for (time, count) in times {
        let bucket = locust_bucket(time).max(0) as u64;
        match buckets.last_mut() {
            Some(last) if last.0 == bucket => last.1 += count,
            _ => buckets.push((bucket, count)),
        }
    }
    buckets
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
