//! The runs of one process: the one that is recorded and judged now, and the last few before it, as others look at them
//! while they go on.
//!
//! Locks are taken in this order: runs, timeline, table, judge.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::words::{Facts, Word, words};
use super::{Check, Judge, Knee, Outcome};
use crate::stats::timeline::{Recorder, Seen};
use crate::stats::{Annotation, Table, Timeline};
use crate::sync::held;

/// What is recorded, and what was.
pub struct Session {
    table: Arc<Mutex<Table>>,
    recorder: Recorder,
    judge: Arc<Mutex<Judge>>,
    runs: Mutex<Runs>,
    /// What was concluded last, which costs more to conclude than to show.
    concluded: Mutex<Option<Concluded>>,
}

#[derive(Default)]
struct Runs {
    /// Of the present one; 0 before the first.
    number: u64,
    profile: Option<String>,
    /// How often the table had been emptied when it began.
    age: u64,
    past: VecDeque<Past>,
}

/// A run that is over.
struct Past {
    number: u64,
    profile: Option<String>,
    age: u64,
    timeline: Timeline,
}

/// Whether the run keeps to its checks, and what there is to say.
#[derive(Debug, Clone, Default)]
pub struct Settled {
    pub outcomes: Vec<Outcome>,
    pub words: Vec<Word>,
}

struct Concluded {
    at: Instant,
    run: u64,
    knee: Value,
    checks: Value,
}

impl Session {
    /// How many runs are kept beside the present one.
    pub const KEPT: usize = 10;
    /// Of a run that is over: enough for its charts.
    const INTERVALS_KEPT: usize = 300;
    const CONCLUDED_ANEW: Duration = Duration::from_secs(2);

    /// `broken` hears of each check over a window that is broken. With `is_paused`, nothing is recorded before
    /// [`Session::begin`].
    pub fn start(
        table: Arc<Mutex<Table>>,
        checks: Vec<Check>,
        interval: Duration,
        is_paused: bool,
        mut broken: impl FnMut(String) + Send + 'static,
    ) -> io::Result<Self> {
        let judge = Arc::new(Mutex::new(Judge::new(checks)));
        let watching = Arc::clone(&judge);
        let watch = Box::new(move |timeline: &Timeline| {
            if let Some(text) = held(&watching).watch(timeline) {
                broken(text);
            }
        });
        let recorder = Recorder::start(Arc::clone(&table), interval, is_paused, watch)?;
        Ok(Self { table, recorder, judge, runs: Mutex::default(), concluded: Mutex::default() })
    }

    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What counts the present run.
    pub fn table(&self) -> &Arc<Mutex<Table>> {
        &self.table
    }

    /// The number of the present run; 0 before the first.
    pub fn run(&self) -> u64 {
        held(&self.runs).number
    }

    /// A test begins, whose statistics have been emptied. Gives its number.
    pub fn begin(&self, profile: Option<String>) -> u64 {
        let mut runs = held(&self.runs);
        let mut over = self.recorder.begin();
        held(&self.judge).forget();
        if runs.number > 0 && over.seconds() > 0.0 {
            over.thin(Self::INTERVALS_KEPT, Timeline::MOST_CELLS_KEPT);
            let past = Past { number: runs.number, profile: runs.profile.take(), age: runs.age, timeline: over };
            runs.past.push_back(past);
            if runs.past.len() > Self::KEPT {
                runs.past.pop_front();
            }
        }
        runs.number += 1;
        runs.profile = profile;
        runs.age = held(&self.table).ages().0;
        runs.number
    }

    /// The test has ended: nothing more is recorded until the next one begins.
    pub fn end(&self) {
        self.recorder.pause();
        *held(&self.concluded) = None;
    }

    /// What the run is worth as it stands.
    pub fn settle(&self) -> Settled {
        self.settled_with(&self.present_knee())
    }

    /// The timeline is held for the copy only.
    fn present_knee(&self) -> Knee {
        let intervals = self.recorder.timeline().intervals().to_vec();
        Knee::of(&intervals)
    }

    fn settled_with(&self, knee: &Knee) -> Settled {
        let (timeline, table) = (self.recorder.timeline(), held(&self.table));
        let outcomes = held(&self.judge).outcomes(&table, &timeline);
        let words = words(&Facts { table: &table, timeline: &timeline, outcomes: &outcomes, knee });
        Settled { outcomes, words }
    }

    /// What somebody who watches the present run has not seen of it: the data of the stream's `timeline`.
    pub fn timeline_event(&self, seen: &mut Seen) -> Option<Value> {
        let runs = held(&self.runs);
        if runs.number == 0 {
            return None;
        }
        self.recorder.timeline().news(runs.number, seen)
    }

    /// A run from its start to its end, the present one if none is named; `None` where it is not kept.
    pub fn timeline(&self, run: Option<u64>) -> Option<Value> {
        self.with_run(run, |number, timeline| timeline.total_json(number))
    }

    /// One entry of a run; `None` where the run is not kept.
    pub fn entry(&self, run: Option<u64>, method: &str, name: &str) -> Option<Value> {
        self.with_run(run, |number, timeline| timeline.entry_json(number, method, name))
    }

    fn with_run<T>(&self, run: Option<u64>, show: impl FnOnce(u64, &Timeline) -> T) -> Option<T> {
        let runs = held(&self.runs);
        let wanted = run.unwrap_or(runs.number);
        if wanted == runs.number {
            return Some(show(wanted, &self.recorder.timeline()));
        }
        let past = runs.past.iter().find(|past| past.number == wanted)?;
        Some(show(wanted, &past.timeline))
    }

    /// All runs that are kept, the present one last.
    pub fn runs(&self) -> Value {
        let runs = held(&self.runs);
        let past = runs.past.iter().map(|past| summary(past.number, past.profile.as_deref(), &past.timeline, false));
        let present = (runs.number > 0).then(|| {
            let is_active = !self.recorder.is_paused();
            summary(runs.number, runs.profile.as_deref(), &self.recorder.timeline(), is_active)
        });
        json!({"runs": past.chain(present).collect::<Vec<_>>()})
    }

    /// What was said of moments, and in which run each was: 0 for one before all that are kept.
    pub fn annotations(&self) -> Value {
        let runs = held(&self.runs);
        let past = runs.past.iter().map(|past| (past.number, past.age));
        let begun: Vec<(u64, u64)> = past.chain([(runs.number, runs.age)]).collect();
        let said = |annotation: &Annotation| {
            let run = begun.iter().rev().find(|(_, age)| *age <= annotation.age).map_or(0, |(run, _)| *run);
            let mut said = annotation.to_json();
            said["run"] = run.into();
            said
        };
        json!({"annotations": held(&self.table).annotations().iter().map(said).collect::<Vec<_>>()})
    }

    /// How long finished responses waited for Python; `null` where none was the engine's.
    pub fn lag(&self) -> Value {
        let table = held(&self.table);
        table.lag().to_json(table.total().median_response_time().as_f64()).into()
    }

    /// Response times against users so far.
    pub fn knee(&self) -> Value {
        self.concluded(|concluded| concluded.knee.clone())
    }

    /// Every check as it stands, and the run in a few sentences.
    pub fn checks(&self) -> Value {
        self.concluded(|concluded| concluded.checks.clone())
    }

    fn concluded(&self, show: impl FnOnce(&Concluded) -> Value) -> Value {
        let run = self.run();
        let mut last = held(&self.concluded);
        let is_fresh = |last: &&mut Concluded| last.run == run && last.at.elapsed() < Self::CONCLUDED_ANEW;
        if let Some(last) = last.as_mut().filter(is_fresh) {
            return show(last);
        }
        let knee = self.present_knee();
        let Settled { outcomes, words } = self.settled_with(&knee);
        let checks = json!({
            "run": run,
            "checks": outcomes.iter().map(Outcome::to_json).collect::<Vec<_>>(),
            "words": words.iter().map(Word::to_json).collect::<Vec<_>>(),
        });
        show(last.insert(Concluded { at: Instant::now(), run, knee: knee.to_json(), checks }))
    }
}

fn summary(number: u64, profile: Option<&str>, timeline: &Timeline, is_active: bool) -> Value {
    let intervals = timeline.intervals();
    let users = intervals.iter().map(|interval| interval.users.1).max().unwrap_or(0);
    let sum = |count: fn(&crate::stats::timeline::Counts) -> u64| {
        intervals.iter().map(|interval| count(&interval.counts)).sum::<u64>()
    };
    let ended = timeline.started() + timeline.seconds();
    json!({
        "run": number,
        "profile": profile,
        "started": timeline.started(),
        "ended": (!is_active).then_some(ended),
        "seconds": timeline.seconds(),
        "users": users,
        "requests": sum(|counts| counts.requests),
        "failures": sum(|counts| counts.failures),
    })
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
