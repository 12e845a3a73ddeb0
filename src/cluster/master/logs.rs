//! What workers' logs said last.

use std::collections::BTreeMap;

use rmpv::Value;
use serde_json::json;

use super::data::{MOST_NAME, map};
use crate::cluster::message::field;

/// The last lines of each, by id.
#[derive(Debug, Default)]
pub struct Logs {
    version: u64,
    lines: BTreeMap<String, Vec<String>>,
    bytes: usize,
}

impl Logs {
    /// As many lines as a worker of Locust's sends.
    const LINES: usize = 500;
    /// How many bytes of a line are kept.
    const LINE: usize = 10_000;
    /// Far more than a fleet has: who sends under ever new names fills no memory.
    const MOST: usize = 10_000;
    /// Of all of them. What does not fit is left out, and the worker's older lines stay.
    const MOST_BYTES: usize = 128 << 20;

    /// Take the data of a `logs` message, which has all lines that the worker has. Who does not say who he is, is not heard.
    /// `None` where nothing was taken, else the data as they were.
    pub fn take(&mut self, data: &Value) -> Option<Value> {
        let (id, lines) = said(data)?;
        let older = lines.len().saturating_sub(Self::LINES);
        let lines: Vec<_> = lines[older..].iter().filter_map(Value::as_str).map(|line| cut(line).to_owned()).collect();
        let bytes = self.bytes - self.lines.get(id).map_or(0, |lines| size(id, lines)) + size(id, &lines);
        if bytes > Self::MOST_BYTES || (self.lines.len() >= Self::MOST && !self.lines.contains_key(id)) {
            return None;
        }
        let told = lines.iter().map(|line| Value::from(line.as_str())).collect();
        self.bytes = bytes;
        self.lines.insert(id.to_owned(), lines);
        self.version += 1;
        Some(map([("worker_id", id.into()), ("logs", Value::Array(told))]))
    }

    /// Have these instead; who asks for what there is already changes nothing.
    pub fn replace(&mut self, lines: BTreeMap<String, Vec<String>>) {
        if self.lines != lines {
            self.bytes = lines.iter().map(|(id, lines)| size(id, lines)).sum();
            self.lines = lines;
            self.version += 1;
        }
    }

    /// Another one after each change.
    pub fn version(&self) -> u64 {
        self.version
    }

    pub fn to_json(&self) -> serde_json::Value {
        json!(self.lines)
    }
}

fn said(data: &Value) -> Option<(&str, &[Value])> {
    let id = field(data, "worker_id")?.as_str().filter(|id| (1..=MOST_NAME).contains(&id.len()))?;
    Some((id, field(data, "logs")?.as_array()?))
}

/// As much of a line as is kept.
fn cut(line: &str) -> &str {
    &line[..line.floor_char_boundary(Logs::LINE)]
}

/// About how many bytes a worker's lines keep.
fn size(id: &str, lines: &[String]) -> usize {
    id.len() + lines.iter().map(|line| line.len() + size_of::<String>()).sum::<usize>()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_list_of_a_worker_is_kept() {
        let mut logs = Logs::default();
        let of = |id: &str, lines: &[&str]| {
            let lines = Value::Array(lines.iter().map(|line| (*line).into()).collect());
            Value::Map(vec![("worker_id".into(), id.into()), ("logs".into(), lines)])
        };
        for said in [of("a", &["1"]), of("", &["nobody"]), Value::Nil, of("b", &["x"]), of("a", &["1", "2"])] {
            let _ = logs.take(&said);
        }
        assert_eq!((logs.version(), logs.to_json()), (3, json!({"a": ["1", "2"], "b": ["x"]})));
        assert_eq!(logs.take(&of("c", &vec!["line"; 600])), Some(of("c", &vec!["line"; 500])));
        assert_eq!(logs.to_json()["c"].as_array().unwrap().len(), 500);
        let told = BTreeMap::from([("d".to_owned(), vec!["told".to_owned()])]);
        logs.replace(told.clone());
        logs.replace(told);
        assert_eq!((logs.version(), logs.to_json()), (5, json!({"d": ["told"]})));
    }

    #[test]
    fn lines_are_kept_as_far_as_there_is_room() {
        let mut logs = Logs::default();
        let of = |id: &str, line: &str| {
            map([("worker_id", id.into()), ("logs", Value::Array(vec![line.into(); Logs::LINES]))])
        };
        assert_eq!(logs.take(&of(&"w".repeat(256), "x")), None);
        // The cut is not within a character.
        let told = logs.take(&of("w", &"ä".repeat(20_000))).unwrap();
        assert_eq!(field(&told, "logs").unwrap().as_array().unwrap()[0].as_str().map(str::len), Some(Logs::LINE));
        let taken = (0..50).filter(|number| logs.take(&of(&number.to_string(), &"x".repeat(9_999))).is_some()).count();
        assert_eq!(taken, 25);
        let other = logs.take(&of("w", "x")).is_some();
        assert!(other && logs.take(&of("30", &"x".repeat(9_999))).is_some(), "there is room again");
        let kept: usize = logs.lines.iter().map(|(id, lines)| size(id, lines)).sum();
        assert_eq!(kept, logs.bytes);
    }
}
