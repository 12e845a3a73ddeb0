//! The timeline as others read it: columns for charts, slices for the comparison of two runs.

use serde_json::{Value, json};

use super::{Counts, Entry, Interval, Timeline};

impl Timeline {
    /// Enough for a chart as wide as a page.
    const POINTS: usize = 300;
    /// All entries together; what an entry's share is below [`Self::FEWEST`] is left out.
    const ENTRY_POINTS: usize = 1200;
    const FEWEST: usize = 6;
    const SLICES: usize = 60;

    /// Columns, one value for each interval: `docs/timeline.md` has them all.
    pub fn to_json(&self) -> Value {
        let shown = self.coarse(Self::POINTS);
        let intervals = &shown.intervals;
        let column = |value: &dyn Fn(&Interval) -> Value| intervals.iter().map(value).collect::<Vec<_>>();
        let lag = |quantile: f64| move |interval: &Interval| number(interval.lag.quantile_ms(quantile));
        json!({
            "format": 1,
            "start": self.started,
            "interval_s": shown.interval,
            "counted_from_s": seconds(self.counted_from),
            "ends_s": ends(intervals),
            "users": column(&|interval| interval.users.1.into()),
            "lag_p99_ms": column(&lag(0.99)),
            "lag_max_ms": column(&lag(1.0)),
            "saturated": spans(intervals),
            "total": columns(&intervals.iter().map(|interval| Some(&interval.counts)).collect::<Vec<_>>()),
            "entries": self.entries_json(),
        })
    }

    fn entries_json(&self) -> Value {
        let points = Self::ENTRY_POINTS / self.entries.len().max(1);
        if points < Self::FEWEST {
            return json!({"ends_s": [], "rows": []});
        }
        let shown = self.coarse(points.min(Self::POINTS / 5));
        let rows = shown.entries.iter().map(|entry| {
            let mut row = json!({"method": &*entry.method, "name": &*entry.name});
            let columns = columns(&shown.by_interval(entry));
            if let (Some(row), Value::Object(columns)) = (row.as_object_mut(), columns) {
                row.extend(columns);
            }
            row
        });
        json!({"ends_s": ends(&shown.intervals), "rows": rows.collect::<Vec<_>>()})
    }

    fn by_interval<'a>(&self, entry: &'a Entry) -> Vec<Option<&'a Counts>> {
        let mut columns = vec![None; self.intervals.len()];
        for (place, counts) in &entry.counts {
            columns[*place] = Some(counts);
        }
        columns
    }

    /// What [`Timeline::slices_json`] gives for each entry, by method and name. `None` before anything was counted.
    pub fn entries_slices(&self) -> Vec<(&Entry, Value)> {
        let shown = self.coarse(Self::SLICES);
        let slices = shown.entries.iter().map(|entry| shown.slices_json(&shown.by_interval(entry)));
        self.entries.iter().zip(slices.collect::<Vec<_>>()).collect()
    }

    /// The whole run as [`Timeline::entries_slices`] gives an entry.
    pub fn total_slices(&self) -> Value {
        let shown = self.coarse(Self::SLICES);
        shown.slices_json(&shown.intervals.iter().map(|interval| Some(&interval.counts)).collect::<Vec<_>>())
    }

    /// Only of what is in the table's present figures.
    fn slices_json(&self, counts: &[Option<&Counts>]) -> Value {
        let first = self.first_counted();
        let counts = &counts[first..];
        let count = |value: fn(&Counts) -> u64| counts.iter().map(|c| c.map_or(0, value)).collect::<Vec<_>>();
        let cells =
            |counts: &Counts| counts.times.pairs().iter().flat_map(|(cell, n)| [u32::from(*cell), *n]).collect();
        json!({
            "start_s": seconds(self.intervals.get(first).map_or(0.0, |interval| interval.start)),
            "ends_s": ends(&self.intervals[first..]),
            "requests": count(|counts| counts.requests),
            "failures": count(|counts| counts.failures),
            "times": counts.iter().map(|c| c.map_or(Vec::new(), cells)).collect::<Vec<Vec<u32>>>(),
        })
    }
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
