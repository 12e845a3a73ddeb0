//! `--hgrm`: the response times of every interval, as histograms that the standard tools of `HdrHistogram` read.
//!
//! Two files: `{prefix}.hlog`, an interval log of version 1.3, to which every second adds a line for all requests and one
//! for each entry that had any, told apart by tags; and `{prefix}.hgrm`, the percentile distribution of all requests, as
//! plotters of `HdrHistogram` take it, written anew every second. Values are microseconds, and nothing is rounded: the cells are those
//! that the percentiles of the tables are read from.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::ZlibEncoder;

use super::background::{Background, Complain};
use super::files::{Appended, Rewritten, Written};
use crate::clock::now;
use crate::stats::{HIGHEST_US, Histogram, Row, Table, utc};
use crate::sync::held;

const COMPRESSED: u32 = 0x1c84_9314;
const ENCODED: u32 = 0x1c84_9313;
const SIGNIFICANT_DIGITS: u32 = 3;
/// Cells of a doubling of values, as three digits ask for.
const CELLS: u64 = 1024;

/// Make the files, with their directory, and write them until the thread is closed.
pub fn start(prefix: &str, interval: Duration, table: Arc<Mutex<Table>>, complain: Complain) -> io::Result<Background> {
    let path = |kind: &str| PathBuf::from(format!("{prefix}.{kind}"));
    if let Some(folder) = path("hlog").parent().filter(|folder| !folder.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder)?;
    }
    let mut log = Log::create(&path("hlog"), now())?;
    let mut distribution = Rewritten::create(&path("hgrm"), b"")?;
    let mut is_told = false;
    Background::start("hgrm", interval, move || {
        let logged = log.pass(&table, now());
        let total = held(&table).total().parts().response_times.clone();
        let written = logged.and(distribution.write(percentiles(&total).as_bytes()));
        if let Err((path, error)) = written
            && !std::mem::replace(&mut is_told, true)
        {
            complain(format!("cannot write `{}`: {error}; the run goes on", path.display()));
        }
    })
}

/// Method and name.
type Key = (Arc<str>, Arc<str>);

/// The interval log, and what of each row stands in it already.
struct Log {
    file: Appended,
    base: f64,
    /// When the interval began that is to be written next.
    from: f64,
    total: Known,
    rows: HashMap<Key, Known>,
}

#[derive(Clone, Default)]
struct Known {
    beginning: u64,
    times: Histogram,
}

impl Known {
    fn of(row: &Row) -> Self {
        Self { beginning: row.beginning(), times: row.parts().response_times.clone() }
    }

    fn is_all_of(&self, row: &Row) -> bool {
        self.beginning == row.beginning() && self.times.count() == row.parts().response_times.count()
    }

    /// What came since `earlier`, if that is still part of it.
    fn since(&self, earlier: Option<&Self>) -> Vec<(u64, u32)> {
        match earlier.filter(|earlier| earlier.beginning == self.beginning) {
            Some(earlier) => self.times.cells_since(&earlier.times).collect(),
            None => self.times.cells().collect(),
        }
    }
}

impl Log {
    fn create(path: &Path, base: f64) -> io::Result<Self> {
        let began = utc(base);
        let header = format!(
            "#[gregaria {}: response times in microseconds; untagged lines are all requests]\n\
             #[Histogram log format version 1.3]\n\
             #[BaseTime: {base:.3} (seconds since epoch)]\n\
             #[StartTime: {base:.3} (seconds since epoch), {began}]\n\
             \"StartTimestamp\",\"Interval_Length\",\"Interval_Max\",\"Interval_Compressed_Histogram\"\n",
            env!("CARGO_PKG_VERSION"),
        );
        let file = Appended::create(path, header.as_bytes())?;
        Ok(Self { file, base, from: base, total: Known::default(), rows: HashMap::new() })
    }

    /// Add what came since the last pass. What could not be written is part of the next one.
    fn pass(&mut self, table: &Mutex<Table>, at: f64) -> Written {
        let total = Known::of(held(table).total());
        if total.beginning != self.total.beginning {
            // The statistics began anew, with a test or by `--reset-stats`: so does the log, which agrees with them.
            self.rows.clear();
            self.file.begin_anew()?;
        }
        let news = self.news(table);
        let mut lines = String::new();
        self.line(&mut lines, "", &total.since(Some(&self.total)), at);
        for (key, now) in &news {
            self.line(&mut lines, &tag(&key.0, &key.1), &now.since(self.rows.get(key)), at);
        }
        self.file.write(lines.as_bytes())?;
        self.total = total;
        self.rows.extend(news);
        self.from = at;
        Ok(())
    }

    /// The rows that have counted since. The lock is taken for each anew: nobody waits while hundreds are copied.
    fn news(&self, table: &Mutex<Table>) -> Vec<(Key, Known)> {
        let mut news = Vec::new();
        for place in 0.. {
            let table = held(table);
            let Some(row) = table.rows().get(place) else { return news };
            let key = (Arc::clone(&row.method), Arc::clone(&row.name));
            if !self.rows.get(&key).is_some_and(|known| known.is_all_of(row)) {
                news.push((key, Known::of(row)));
            }
        }
        news
    }

    fn line(&self, lines: &mut String, tag: &str, cells: &[(u64, u32)], at: f64) {
        let Some((longest_us, _)) = cells.last() else { return };
        let (start, length) = (self.from - self.base, at - self.from);
        let longest_ms = *longest_us as f64 / 1000.0;
        // Writing to a string cannot fail.
        let _ = writeln!(lines, "{tag}{start:.3},{length:.3},{longest_ms:.3},{}", STANDARD.encode(compressed(cells)));
    }
}

/// `Tag=GET%20/a,`: a tag has no comma, no blank and no end of line.
fn tag(method: &str, name: &str) -> String {
    let mut tag = String::from("Tag=");
    for character in method.chars().chain([' ']).chain(name.chars()) {
        if character.is_whitespace() || character.is_control() || matches!(character, ',' | '%' | '"') {
            let mut bytes = [0; 4];
            for byte in character.encode_utf8(&mut bytes).bytes() {
                let _ = write!(tag, "%{byte:02X}");
            }
        } else {
            tag.push(character);
        }
    }
    tag + ","
}

/// A histogram as `HdrHistogram`'s "V2 compressed" encoding has it: a header, then the counts of all cells from the first
/// to the last that is not empty, runs of empty ones as their negated number.
fn compressed(cells: &[(u64, u32)]) -> Vec<u8> {
    let encoded = encoded(cells);
    let mut zlib = ZlibEncoder::new(Vec::new(), Compression::fast());
    let deflated = zlib.write_all(&encoded).and_then(|()| zlib.finish()).expect("a vector takes every byte");
    [&COMPRESSED.to_be_bytes()[..], &(deflated.len() as u32).to_be_bytes(), &deflated].concat()
}

fn encoded(cells: &[(u64, u32)]) -> Vec<u8> {
    let mut counts = Vec::new();
    let mut next = 0;
    for (value, count) in cells {
        let index = cell_of(*value);
        match index - next {
            0 => {}
            1 => put(&mut counts, 0),
            empty => put(&mut counts, -empty.cast_signed()),
        }
        put(&mut counts, i64::from(*count));
        next = index + 1;
    }
    let mut encoded = Vec::with_capacity(40 + counts.len());
    for word in [ENCODED, counts.len() as u32, 0, SIGNIFICANT_DIGITS] {
        encoded.extend(word.to_be_bytes());
    }
    for word in [1, HIGHEST_US, 1.0_f64.to_bits()] {
        encoded.extend(word.to_be_bytes());
    }
    encoded.extend(counts);
    encoded
}

/// The place of a value's cell: one for each value below 2048, then 1024 for each doubling.
fn cell_of(value: u64) -> u64 {
    let doublings = u64::from((value | (2 * CELLS - 1)).ilog2() - CELLS.ilog2());
    doublings * CELLS + (value >> doublings)
}

/// A number of any sign in as few bytes as it takes: zigzag, then seven bits a byte, the lowest first.
fn put(bytes: &mut Vec<u8>, number: i64) {
    let mut left = ((number << 1) ^ (number >> 63)) as u64;
    while left >= 0x80 {
        bytes.push(left as u8 | 0x80);
        left >>= 7;
    }
    bytes.push(left as u8);
}

/// The table that `HdrHistogram`'s plotter takes: values in milliseconds, five steps for each halving of what is left.
fn percentiles(times: &Histogram) -> String {
    let total = times.count();
    let mut text = format!("{:>12} {:>14} {:>10} {:>14}\n\n", "Value", "Percentile", "TotalCount", "1/(1-Percentile)");
    let (mut share, mut counted) = (0.0_f64, 0);
    for (value, count) in times.values_ms() {
        counted += count;
        let reached = counted as f64 / total as f64;
        if counted == total {
            let _ = writeln!(text, "{value:>12.3} {:>14.12} {counted:>10}", 1.0);
        } else if reached >= share {
            let _ = writeln!(text, "{value:>12.3} {reached:>14.12} {counted:>10} {:>14.2}", 1.0 / (1.0 - reached));
            while share <= reached {
                share += 0.1 * (1.0 - share).log2().ceil().exp2();
            }
        }
    }
    let mean = times.values_ms().map(|(value, count)| value * count as f64).sum::<f64>() / total.max(1) as f64 + 0.0;
    let spread = times.values_ms().map(|(value, count)| (value - mean).powi(2) * count as f64).sum::<f64>();
    let deviation = (spread / total.max(1) as f64 + 0.0).sqrt();
    let longest = times.values_ms().last().map_or(0.0, |(value, _)| value);
    let _ = writeln!(text, "#[Mean    = {mean:>12.3}, StdDeviation   = {deviation:>12.3}]");
    let _ = writeln!(text, "#[Max     = {longest:>12.3}, Total count    = {total:>12}]");
    let _ = writeln!(text, "#[Buckets = {:>12}, SubBuckets     = {:>12}]", cell_of(HIGHEST_US) / CELLS, 2 * CELLS);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::Sample;
    use hdrhistogram::serialization::Deserializer;
    use hdrhistogram::serialization::interval_log::{IntervalLogIterator, LogEntry};
    use proptest::prelude::*;

    fn request(table: &Mutex<Table>, name: &str, time_ms: f64) {
        let sample = Sample {
            response_time_ms: Some(time_ms),
            response_length: 0,
            generator_lag: Duration::ZERO,
            phases: None,
            at: 1000.0,
        };
        table.lock().unwrap().record_by_hand("GET", name, sample);
    }

    type Read = (Option<String>, f64, f64, Vec<(u64, u64)>);

    /// Tag, start, length and the counted cells of every line, as the crate's own reader has them.
    fn read(path: &Path) -> Vec<Read> {
        let content = std::fs::read(path).unwrap();
        let entries = IntervalLogIterator::new(&content).map(Result::unwrap);
        let lines = entries.filter_map(|entry| match entry {
            LogEntry::Interval(line) => {
                let bytes = STANDARD.decode(line.encoded_histogram()).unwrap();
                let histogram: hdrhistogram::Histogram<u64> =
                    Deserializer::new().deserialize(&mut bytes.as_slice()).unwrap();
                let cells = histogram.iter_recorded().map(|cell| (cell.value_iterated_to(), cell.count_at_value()));
                let (start, length) = (line.start_timestamp().as_secs_f64(), line.duration().as_secs_f64());
                Some((line.tag().map(|tag| tag.as_str().to_owned()), start, length, cells.collect()))
            }
            _ => None,
        });
        lines.collect()
    }

    #[test]
    fn the_crates_reader_finds_what_was_counted_and_when() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.hlog");
        let table = Mutex::new(Table::new(1000.0, true));
        let mut log = Log::create(&path, 1000.0).unwrap();
        request(&table, "/a, b", 1.0);
        log.pass(&table, 1001.0).unwrap();
        log.pass(&table, 1002.0).unwrap();
        request(&table, "/a, b", 1.0);
        request(&table, "/c", 2.0);
        log.pass(&table, 1003.5).unwrap();
        let (a, c) = (Some("GET%20/a%2C%20b".to_owned()), Some("GET%20/c".to_owned()));
        let one = vec![(1000, 1)];
        let expected = [
            (None, 0.0, 1.0, one.clone()),
            (a.clone(), 0.0, 1.0, one.clone()),
            (None, 2.0, 1.5, vec![(1000, 1), (2000, 1)]),
            (a, 2.0, 1.5, one),
            (c, 2.0, 1.5, vec![(2000, 1)]),
        ];
        assert_eq!(read(&path), expected);
    }

    #[test]
    fn statistics_that_begin_anew_are_a_log_that_does() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.hlog");
        let table = Mutex::new(Table::new(1000.0, true));
        let mut log = Log::create(&path, 1000.0).unwrap();
        request(&table, "/", 1.0);
        log.pass(&table, 1001.0).unwrap();
        table.lock().unwrap().reset_all(1001.5);
        for _ in 0..2 {
            request(&table, "/", 3.0);
        }
        log.pass(&table, 1002.0).unwrap();
        let lines = read(&path);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| line.3.iter().map(|(_, count)| count).sum::<u64>() == 2));
    }

    #[test]
    fn the_distribution_is_the_plotters_table() {
        let mut times = Histogram::default();
        (1..=100).for_each(|time| times.record_us(time * 1000));
        insta::assert_snapshot!(percentiles(&times));
        insta::assert_snapshot!("nothing", percentiles(&Histogram::default()));
    }

    proptest! {
        #[test]
        fn every_histogram_is_read_as_it_was_written(values in prop::collection::vec((0..HIGHEST_US, 1..100_000_u32), 1..100)) {
            let mut histogram = Histogram::default();
            values.iter().for_each(|(value, count)| histogram.record_many_us(*value, *count));
            let cells: Vec<_> = histogram.cells().collect();
            let read: hdrhistogram::Histogram<u64> =
                Deserializer::new().deserialize(&mut compressed(&cells).as_slice()).unwrap();
            let found = read.iter_recorded().map(|cell| (cell.value_iterated_to(), cell.count_at_value() as u32));
            prop_assert_eq!(found.collect::<Vec<_>>(), cells);
        }
    }
}
