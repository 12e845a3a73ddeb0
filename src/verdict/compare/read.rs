//! The file that `--json-file` leaves, ours or Locust's.

use serde_json::Value;

use crate::stats::timeline::Cells;

/// What was counted for an entry in one stretch of time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Slice {
    pub seconds: f64,
    pub requests: u64,
    pub failures: u64,
    pub times: Cells,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    pub method: String,
    pub name: String,
    pub slices: Vec<Slice>,
    /// Whether the slices are of the run's time. If not, there is one of all of it.
    pub has_slices: bool,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunFile {
    pub entries: Vec<Entry>,
}

impl Entry {
    pub fn requests(&self) -> u64 {
        self.slices.iter().map(|slice| slice.requests).sum()
    }

    pub fn rps(&self) -> f64 {
        self.requests() as f64 / self.slices.iter().map(|slice| slice.seconds).sum::<f64>().max(1e-9)
    }
}

impl RunFile {
    /// One sentence for what is no such file.
    pub fn parse(text: &str) -> Result<Self, String> {
        let value: Value = serde_json::from_str(text).map_err(|error| format!("it is no JSON: {error}"))?;
        let entries = value.as_array().ok_or("it is no list of entries, as `--json-file` writes it")?;
        let entries = entries.iter().map(entry).collect::<Result<_, _>>()?;
        Ok(Self { entries })
    }

    pub fn entry(&self, method: &str, name: &str) -> Option<&Entry> {
        self.entries.iter().find(|entry| entry.method == method && entry.name == name)
    }
}

fn entry(value: &Value) -> Result<Entry, String> {
    let text = |key: &str| match &value[key] {
        Value::String(text) => Ok(text.clone()),
        Value::Null => Err(format!("an entry in it has no `{key}`")),
        other => Ok(other.to_string()),
    };
    let (method, name) = (text("method").unwrap_or_default(), text("name")?);
    let slices = sliced(&value["slices"]).filter(|slices| !slices.is_empty());
    let has_slices = slices.is_some();
    let slices = match slices {
        Some(slices) => slices,
        None => vec![whole(value).ok_or_else(|| format!("`{method} {name}` in it has no `response_times`"))?],
    };
    Ok(Entry { method, name, slices, has_slices })
}

fn sliced(value: &Value) -> Option<Vec<Slice>> {
    let mut start = value["start_s"].as_f64()?;
    let (requests, failures) = (value["requests"].as_array()?, value["failures"].as_array()?);
    let columns = value["ends_s"].as_array()?.iter().zip(requests).zip(failures).zip(value["times"].as_array()?);
    let slice = |(((end, requests), failures), times): (((&Value, &Value), &Value), &Value)| {
        let end = end.as_f64()?;
        let numbers: Vec<u64> = times.as_array()?.iter().map_while(Value::as_u64).collect();
        let pairs = numbers.chunks_exact(2).map(|pair| (pair[0] as u16, u32::try_from(pair[1]).unwrap_or(u32::MAX)));
        let seconds = end - std::mem::replace(&mut start, end);
        let times = Cells::from_pairs(pairs);
        Some(Slice { seconds, requests: requests.as_u64()?, failures: failures.as_u64()?, times })
    };
    columns.map(slice).collect()
}

/// Locust's own figures: its buckets are two digits wide, and a time may lie anywhere in its bucket.
fn whole(value: &Value) -> Option<Slice> {
    let times = value["response_times"].as_object()?;
    let bucket = |(time, count): (&String, &Value)| Some((time.parse::<f64>().ok()?, count.as_u64()?));
    let spread = times.iter().filter_map(bucket).flat_map(|(time, count)| spread(time, count));
    let requests = value["num_requests"].as_u64()?;
    let moment = |key: &str| value[key].as_f64();
    let seconds = moment("last_request_timestamp").zip(moment("start_time")).map_or(0.0, |(last, start)| last - start);
    let failures = value["num_failures"].as_u64().unwrap_or(0);
    Some(Slice { seconds, requests, failures, times: Cells::from_times_ms(spread) })
}

/// Evenly over the bucket, in no more parts than there are times.
fn spread(time: f64, count: u64) -> impl Iterator<Item = (f64, u32)> {
    let width = match time {
        t if t < 100.0 => 1.0,
        t if t < 1000.0 => 10.0,
        t if t < 10_000.0 => 100.0,
        _ => 1000.0,
    };
    let parts = count.clamp(1, 20);
    let low = (time - width / 2.0).max(0.0);
    let each = move |part: u64| {
        let share = count / parts + u64::from(part < count % parts);
        let at = low + (time + width / 2.0 - low) * (part as f64 + 0.5) / parts as f64;
        (at, u32::try_from(share).unwrap_or(u32::MAX))
    };
    (0..parts).map(each)
}
