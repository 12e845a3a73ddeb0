//! A few sentences on a run: what went wrong, what the figures are worth, and what to do next. The rules are in
//! `docs/words.md`, each with its name.

use serde_json::{Value, json};

use super::check::Unit;
use super::{Knee, Outcome, knee::NotFound};
use crate::stats::{Row, Table, Timeline};

/// How much a sentence matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A check that failed, a target that broke.
    Bad,
    /// What makes the figures mean less than they seem.
    Warning,
    Note,
}

/// A sentence, and the rule that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub rule: &'static str,
    pub weight: Weight,
    pub text: String,
}

/// What a failure was, as far as its text tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    TimeOut,
    Server,
    TooMany,
    Refused,
    Client,
    Connection,
    Judged,
}

impl Kind {
    const ALL: [Self; 7] =
        [Self::TimeOut, Self::Server, Self::TooMany, Self::Refused, Self::Client, Self::Connection, Self::Judged];

    pub fn of(text: &str) -> Self {
        let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
        match status(text) {
            Some(504 | 408) => Self::TimeOut,
            Some(429) => Self::TooMany,
            Some(401 | 403) => Self::Refused,
            Some(500..=599) => Self::Server,
            Some(400..=499) => Self::Client,
            _ if has(&["imeout", "timed out", "TIMEDOUT"]) => Self::TimeOut,
            _ if has(&[
                "Connection",
                "connection",
                "RemoteDisconnected",
                "ProtocolError",
                "IncompleteRead",
                "NameResolution",
                "gaierror",
                "SSL",
                "ChunkedEncoding",
                "OSError",
                "socket",
            ]) =>
            {
                Self::Connection
            }
            _ => Self::Judged,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::TimeOut => "time-outs",
            Self::Server => "5xx answers",
            Self::TooMany => "429 answers",
            Self::Refused => "401 or 403 answers",
            Self::Client => "other 4xx answers",
            Self::Connection => "broken or refused connections",
            Self::Judged => "responses that the locustfile judged failed",
        }
    }

    /// What such failures usually mean under load, and where to look.
    fn meaning(self) -> &'static str {
        match self {
            Self::TimeOut => {
                "Time-outs usually mean that requests wait in a line that grows: look for what the server runs out of \
                 (threads, database connections, CPU), and test with fewer users."
            }
            Self::Server => {
                "5xx answers usually mean that the server or something behind it breaks under this load: its log from \
                 the time of the first one tells which."
            }
            Self::TooMany => {
                "429 answers come from a rate limit: the load met the limit, not the server's capacity. Lift it for the \
                 test, or spread the load over more addresses or accounts."
            }
            Self::Refused => {
                "401 and 403 answers usually mean that the test's users are not logged in, or that something protects \
                 the server from it: check log-in and tokens with one user."
            }
            Self::Client => {
                "4xx answers usually mean that the test asks for what is not there or sends what is not right, not that \
                 the server is overloaded: check addresses and data with one user."
            }
            Self::Connection => {
                "Broken or refused connections usually mean that nobody listens there, that a limit of connections is \
                 reached, or that a proxy or the server gives up on them: check the address, and limits on both sides."
            }
            Self::Judged => "They say in their own words what was wrong: see the error report.",
        }
    }
}

/// The status in `HTTPError('503 Server Error: …')`, `BadStatusCode(code=503)` and the like.
fn status(text: &str) -> Option<u16> {
    let after = |mark: &str| {
        let digits = text.split(mark).nth(1)?;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        digits[..end].parse().ok().filter(|status| (100..600).contains(status))
    };
    let mut known = ["HTTPError('", "HTTPError(\"", "code=", "status code: ", "status code ", "HTTP "].into_iter();
    known.find_map(after)
}

/// What the rules look at.
#[derive(Debug)]
pub struct Facts<'a> {
    pub table: &'a Table,
    pub timeline: &'a Timeline,
    pub outcomes: &'a [Outcome],
    pub knee: &'a Knee,
}

/// From this share of all response times on, an entry is named.
const DOMINATES: f64 = 0.4;
/// From this share of the time on, a saturated generator is named.
const OFTEN: f64 = 0.05;
/// How much longer than the median the slowest percent may be.
const LONG_TAIL: f64 = 10.0;

/// The sentences, the most important first.
pub fn words(facts: &Facts<'_>) -> Vec<Word> {
    if facts.table.total().is_empty() {
        let text = "Nothing was requested: no task got as far as a request, or none ended. The log tells what tasks \
                    raised; `-L DEBUG` tells more.";
        let nothing = word("nothing", Weight::Bad, text);
        let missing = incomplete(facts);
        return checks(facts).into_iter().chain([nothing]).chain(missing).chain(exceptions(facts)).collect();
    }
    let rules = [checks, incomplete, errors, exceptions, generator, dominates, tail, knee, next];
    rules.iter().filter_map(|rule| rule(facts)).collect()
}

fn word(rule: &'static str, weight: Weight, text: impl Into<String>) -> Word {
    Word { rule, weight, text: text.into() }
}

impl Word {
    pub fn to_json(&self) -> Value {
        let weight = match self.weight {
            Weight::Bad => "bad",
            Weight::Warning => "warning",
            Weight::Note => "note",
        };
        json!({"rule": self.rule, "weight": weight, "text": self.text})
    }
}

fn checks(facts: &Facts<'_>) -> Option<Word> {
    let failed: Vec<_> = facts.outcomes.iter().filter(|outcome| !outcome.passed).collect();
    let (first, all) = (failed.first()?, facts.outcomes.len());
    let was = match first.measured {
        Some(_) => format!("was {}", first.shown()),
        None => first.remark.clone(),
    };
    let others = match failed.len() - 1 {
        0 => String::new(),
        1 => ", and 1 more".into(),
        more => format!(", and {more} more"),
    };
    let text = format!(
        "{} of {all} {} failed: {}: {} ({was}){others}.",
        failed.len(),
        if all == 1 { "check" } else { "checks" },
        first.subject(),
        first.condition.text
    );
    Some(word("checks", Weight::Bad, text))
}

/// What workers counted and could not report.
fn incomplete(facts: &Facts<'_>) -> Option<Word> {
    let losses = facts.table.losses();
    let first = losses.first()?;
    let more = match losses.len() - 1 {
        0 => String::new(),
        1 => " There is one more such loss; the log tells of it.".into(),
        more => format!(" There are {more} more such losses; the log tells of them."),
    };
    Some(word("incomplete", Weight::Warning, format!("The figures are not whole. {first}{more}")))
}

fn errors(facts: &Facts<'_>) -> Option<Word> {
    let total = facts.table.total();
    let of = |kind: Kind| facts.table.errors().iter().filter(move |error| Kind::of(&error.text) == kind);
    let mut kinds: Vec<_> =
        Kind::ALL.map(|kind| (of(kind).map(|error| error.occurrences).sum::<u64>(), kind)).into_iter().collect();
    kinds.retain(|(count, _)| *count > 0);
    kinds.sort_by_key(|(count, kind)| (std::cmp::Reverse(*count), *kind));
    let (count, most) = *kinds.first()?;
    let failures: u64 = kinds.iter().map(|(count, _)| count).sum();
    let entry = of(most).max_by_key(|error| error.occurrences)?;
    let listed: Vec<_> = kinds.iter().map(|(count, kind)| format!("{count} {}", kind.name())).collect();
    let share = Unit::Share.show(total.fail_ratio());
    let text = format!(
        "{failures} of {} requests failed ({share}): {}; {} at {}. {}",
        total.parts().num_requests,
        listed.join(", "),
        if count == entry.occurrences { "all of the first kind" } else { "most of the first kind" },
        named(&entry.method, &entry.name),
        most.meaning()
    );
    Some(word("errors", Weight::Bad, text))
}

fn exceptions(facts: &Facts<'_>) -> Option<Word> {
    let exceptions = facts.table.exceptions();
    let most = exceptions.iter().max_by_key(|exception| exception.count)?;
    let all: u64 = exceptions.iter().map(|exception| exception.count).sum();
    let times = if all == 1 { "once".into() } else { format!("{all} times") };
    let text = format!(
        "Tasks raised {times}, most often `{}`: a task that raises ends there, so what it had left to do was not \
         tested.",
        most.message.lines().next().unwrap_or_default()
    );
    Some(word("exceptions", Weight::Warning, text))
}

/// The share of the time in which the generator was saturated.
fn saturated(timeline: &Timeline) -> f64 {
    let seconds = |only: bool| {
        let counted = timeline.intervals().iter().filter(|interval| interval.saturated || !only);
        counted.map(crate::stats::timeline::Interval::seconds).sum::<f64>()
    };
    seconds(true) / seconds(false).max(1e-9)
}

fn generator(facts: &Facts<'_>) -> Option<Word> {
    let share = saturated(facts.timeline);
    let whole = facts.table.lag().warning(facts.table.total().median_response_time().as_f64());
    if share < OFTEN && whole.is_none() {
        return None;
    }
    let p99 = Unit::Milliseconds.show(facts.table.lag().percentile_ms(0.99));
    let when = if share >= OFTEN {
        format!("in {} of the time", Unit::Share.show((share * 100.0).round() / 100.0))
    } else {
        "at times".into()
    };
    let unknown =
        if facts.knee.found.is_ok() { "" } else { ", so what the target could take is not known from this run" };
    let text = format!(
        "The load generator was the limit {when}: finished responses waited for Python (99 % of them up to {p99}). The \
         response times are right; the load was lower than asked for{unknown}."
    );
    Some(word("generator", Weight::Warning, text))
}

fn dominates(facts: &Facts<'_>) -> Option<Word> {
    let rows: Vec<&Row> = facts.table.rows().iter().filter(|row| !row.is_empty()).collect();
    let time = |row: &Row| row.parts().total_response_time;
    let all: f64 = rows.iter().map(|row| time(row)).sum();
    let first = rows.iter().max_by(|a, b| time(a).total_cmp(&time(b)))?;
    let share = time(first) / all.max(1e-9);
    if rows.len() < 2 || share < DOMINATES {
        return None;
    }
    let requests = first.parts().num_requests as f64 / facts.table.total().parts().num_requests.max(1) as f64;
    let text = format!(
        "{} took {:.0} % of all response time with {:.0} % of the requests: what is gained there is gained for the \
         users.",
        named(&first.method, &first.name),
        share * 100.0,
        requests * 100.0
    );
    Some(word("dominates", Weight::Note, text))
}

fn tail(facts: &Facts<'_>) -> Option<Word> {
    let spread = |row: &Row| (row.quantile_ms(0.5), row.quantile_ms(0.99));
    let enough = facts.table.rows().iter().filter(|row| row.parts().num_requests >= 200);
    let long = enough.filter(|row| spread(row).1 > LONG_TAIL * spread(row).0.max(1.0));
    let worst = long.max_by(|a, b| spread(a).1.total_cmp(&spread(b).1))?;
    let (median, p99) = spread(worst);
    let show = |ms| Unit::Milliseconds.show(ms);
    let text = format!(
        "{} is uneven: 1 % of its requests took longer than {}, at a median of {}. Look for what only some requests \
         meet: a lock, a cold cache, a pause, a full pool.",
        named(&worst.method, &worst.name),
        show(p99),
        show(median)
    );
    Some(word("tail", Weight::Note, text))
}

fn knee(facts: &Facts<'_>) -> Option<Word> {
    match facts.knee.found {
        Ok(found) => {
            let text = format!(
                "The knee was at {:.0} users and {}: up to there users added throughput, beyond it they added waiting \
                 (95 % answered within {} at the knee).",
                found.users,
                Unit::PerSecond.show(found.rps),
                Unit::Milliseconds.show(found.p95_ms)
            );
            Some(word("knee", Weight::Note, text))
        }
        Err(NotFound::NoLimit) => Some(word(
            "no-knee",
            Weight::Note,
            "Throughput grew with the users up to the end: the target's limit was not reached.",
        )),
        Err(NotFound::HeldUpElsewhere) => Some(word(
            "held-up",
            Weight::Warning,
            "Throughput stopped growing with the users, but the response times did not grow: users were held up \
             outside the target, by their own machine, a shared lock or a wait in the locustfile.",
        )),
        Err(NotFound::NoRamp | NotFound::Generator) => None,
    }
}

/// One piece of advice: the first that applies.
fn next(facts: &Facts<'_>) -> Option<Word> {
    let failed = facts.table.total().fail_ratio();
    let is_limited = saturated(facts.timeline) >= OFTEN;
    let text = match &facts.knee.found {
        _ if failed > 0.01 => {
            "Next: find the cause of the failures before reading anything into the response times, because failed \
             requests are often faster or slower than others."
                .into()
        }
        _ if is_limited => "Next: make the tasks cheaper or spread them over more machines, and run again.".into(),
        Ok(found) => format!(
            "Next: run for longer with about {:.0} users, four fifths of the knee, to see how the target does at a load \
             that it can take; and profile it beyond the knee to see what it runs out of.",
            (found.users * 0.8).max(1.0)
        ),
        Err(NotFound::NoLimit) => "Next: run with more users, until throughput stops growing.".into(),
        Err(NotFound::NoRamp) if facts.outcomes.is_empty() => {
            "Next: let a pipeline judge such runs with `--check`, or find the target's limit with a slow ramp \
             (`-u` high, `-r` low)."
                .into()
        }
        Err(_) => return None,
    };
    Some(word("next", Weight::Note, text))
}

fn named(method: &str, name: &str) -> String {
    if method.is_empty() { format!("`{name}`") } else { format!("`{method} {name}`") }
}

#[cfg(test)]
#[path = "words_tests.rs"]
mod tests;
