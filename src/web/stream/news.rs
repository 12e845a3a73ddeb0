//! What one client has not seen yet.

use std::fmt::Write as _;
use std::sync::{Arc, Weak};

use rustc_hash::FxHashMap;
use serde_json::{Value, json};

use super::super::figures::{WholeFigures, keys};
use super::super::requests::{exceptions, failures};
use super::super::shared::{Percentiles, Shared};
use super::super::workers;
use crate::clock::now;
use crate::stats::timeline::Seen;
use crate::stats::{Row, Table};
use crate::sync::held;
use crate::verdict::Session;

/// So many kinds of failure are shown at most.
const FAILURES: usize = 10_000;
/// So many rows are looked at before other requests have their turn.
const AT_ONCE: usize = 32;

/// What was sent already.
#[derive(Default)]
pub struct News {
    /// Whose figures these are. Of others nothing was sent.
    session: Weak<Session>,
    percentiles: Percentiles,
    rows: FxHashMap<(Arc<str>, Arc<str>), Mark>,
    total: Option<Mark>,
    age: Option<u64>,
    timeline: Seen,
    failures: Option<(u64, usize)>,
    seconds_without_failures: usize,
    exceptions: Option<(u64, usize)>,
    log: Option<u64>,
    /// The version of the workers' logs.
    worker_logs: u64,
    /// Texts of the events that are sent whole.
    sent: FxHashMap<&'static str, String>,
}

/// By what a row is known to have changed.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Mark {
    beginning: u64,
    requests: u64,
    failures: u64,
    /// Rates go on falling when nothing is requested any more.
    rates: (f64, f64),
}

impl Mark {
    fn of(row: &Row, table: &Table) -> Self {
        let (parts, clock) = (row.parts(), table.clock());
        Self {
            beginning: row.beginning(),
            requests: parts.num_requests,
            failures: parts.num_failures,
            rates: (row.current_rps(clock).as_f64(), row.current_fail_per_sec(clock).as_f64()),
        }
    }
}

impl News {
    /// All of it, as events.
    pub async fn all(&mut self, shared: &Shared) -> String {
        let session = shared.session();
        if !std::ptr::eq(self.session.as_ptr(), Arc::as_ptr(&session)) {
            *self = Self { session: Arc::downgrade(&session), ..Self::default() };
        }
        let mut events = Events::default();
        if self.sent.is_empty() {
            events.0.push_str("retry: 1000\n\n");
        }
        events.0 += &self.state(shared);
        self.stats(shared, &session, &mut events).await;
        self.failures(&session, &mut events);
        self.exceptions(&session, &mut events);
        if let Some(data) = session.timeline_event(&mut self.timeline) {
            events.add("timeline", &data);
        }
        self.whole("runs", &session.runs(), &mut events);
        self.whole("lag", &session.lag(), &mut events);
        self.whole("knee", &session.knee(), &mut events);
        self.whole("checks", &session.checks(), &mut events);
        self.whole("annotations", &session.annotations(), &mut events);
        let workers = shared.fleet().map(|fleet| fleet.workers());
        let workers: Vec<Value> = workers.iter().flatten().map(workers::whole).collect();
        self.whole("workers", &json!({"workers": workers}), &mut events);
        self.logs(shared, &mut events);
        events.0
    }

    /// The state if it has changed; while a test is active, in any case.
    pub fn state(&mut self, shared: &Shared) -> String {
        let (status, session, mut events) = (shared.status(), shared.session(), Events::default());
        let mut data = status.to_json(&session);
        data["user_count"] = held(session.table()).user_count().into();
        let is_new = self.is_new("state", &data.to_string());
        if is_new || status.is_active() {
            data["now"] = now().into();
            events.add("state", &data);
        }
        events.0
    }

    async fn stats(&mut self, shared: &Shared, session: &Session, events: &mut Events) {
        let percentiles = shared.percentiles();
        let (age, count) = {
            let table = held(session.table());
            (table.ages().0, table.rows().len())
        };
        let whole = self.age != Some(age) || self.percentiles != percentiles || self.rows.len() > count;
        if whole {
            (self.age, self.total) = (Some(age), None);
            self.percentiles = percentiles.clone();
            self.rows.clear();
        }
        let mut rows = Vec::new();
        for (place, key) in keys(session.table(), usize::MAX).into_iter().enumerate() {
            if place % AT_ONCE == AT_ONCE - 1 {
                tokio::task::yield_now().await;
            }
            let changed = {
                let table = held(session.table());
                let Some(row) = table.row(&key.0, &key.1) else { continue };
                let mark = Mark::of(row, &table);
                let is_new = self.rows.get(&key) != Some(&mark);
                is_new.then(|| (mark, WholeFigures::of(row, table.clock(), &percentiles)))
            };
            if let Some((mark, figures)) = changed {
                self.rows.insert(key, mark);
                rows.push(figures.to_json());
            }
        }
        let total = {
            let table = held(session.table());
            let mark = Mark::of(table.total(), &table);
            let is_new = self.total.replace(mark) != Some(mark);
            (is_new || whole || !rows.is_empty()).then(|| WholeFigures::of(table.total(), table.clock(), &percentiles))
        };
        if let Some(total) = total {
            let data = json!({"run": session.run(), "whole": whole, "rows": rows, "total": total.to_json()});
            events.add("stats", &data);
        }
    }

    /// Very many kinds of failure are sent more seldom: a second for each thousand.
    fn failures(&mut self, session: &Session, events: &mut Events) {
        let table = held(session.table());
        let count = table.errors().len();
        self.seconds_without_failures += 1;
        let mark = Some((table.errors().iter().map(|record| record.occurrences).sum(), count));
        if mark == self.failures || (self.failures.is_some() && self.seconds_without_failures <= count / 1000) {
            return;
        }
        let shown = failures(&table, FAILURES);
        drop(table);
        (self.failures, self.seconds_without_failures) = (mark, 0);
        events.add("failures", &json!({"run": session.run(), "failures": shown}));
    }

    fn exceptions(&mut self, session: &Session, events: &mut Events) {
        let table = held(session.table());
        let (mut sum, mut count) = (0, 0);
        for record in table.exceptions().iter() {
            sum += record.count;
            count += 1;
        }
        let mark = Some((sum, count));
        if mark == self.exceptions {
            return;
        }
        let shown = exceptions(&table);
        drop(table);
        self.exceptions = mark;
        events.add("exceptions", &json!({"run": session.run(), "exceptions": shown}));
    }

    fn logs(&mut self, shared: &Shared, events: &mut Events) {
        let (count, lines) = shared.lines_since(self.log.unwrap_or(0));
        let whole = self.log.replace(count).is_none();
        // Gathered only when there is something new in it: they are many lines.
        let version = shared.worker_logs_version();
        let workers_have = std::mem::replace(&mut self.worker_logs, version) != version;
        if whole || workers_have || !lines.is_empty() {
            let mut data = json!({"whole": whole, "lines": lines});
            if workers_have {
                data["workers"] = shared.worker_logs();
            }
            events.add("logs", &data);
        }
    }

    /// An event that is sent whole, if it is another than before.
    fn whole(&mut self, name: &'static str, data: &Value, events: &mut Events) {
        let text = data.to_string();
        if self.is_new(name, &text) {
            events.add_text(name, &text);
        }
    }

    fn is_new(&mut self, name: &'static str, text: &str) -> bool {
        let before = self.sent.entry(name).or_default();
        let is_new = before != text;
        if is_new {
            text.clone_into(before);
        }
        is_new
    }
}

#[derive(Default)]
struct Events(String);

impl Events {
    fn add(&mut self, name: &str, data: &Value) {
        self.add_text(name, &data.to_string());
    }

    /// JSON has no line break of its own.
    fn add_text(&mut self, name: &str, data: &str) {
        // Writing to a string cannot fail.
        let _ = write!(self.0, "event: {name}\ndata: {data}\n\n");
    }
}

#[cfg(test)]
mod tests {
    use super::super::super::shared::tests::shared_of;
    use super::super::super::status::Status;
    use super::*;
    use crate::stats::{ErrorText, Sample};
    use std::time::Duration;

    fn count(shared: &Shared, name: &str, at: f64) {
        let sample = Sample {
            response_time_ms: Some(12.0),
            response_length: 1,
            generator_lag: Duration::ZERO,
            phases: None,
            at,
        };
        held(shared.session().table()).record("GET", name, sample);
    }

    /// Names of the events, with the data of some.
    fn told(news: &mut News, shared: &Shared) -> FxHashMap<String, Value> {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let text = runtime.block_on(news.all(shared));
        let events = text.split("\n\n").filter_map(|event| event.strip_prefix("event: ")?.split_once("\ndata: "));
        events.map(|(name, data)| (name.to_owned(), serde_json::from_str(data).unwrap())).collect()
    }

    fn names(stats: &Value) -> Vec<&str> {
        stats["rows"].as_array().unwrap().iter().map(|row| row["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn everything_at_first_and_then_what_is_new() {
        let shared = shared_of(Table::new(0.0, true));
        shared.set_status(Status { state: "ready".into(), ..Status::default() });
        (0..100).for_each(|place| count(&shared, &format!("/{place:02}"), 1.0));
        let mut news = News::default();
        let first = told(&mut news, &shared);
        assert_eq!((names(&first["stats"]).len(), first["stats"]["whole"].as_bool()), (100, Some(true)));
        assert_eq!(first["state"]["state"], "ready");
        for name in ["failures", "exceptions", "runs", "lag", "knee", "checks", "annotations", "workers", "logs"] {
            assert!(first.contains_key(name), "{name}");
        }
        assert!(told(&mut news, &shared).is_empty());
        count(&shared, "/07", 1.5);
        shared.log(["a line".to_owned()]);
        held(shared.session().table()).record_error("GET", "/07", ErrorText::of_text("broken"), 1.5);
        let second = told(&mut news, &shared);
        assert_eq!((names(&second["stats"]), second["stats"]["whole"].as_bool()), (vec!["/07"], Some(false)));
        assert_eq!(second["stats"]["total"]["num_requests"], 101);
        assert_eq!(second["failures"]["failures"][0]["error"], "broken");
        assert_eq!(second["logs"], json!({"whole": false, "lines": ["a line"]}));
    }

    #[test]
    fn a_rate_that_falls_is_news_and_one_of_nothing_is_none() {
        let shared = shared_of(Table::new(0.0, true));
        (0..30).for_each(|second| count(&shared, "/a", f64::from(second)));
        let mut news = News::default();
        told(&mut news, &shared);
        // Rates are over the seconds before the last request of any entry.
        count(&shared, "/b", 34.0);
        assert_eq!(names(&told(&mut news, &shared)["stats"]), ["/a", "/b"]);
        count(&shared, "/b", 60.0);
        assert_eq!(names(&told(&mut news, &shared)["stats"]), ["/a", "/b"]);
        count(&shared, "/b", 61.0);
        assert_eq!(names(&told(&mut news, &shared)["stats"]), ["/b"]);
    }

    #[test]
    fn an_emptied_table_is_told_whole() {
        let shared = shared_of(Table::new(0.0, true));
        count(&shared, "/a", 1.0);
        let mut news = News::default();
        told(&mut news, &shared);
        held(shared.session().table()).clear_all(2.0);
        let anew = told(&mut news, &shared);
        assert_eq!((names(&anew["stats"]).len(), anew["stats"]["whole"].as_bool()), (0, Some(true)));
    }
}
