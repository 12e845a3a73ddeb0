//! What workers' logs said last.

use std::collections::BTreeMap;

use rmpv::Value;
use serde_json::json;

/// The last lines of each, by id.
#[derive(Debug, Default)]
pub struct Logs {
    version: u64,
    lines: BTreeMap<String, Vec<String>>,
}

impl Logs {
    /// As many lines as a worker of Locust's sends.
    const LINES: usize = 500;
    /// Far more than a fleet has: who sends under ever new names fills no memory.
    const MOST: usize = 10_000;

    /// Take the data of a `logs` message, which has all lines that the worker has. Who does not say who he is, is not heard.
    pub fn take(&mut self, data: &Value) {
        let Some((id, lines)) = said(data) else { return };
        if self.lines.len() >= Self::MOST && !self.lines.contains_key(id) {
            return;
        }
        let older = lines.len().saturating_sub(Self::LINES);
        let lines = lines[older..].iter().filter_map(Value::as_str).map(str::to_owned).collect();
        self.lines.insert(id.to_owned(), lines);
        self.version += 1;
    }

    /// Have these instead; who asks for what there is already changes nothing.
    pub fn replace(&mut self, lines: BTreeMap<String, Vec<String>>) {
        if self.lines != lines {
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
    let of = |key: &str| data.as_map()?.iter().find(|(name, _)| name.as_str() == Some(key)).map(|(_, value)| value);
    let id = of("worker_id")?.as_str().filter(|id| !id.is_empty())?;
    Some((id, of("logs")?.as_array()?))
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
            logs.take(&said);
        }
        assert_eq!((logs.version(), logs.to_json()), (3, json!({"a": ["1", "2"], "b": ["x"]})));
        logs.take(&of("c", &vec!["line"; 600]));
        assert_eq!(logs.to_json()["c"].as_array().unwrap().len(), 500);
        let told = BTreeMap::from([("d".to_owned(), vec!["told".to_owned()])]);
        logs.replace(told.clone());
        logs.replace(told);
        assert_eq!((logs.version(), logs.to_json()), (5, json!({"d": ["told"]})));
    }
}
