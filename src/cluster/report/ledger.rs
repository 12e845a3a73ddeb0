//! What a master has had of one worker, so that what it has not had can be said.

use std::collections::{BTreeSet, VecDeque};

use super::Stamp;
use crate::stats::Lag;

/// Of one worker.
#[derive(Debug, Clone, Default)]
pub struct Ledger {
    instance: u64,
    /// The newest report, and older ones that did not come.
    sequence: u64,
    missing: BTreeSet<u64>,
    /// The test of the newest report, and how many of its requests came or were said not to have come.
    test: u64,
    accounted: u64,
    /// Of its last heartbeat.
    said: Option<Stamp>,
    has_reported: bool,
    last_report: f64,
    pub users: u64,
    requests: u64,
    failures: u64,
    pub lag: Lag,
    /// When the last reports came, and how many requests were in each.
    recent: VecDeque<(f64, u64)>,
    offset: Option<(f64, f64)>,
    /// What was said of it when it was lost, until it reports again.
    loss: Option<String>,
    /// Of this test, what is missing of reports that did not come.
    unheard: u64,
    clock_was_named: bool,
    /// The worker's test that was the last one when this master began its present one.
    over: Option<(u64, u64)>,
    said_over: bool,
}

/// What is known of a worker's part in the present test.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Figures {
    pub requests: u64,
    pub failures: u64,
    /// Over the last reports.
    pub rps: f64,
    /// How long finished responses waited for Python on that worker: how many are known, median, 95 %, 99 % and the longest
    /// in milliseconds.
    pub lag: (u64, f64, f64, f64, f64),
    /// What is to be added to its clock to have this node's, and how wrong that may be, in seconds.
    pub offset: Option<(f64, f64)>,
    /// When its last report came, in seconds of the epoch.
    pub last_report: Option<f64>,
}

/// How a worker went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Gone {
    /// On its own word: it has reported before it said so.
    Left,
    /// Whether users may have run on it that no report tells of.
    Missing { may_have_counted: bool },
}

/// What becomes of a report.
pub enum Arrival {
    New(Option<String>),
    /// It was merged before.
    Duplicate,
    /// It is of a test that is over; what is to be said of that.
    Over(Option<String>),
}

impl Ledger {
    /// How many reports that did not come are remembered, in case they come later.
    const MOST_MISSING: usize = 64;
    const RECENT: usize = 5;

    /// A report of ours has come, with so many requests: whether it is new, and what is to be said of those before it.
    pub fn arrive(&mut self, node: &str, stamp: &Stamp, requests: u64) -> Arrival {
        let is_first = !self.has_reported || stamp.instance != self.instance;
        if is_first {
            (self.instance, self.sequence, self.has_reported) =
                (stamp.instance, stamp.sequence.saturating_sub(1), true);
            (self.test, self.accounted) = (stamp.test, 0);
            self.missing.clear();
        }
        if stamp.sequence <= self.sequence {
            if !self.missing.remove(&stamp.sequence) || stamp.test != self.test {
                return Arrival::Duplicate;
            }
            self.unheard = self.unheard.saturating_sub(requests);
            return Arrival::New(Some(format!(
                "A report of worker {node} came late: {} in it count.",
                requests_in(requests)
            )));
        }
        if self.over == Some((stamp.instance, stamp.test)) {
            self.sequence = stamp.sequence;
            let is_worth_a_word = requests > 0 && !std::mem::replace(&mut self.said_over, true);
            return Arrival::Over(is_worth_a_word.then(|| {
                format!(
                    "Worker {node} reported requests of the test before this one: they are in no figure of this one."
                )
            }));
        }
        let gap = self.sequence + 1..stamp.sequence;
        if stamp.test != self.test {
            (self.test, self.accounted) = (stamp.test, 0);
        }
        let lost = stamp.counted.saturating_sub(requests).saturating_sub(self.accounted);
        self.missing.extend(gap.clone().rev().take(Self::MOST_MISSING));
        while self.missing.len() > Self::MOST_MISSING {
            self.missing.pop_first();
        }
        self.sequence = stamp.sequence;
        self.accounted = stamp.counted;
        Arrival::New(self.said_of(node, is_first, gap.end - gap.start, lost))
    }

    fn said_of(&mut self, node: &str, is_first: bool, reports: u64, lost: u64) -> Option<String> {
        let was_lost = self.loss.take().is_some();
        if is_first || reports > 0 {
            self.unheard = self.unheard.saturating_add(lost);
        }
        let counted = requests_in(lost);
        match (lost, reports) {
            (0, _) => was_lost.then(|| nothing_is_missing(node)),
            (_, 0) if !is_first => None,
            _ if is_first => Some(format!(
                "Worker {node} had reported {counted} of this test before this master heard of it: they are in no figure."
            )),
            (_, 1) => Some(format!("A report of worker {node} did not arrive: the {counted} in it are in no figure.")),
            _ => Some(format!(
                "{reports} reports of worker {node} did not arrive: the {counted} in them are in no figure."
            )),
        }
    }

    /// Note what was in it.
    pub fn note(&mut self, now: f64, requests: u64, failures: u64, users: u64) {
        self.requests = self.requests.saturating_add(requests);
        self.failures = self.failures.saturating_add(failures);
        self.users = users;
        self.last_report = now;
        if self.recent.len() == Self::RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back((now, requests));
    }

    pub fn heard(&mut self, stamp: Stamp) {
        self.offset = stamp.offset.or(self.offset);
        self.said = Some(stamp);
    }

    /// A heartbeat has come behind all reports that it knows of: those that are not here were lost under way.
    pub fn missing(&mut self, said: &Stamp) -> Vec<u64> {
        let is_known = self.has_reported && said.instance == self.instance;
        if !is_known && said.sequence == 0 {
            // From its first report on, none can be missed unnoticed.
            (self.instance, self.sequence, self.has_reported) = (said.instance, 0, true);
            (self.test, self.accounted) = (said.test, 0);
            self.missing.clear();
        } else if !is_known {
            return Vec::new();
        }
        let newer = self.sequence.saturating_add(1)..=said.sequence;
        self.missing.iter().copied().chain(newer).take(Self::MOST_MISSING).collect()
    }

    /// A report has come that does not say which one it is: what was said when its worker was lost is over.
    pub fn came_back(&mut self, node: &str) -> Option<String> {
        self.loss.take().map(|_| nothing_is_missing(node))
    }

    /// The worker is gone: what it had counted and not reported, as far as that is known.
    pub fn lost(&mut self, node: &str, gone: Gone, now: f64) -> Option<String> {
        let said = self.said.filter(|said| said.instance == self.instance || !self.has_reported);
        let accounted = |said: &Stamp| if said.test == self.test && self.has_reported { self.accounted } else { 0 };
        let missing = said.map_or(0, |said| said.counted.saturating_sub(accounted(&said)));
        let reported_users = std::mem::take(&mut self.users) > 0;
        let may_have_counted = match gone {
            Gone::Left => reported_users && said.is_none(),
            Gone::Missing { may_have_counted } => reported_users || may_have_counted,
        };
        let text = if missing > 0 {
            let counted = requests_in(missing);
            format!("Worker {node} had counted at least {counted} that it has not reported: they are in no figure.")
        } else if !may_have_counted {
            return None;
        } else if self.last_report == 0.0 {
            format!("What worker {node} requested is in no figure: it has never reported.")
        } else {
            let since = (now - self.last_report).max(0.0);
            format!("What worker {node} requested in the {since:.1} s since its last report is in no figure.")
        };
        self.loss = Some(text.clone());
        Some(text)
    }

    /// What of it is in no figure of this test, in sentences.
    pub fn losses(&self, node: &str) -> impl Iterator<Item = String> + use<> {
        let unheard = (self.unheard > 0).then(|| {
            let counted = requests_in(self.unheard);
            format!("{counted} of worker {node} were in reports that did not arrive.")
        });
        self.loss.clone().into_iter().chain(unheard)
    }

    /// What is to be said of its clock, once.
    pub fn name_clock(&mut self, node: &str, correction: f64, last_request: Option<f64>, now: f64) -> Option<String> {
        let ahead = last_request.unwrap_or(now) - now;
        let text = match self.offset {
            Some((_, error)) if correction != 0.0 => {
                let side = if correction > 0.0 { "behind" } else { "ahead of" };
                let apart = correction.abs();
                format!(
                    "The clock of worker {node} is {apart:.1} s {side} this machine's (±{error:.3} s): its times are corrected."
                )
            }
            None if ahead > 2.0 => format!(
                "The clock of worker {node} is at least {ahead:.0} s ahead of this machine's: rates are wrong until the clocks agree."
            ),
            _ => return None,
        };
        (!std::mem::replace(&mut self.clock_was_named, true)).then_some(text)
    }

    pub fn begin(&mut self) {
        // What comes late is of another test. Each begins a new one before it begins users.
        if let Some(said) = self.said.filter(|said| said.instance == self.instance) {
            self.sequence = self.sequence.max(said.sequence);
        }
        self.missing.clear();
        self.over = self.said.map(|said| (said.instance, said.test));
        self.said_over = false;
        self.zero();
    }

    /// What was counted of it counts no more.
    pub fn zero(&mut self) {
        (self.requests, self.failures, self.lag) = (0, 0, Lag::default());
        (self.loss, self.unheard) = (None, 0);
        self.recent.clear();
    }

    /// Whether anything of this test came.
    pub fn has_counted(&self) -> bool {
        self.requests > 0
    }

    pub fn last_report(&self) -> f64 {
        self.last_report
    }

    pub fn figures(&self) -> Figures {
        let [p50, p95, p99, longest] = [0.5, 0.95, 0.99, 1.0].map(|quantile| self.lag.percentile_ms(quantile));
        Figures {
            requests: self.requests,
            failures: self.failures,
            rps: self.rps(),
            lag: (self.lag.count(), p50, p95, p99, longest),
            offset: self.offset,
            last_report: (self.last_report > 0.0).then_some(self.last_report),
        }
    }

    fn rps(&self) -> f64 {
        let Some(((first, _), (last, _))) = self.recent.front().zip(self.recent.back()) else { return 0.0 };
        let since: f64 = self.recent.iter().skip(1).map(|(_, requests)| *requests as f64).sum();
        if last > first { since / (last - first) } else { 0.0 }
    }
}

fn nothing_is_missing(node: &str) -> String {
    format!("Worker {node} has reported what it had counted: nothing of it is missing.")
}

fn requests_in(count: u64) -> String {
    if count == 1 { "1 request".into() } else { format!("{count} requests") }
}
