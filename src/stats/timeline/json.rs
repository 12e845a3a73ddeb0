//! The timeline as others read it: columns for charts, slices for the comparison of two runs.

use serde_json::{Map, Value, json};

use super::view::View;
use super::{Counts, Entry, Interval, Timeline};

/// How much of a timeline somebody has been told.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Seen {
    /// Which run, by its number; 0 while nothing was told.
    run: u64,
    start: f64,
    interval: f64,
    intervals: usize,
    end: f64,
}

impl Timeline {
    /// Enough for a chart as wide as a page.
    const POINTS: usize = 300;
    /// All entries together; what an entry's share is below [`Self::FEWEST`] is left out.
    const ENTRY_POINTS: usize = 1200;
    const FEWEST: usize = 6;
    const SLICES: usize = 60;

    /// Columns, one value for each interval: `docs/timeline.md` has them all.
    pub fn to_json(&self) -> Value {
        let mut whole = self.columns_json(&View::whole(self, Self::POINTS));
        whole.insert("entries".into(), self.entries_json());
        whole.into()
    }

    /// The whole run without its entries, as one event of a stream.
    pub fn total_json(&self, run: u64) -> Value {
        let timeline = self.columns_json(&View::whole(self, Self::POINTS));
        json!({"run": run, "whole": true, "from": 0, "timeline": timeline})
    }

    /// What somebody does not know yet: the columns from an interval on, which replace those that he has from there on.
    /// `None` where there is nothing new.
    pub fn news(&self, run: u64, seen: &mut Seen) -> Option<Value> {
        let group = View::group(self, Self::POINTS);
        let (start, interval, end) = (self.started, self.interval * group as f64, self.seconds());
        let intervals = self.intervals.len().div_ceil(group);
        let known = std::mem::replace(seen, Seen { run, start, interval, intervals, end });
        if known == *seen {
            return None;
        }
        let is_same = (known.run, known.start, known.interval) == (run, start, interval);
        // The last one may have grown since.
        let from = if is_same { known.intervals.min(intervals).saturating_sub(1) } else { 0 };
        let timeline = self.columns_json(&View::from(self, group, from));
        Some(json!({"run": run, "whole": from == 0, "from": from, "timeline": timeline}))
    }

    /// One entry's columns over the whole run: nothing in them where nothing of this name and method was counted.
    pub fn entry_json(&self, run: u64, method: &str, name: &str) -> Value {
        let view = View::whole(self, Self::POINTS);
        let counts =
            self.entry(method, name).map_or_else(|| vec![None; view.intervals.len()], |entry| view.entry(entry));
        let mut row = entry_row(method, name, &counts);
        row.insert("run".into(), run.into());
        row.insert("start".into(), self.started.into());
        row.insert("interval_s".into(), view.interval_s().into());
        row.insert("ends_s".into(), ends(&view.intervals).into());
        row.into()
    }

    fn columns_json(&self, view: &View<'_>) -> Map<String, Value> {
        let intervals = &view.intervals;
        let column = |value: &dyn Fn(&Interval) -> Value| intervals.iter().map(value).collect::<Vec<_>>();
        let lag = |quantile: f64| move |interval: &Interval| number(interval.lag.quantile_ms(quantile));
        let columns = json!({
            "format": 1,
            "start": self.started,
            "interval_s": view.interval_s(),
            "counted_from_s": seconds(self.counted_from),
            "ends_s": ends(intervals),
            "users": column(&|interval| interval.users.1.into()),
            "target_users": column(&|interval| interval.target_users.into()),
            "lag_p99_ms": column(&lag(0.99)),
            "lag_max_ms": column(&lag(1.0)),
            "saturated": spans(&self.intervals),
            "total": columns(&view.total()),
        });
        object(columns)
    }

    fn entries_json(&self) -> Value {
        let points = Self::ENTRY_POINTS / self.entries.len().max(1);
        if points < Self::FEWEST {
            return json!({"ends_s": [], "rows": []});
        }
        let view = View::whole(self, points.min(Self::POINTS / 5));
        let row = |entry: &Entry| Value::from(entry_row(&entry.method, &entry.name, &view.entry(entry)));
        let rows: Vec<Value> = self.entries.iter().map(row).collect();
        json!({"ends_s": ends(&view.intervals), "rows": rows})
    }

    /// What [`Timeline::slices_json`] gives for each entry, by method and name. `None` before anything was counted.
    pub fn entries_slices(&self) -> Vec<(&Entry, Value)> {
        let view = View::whole(self, Self::SLICES);
        let slices = |entry| slices_json(&view, &borrowed(&view.entry(entry)));
        self.entries.iter().map(|entry| (entry, slices(entry))).collect()
    }

    /// The whole run as [`Timeline::entries_slices`] gives an entry.
    pub fn total_slices(&self) -> Value {
        let view = View::whole(self, Self::SLICES);
        slices_json(&view, &view.total())
    }
}

/// Only of what is in the table's present figures.
fn slices_json(view: &View<'_>, counts: &[Option<&Counts>]) -> Value {
    let first = view.first_counted();
    let counts = &counts[first..];
    let count = |value: fn(&Counts) -> u64| counts.iter().map(|c| c.map_or(0, value)).collect::<Vec<_>>();
    let cells = |counts: &Counts| counts.times.pairs().iter().flat_map(|(cell, n)| [u32::from(*cell), *n]).collect();
    json!({
        "start_s": seconds(view.intervals.get(first).map_or(0.0, |interval| interval.start)),
        "ends_s": ends(&view.intervals[first..]),
        "requests": count(|counts| counts.requests),
        "failures": count(|counts| counts.failures),
        "times": counts.iter().map(|c| c.map_or(Vec::new(), cells)).collect::<Vec<Vec<u32>>>(),
    })
}

/// Method, name and columns.
fn entry_row(method: &str, name: &str, counts: &[Option<Counts>]) -> Map<String, Value> {
    let mut row = object(columns(&borrowed(counts)));
    row.insert("method".into(), method.into());
    row.insert("name".into(), name.into());
    row
}

fn borrowed(counts: &[Option<Counts>]) -> Vec<Option<&Counts>> {
    counts.iter().map(Option::as_ref).collect()
}

fn object(value: Value) -> Map<String, Value> {
    if let Value::Object(object) = value { object } else { Map::new() }
}

fn columns(counts: &[Option<&Counts>]) -> Value {
    let whole = |value: fn(&Counts) -> u64| counts.iter().map(|c| c.map_or(0, value)).collect::<Vec<_>>();
    let times = |value: &dyn Fn(&Counts) -> Option<f64>| {
        counts.iter().map(|counts| number(counts.and_then(value))).collect::<Vec<_>>()
    };
    json!({
        "requests": whole(|counts| counts.requests),
        "failures": whole(|counts| counts.failures),
        "avg_ms": times(&Counts::average_ms),
        "p50_ms": times(&|counts| counts.times.quantile_ms(0.5)),
        "p95_ms": times(&|counts| counts.times.quantile_ms(0.95)),
        "p99_ms": times(&|counts| counts.times.quantile_ms(0.99)),
        "max_ms": times(&|counts| counts.times.quantile_ms(1.0)),
    })
}

fn ends(intervals: &[Interval]) -> Vec<f64> {
    intervals.iter().map(|interval| seconds(interval.end)).collect()
}

/// Start and end of every stretch in which the generator was saturated.
fn spans(intervals: &[Interval]) -> Vec<[f64; 2]> {
    let stretches = intervals.chunk_by(|a, b| a.saturated == b.saturated).filter(|stretch| stretch[0].saturated);
    stretches.map(|stretch| [seconds(stretch[0].start), seconds(stretch[stretch.len() - 1].end)]).collect()
}

fn seconds(value: f64) -> f64 {
    (value * 1000.0).round() / 1000.0
}

fn number(value: Option<f64>) -> Value {
    value.map_or(Value::Null, |value| significant(value, 3).into())
}

/// Rounded to so many significant digits.
pub fn significant(value: f64, digits: i32) -> f64 {
    if value == 0.0 || !value.is_finite() {
        return 0.0;
    }
    let places = digits - 1 - value.abs().log10().floor() as i32;
    if places >= 0 {
        let scale = 10f64.powi(places);
        (value * scale).round() / scale
    } else {
        let scale = 10f64.powi(-places);
        (value / scale).round() * scale
    }
}
