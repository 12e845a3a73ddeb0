//! A report as it lies in a message: checked whole, then added to a table.

use std::time::Duration;

use super::bytes::{Malformed, Pairs, Reader, at_most};
use super::compact::{self, Cells};
use super::stamp::{finite, moment};
use super::{KEY, Stamp, write::ENTRY};
use crate::stats::{ErrorText, Histogram, Lag, PhaseTotals, Row, RowParts, Table, microseconds};

type Read<T> = Result<T, Malformed>;

/// How many entries a report may have, and how many failures: each takes a few bytes on its way and some hundred here.
const MOST_ENTRIES: usize = 100_000;
/// How many classes of users.
pub const MOST_CLASSES: usize = 10_000;
/// Response times of an entry that are told apart. Locust rounds them to less than a thousand.
const MOST_TIMES: usize = 1_000_000;
/// Seconds of an entry: a day of them. A worker reports every three.
const MOST_SECONDS: usize = 86_400;

/// The data of a `stats` message. What a peer does not say is what a fresh entry of Locust's has; what nobody knows is
/// passed over.
#[derive(Debug)]
pub struct Report<'a> {
    entries: Vec<Entry<'a>>,
    total: Entry<'a>,
    errors: Vec<Error<'a>>,
    /// How many users of each class run.
    pub users: Vec<(&'a str, u64)>,
    /// Of a worker of ours.
    pub stamp: Option<Stamp>,
    /// How long its finished responses waited for Python.
    lag: &'a [u8],
}

#[derive(Debug, Default)]
struct Entry<'a> {
    name: &'a str,
    method: &'a str,
    requests: u64,
    none_requests: u64,
    failures: u64,
    total_response_time: f64,
    max_response_time: f64,
    min_response_time: Option<f64>,
    content_length: u64,
    start_time: Option<f64>,
    last_request: Option<f64>,
    response_times: Pairs<'a>,
    requests_per_second: Pairs<'a>,
    failures_per_second: Pairs<'a>,
    /// All that was measured; `None` where the rounded response times are all there is.
    measured: Option<(PhaseTotals, Cells<'a>)>,
}

#[derive(Debug)]
struct Error<'a> {
    method: &'a str,
    name: &'a str,
    text: &'a str,
    occurrences: u64,
    seen: (Option<f64>, Option<f64>),
}

impl<'a> Report<'a> {
    pub fn read(data: &'a [u8]) -> Read<Self> {
        let (mut entries, mut total, mut errors, mut users) = (None, None, None, None);
        let (mut own_entries, mut own_total, mut stamp, mut lag) = (Vec::new(), None, None, &[][..]);
        let reader = &mut Reader::new(data);
        for _ in 0..reader.map()? {
            match reader.key()? {
                b"stats" => entries = Some(list(reader, "stats", Entry::read)?),
                b"stats_total" => total = Some(Entry::read(reader).map_err(|cause| within("stats_total", &cause))?),
                b"errors" => errors = Some(read_errors(reader).map_err(|cause| within("errors", &cause))?),
                b"user_classes_count" => {
                    users = Some(read_users(reader).map_err(|cause| within("user_classes_count", &cause))?);
                }
                key if key == KEY.as_bytes() => {
                    let read = Stamp::read(reader, |key, reader| {
                        match key {
                            b"entries" => own_entries = list(reader, "entries", Entry::read_own)?,
                            b"total" => own_total = Some(Entry::read_own(reader)?),
                            b"lag" => lag = reader.bin()?,
                            _ => reader.skip()?,
                        }
                        Ok(())
                    });
                    stamp = Some(read.map_err(|cause| within(KEY, &cause))?);
                }
                _ => reader.skip()?,
            }
        }
        if !reader.is_empty() {
            return Err(Malformed("something follows the report".into()));
        }
        let missing = |key| Malformed(format!("`{key}` is missing"));
        // One of the two is empty, but for what a listener has changed.
        own_entries.append(&mut entries.ok_or_else(|| missing("stats"))?);
        let total = total.ok_or_else(|| missing("stats_total"))?;
        Ok(Self {
            entries: own_entries,
            total: own_total.unwrap_or(total),
            errors: errors.ok_or_else(|| missing("errors"))?,
            users: users.ok_or_else(|| missing("user_classes_count"))?,
            stamp,
            lag,
        })
    }

    /// How many requests it counts, and failures.
    pub fn counted(&self) -> (u64, u64) {
        (self.total.requests, self.total.failures)
    }

    /// The latest request in it, in seconds of the worker's epoch.
    pub fn last_request(&self) -> Option<f64> {
        self.total.last_request
    }

    /// Add everything to a table. `shift`: what is added to the worker's times to have this node's, in seconds.
    pub fn add_to(&self, table: &mut Table, now: f64, shift: f64) {
        for entry in &self.entries {
            entry.add_to(table.row_mut(entry.method, entry.name, now), now, shift);
        }
        self.total.add_to(table.total_mut(), now, shift);
        for error in &self.errors {
            let seen = (error.seen.0.map(|at| at + shift), error.seen.1.map(|at| at + shift));
            let text = ErrorText::of_text(error.text);
            table.errors_mut().add_many(error.method, error.name, text, error.occurrences, seen);
        }
        self.add_lag_to(table.lag_mut());
    }

    pub fn add_lag_to(&self, lag: &mut Lag) {
        let Some((longest, cells)) = compact::take(self.lag) else { return };
        Cells::new(cells).for_each(|(cell, count)| lag.record_cell(cell, count));
        lag.include_longest(Duration::from_micros(longest));
    }
}

impl<'a> Entry<'a> {
    fn read(reader: &mut Reader<'a>) -> Read<Self> {
        let mut entry = Self::default();
        let mut named = 0;
        for place in 0..reader.map()? {
            let key = reader.key()?;
            // Nearly always in Locust's order, so one comparison finds it.
            let expected = ENTRY.get(place).is_some_and(|expected| expected.as_bytes() == key);
            let place = if expected { Some(place) } else { ENTRY.iter().position(|known| known.as_bytes() == key) };
            match place {
                Some(place @ 0..=1) => {
                    let text = reader.text()?;
                    if place == 0 {
                        entry.name = text;
                    } else {
                        entry.method = text;
                    }
                    named |= 1 << place;
                }
                Some(2) => entry.last_request = moment(reader)?,
                Some(3) => entry.start_time = moment(reader)?,
                Some(4) => entry.requests = reader.count()?,
                Some(5) => entry.none_requests = reader.count()?,
                Some(6) => entry.failures = reader.count()?,
                Some(7) => entry.total_response_time = finite(reader)?.unwrap_or(0.0),
                Some(8) => entry.max_response_time = finite(reader)?.unwrap_or(0.0),
                Some(9) => entry.min_response_time = finite(reader)?,
                Some(10) => entry.content_length = reader.count()?,
                Some(11) => entry.response_times = pairs(reader, 11, MOST_TIMES)?,
                Some(12) => entry.requests_per_second = pairs(reader, 12, MOST_SECONDS)?,
                Some(13) => entry.failures_per_second = pairs(reader, 13, MOST_SECONDS)?,
                _ => reader.skip()?,
            }
        }
        if named != 0b11 {
            return Err(Malformed("an entry has no `name` or no `method`".into()));
        }
        Ok(entry)
    }

    /// One of a worker of ours: the values of [`ENTRY`] in their order, and a map of what the worker's listeners have
    /// added, which the master's are shown.
    fn read_own(reader: &mut Reader<'a>) -> Read<Self> {
        let has_more = match reader.list()?.checked_sub(ENTRY.len()) {
            Some(more @ 0..=1) => more == 1,
            _ => return Err(Malformed(format!("an entry is a list of {} values and a map", ENTRY.len()))),
        };
        let entry = Self {
            name: reader.text()?,
            method: reader.text()?,
            last_request: moment(reader)?,
            start_time: moment(reader)?,
            requests: reader.count()?,
            none_requests: reader.count()?,
            failures: reader.count()?,
            total_response_time: finite(reader)?.unwrap_or(0.0),
            max_response_time: finite(reader)?.unwrap_or(0.0),
            min_response_time: finite(reader)?,
            content_length: reader.count()?,
            response_times: Pairs::default(),
            measured: Some(measured(reader)?),
            requests_per_second: pairs(reader, 12, MOST_SECONDS)?,
            failures_per_second: pairs(reader, 13, MOST_SECONDS)?,
        };
        if has_more {
            skip_map(reader)?;
        }
        Ok(entry)
    }

    fn add_to(&self, row: &mut Row, now: f64, shift: f64) {
        let mut parts = RowParts {
            num_requests: self.requests,
            num_none_requests: self.none_requests,
            num_failures: self.failures,
            total_response_time: self.total_response_time,
            min_response_time: self.min_response_time,
            max_response_time: self.max_response_time,
            total_content_length: self.content_length,
            start_time: self.start_time.map_or(now, |at| at + shift),
            last_request_timestamp: self.last_request.map(|at| at + shift),
            ..RowParts::default()
        };
        let shift = shift.round() as i64;
        let seconds =
            |pairs: &Pairs<'a>| pairs.iter().map(move |(second, count)| ((second as i64).saturating_add(shift), count));
        let (requests, failures) = (seconds(&self.requests_per_second), seconds(&self.failures_per_second));
        if let Some((phases, cells)) = &self.measured {
            parts.phases = phases.clone();
            row.add(&parts, cells.clone(), requests, failures);
        } else {
            let cell = |(time, count): (f64, u64)| {
                (Histogram::cell_of(microseconds(time)), u32::try_from(count).unwrap_or(u32::MAX))
            };
            row.add(&parts, self.response_times.iter().map(cell), requests, failures);
        }
    }
}

impl<'a> Error<'a> {
    fn read(reader: &mut Reader<'a>) -> Read<Self> {
        reader.skip()?; // Locust's key, which others make as they like: the same is made here of what follows
        let (mut method, mut name, mut text) = (None, None, None);
        let (mut occurrences, mut seen) = (0, (None, None));
        for _ in 0..reader.map()? {
            match reader.key()? {
                b"name" => name = Some(reader.text()?),
                b"method" => method = Some(reader.text()?),
                b"error" => text = Some(reader.text()?),
                b"occurrences" => occurrences = reader.count()?,
                b"first_seen" => seen.0 = moment(reader)?.filter(|at| *at > 0.0),
                b"last_seen" => seen.1 = moment(reader)?.filter(|at| *at > 0.0),
                _ => reader.skip()?,
            }
        }
        match (method, name, text) {
            (Some(method), Some(name), Some(text)) => Ok(Self { method, name, text, occurrences, seen }),
            _ => Err(Malformed("a failure has no `name`, no `method` or no `error`".into())),
        }
    }
}

fn list<'a, T>(reader: &mut Reader<'a>, key: &str, item: impl Fn(&mut Reader<'a>) -> Read<T>) -> Read<Vec<T>> {
    let count = reader.list().and_then(|count| at_most(MOST_ENTRIES, count)).map_err(|cause| within(key, &cause))?;
    // Every item takes a byte at least: what is announced and not there reserves nothing.
    let mut items = Vec::with_capacity(count.min(reader.rest().len() / 16));
    for place in 0..count {
        items.push(item(reader).map_err(|Malformed(cause)| Malformed(format!("`{key}`[{place}]: {cause}")))?);
    }
    Ok(items)
}

fn read_users<'a>(reader: &mut Reader<'a>) -> Read<Vec<(&'a str, u64)>> {
    (0..at_most(MOST_CLASSES, reader.map()?)?).map(|_| Ok((reader.text()?, reader.count()?))).collect()
}

fn read_errors<'a>(reader: &mut Reader<'a>) -> Read<Vec<Error<'a>>> {
    (0..at_most(MOST_ENTRIES, reader.map()?)?).map(|_| Error::read(reader)).collect()
}

fn pairs<'a>(reader: &mut Reader<'a>, place: usize, most: usize) -> Read<Pairs<'a>> {
    Pairs::read(reader, most).map_err(|cause| within(ENTRY[place], &cause))
}

fn measured<'a>(reader: &mut Reader<'a>) -> Read<(PhaseTotals, Cells<'a>)> {
    compact::take_times(reader.bin()?).ok_or_else(|| Malformed("what was measured ends too early".into()))
}

fn skip_map(reader: &mut Reader<'_>) -> Read<()> {
    for _ in 0..2 * reader.map()? {
        reader.skip()?;
    }
    Ok(())
}

fn within(key: &str, Malformed(cause): &Malformed) -> Malformed {
    Malformed(format!("`{key}`: {cause}"))
}
