//! What a run must keep to, as people write it: `GET /api/orders: p99 < 1s, fail_ratio < 1% over 30s`.
//!
//! ```text
//! check      := [ entry ":" ] condition { "," condition }
//! condition  := metric operator value [ "over" time ]
//! metric     := pNN | median | avg | min | max | requests | failures | fail_ratio | rps | fail_rps | lag
//! operator   := "<" | "<=" | ">" | ">=" | "=="
//! value      := a time (500us, 500ms, 1.5s, 2m), a share (1%, 0.01) or a number, as the metric has it
//! entry      := a name as the statistics have it, with or without its method; up to the last colon
//! ```

use std::fmt;

/// Several conditions on one entry, or on the whole run.
#[derive(Debug, Clone, PartialEq)]
pub struct Check {
    /// `None`: the whole run.
    pub entry: Option<String>,
    pub conditions: Vec<Condition>,
}

#[derive(Debug, Clone, PartialEq)]
pub struct Condition {
    pub metric: Metric,
    pub operator: Operator,
    /// Milliseconds, a share from 0 to 1, or a number: see [`Metric::unit`].
    pub limit: f64,
    /// `None`: over the whole run. Else seconds: it must hold in every window of this length.
    pub window: Option<f64>,
    /// As it was written.
    pub text: String,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Metric {
    /// A quantile of the response times; its percentage, as it was written, is shown.
    Quantile(f64),
    Average,
    Min,
    Max,
    Requests,
    Failures,
    FailRatio,
    Rps,
    FailRps,
    /// The 99th percentile of the generator lag.
    Lag,
}

/// What a limit is given in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    Milliseconds,
    Share,
    Number,
    PerSecond,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operator {
    Less,
    AtMost,
    Greater,
    AtLeast,
    Equal,
}

/// What cannot be understood, and where.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct Mistake {
    pub check: String,
    /// In characters from the beginning.
    pub at: usize,
    pub what: String,
}

impl fmt::Display for Mistake {
    /// Three lines: what is wrong, the check, and a caret under the place.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: String = self.check.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
        write!(f, "{}\n  {shown}\n  {:>width$}", self.what, "^", width = self.at + 1)
    }
}

impl Metric {
    const NAMES: [(&'static str, Self); 13] = [
        ("avg", Self::Average),
        ("average", Self::Average),
        ("mean", Self::Average),
        ("median", Self::Quantile(0.5)),
        ("min", Self::Min),
        ("max", Self::Max),
        ("requests", Self::Requests),
        ("failures", Self::Failures),
        ("fail_ratio", Self::FailRatio),
        ("rps", Self::Rps),
        ("fail_rps", Self::FailRps),
        ("lag", Self::Lag),
        ("generator_lag", Self::Lag),
    ];
    const SHOWN: &str = "`p95` (any percentile), `median`, `avg`, `min`, `max`, `requests`, `failures`, `fail_ratio`, `rps`, \
                         `fail_rps` or `lag`";

    pub fn unit(self) -> Unit {
        match self {
            Self::Quantile(_) | Self::Average | Self::Min | Self::Max | Self::Lag => Unit::Milliseconds,
            Self::FailRatio => Unit::Share,
            Self::Requests | Self::Failures => Unit::Number,
            Self::Rps | Self::FailRps => Unit::PerSecond,
        }
    }

    fn named(word: &str) -> Option<Self> {
        let known = Self::NAMES.iter().find(|(name, _)| *name == word).map(|(_, metric)| *metric);
        known.or_else(|| {
            let percent: f64 = word.strip_prefix('p').filter(|digits| is_number(digits))?.parse().ok()?;
            (percent > 0.0 && percent <= 100.0).then_some(Self::Quantile(percent / 100.0))
        })
    }
}

impl Unit {
    /// What a limit looks like, for a message.
    fn wanted(self) -> &'static str {
        match self {
            Self::Milliseconds => "a time with its unit, as `500ms`, `1.5s` or `800us`",
            Self::Share => "a share, as `1%` or `0.01`",
            Self::Number => "a whole number",
            Self::PerSecond => "a number of events per second, as `100`",
        }
    }

    fn parse(self, text: &str) -> Option<f64> {
        match self {
            Self::Milliseconds => time_ms(text),
            Self::Share => match text.strip_suffix('%') {
                Some(percent) => number(percent.trim_end()).filter(|percent| *percent <= 100.0).map(|p| p / 100.0),
                None => number(text).filter(|share| *share <= 1.0),
            },
            Self::Number => number(text).filter(|count| count.fract() == 0.0),
            Self::PerSecond => number(text.strip_suffix("/s").unwrap_or(text).trim_end()),
        }
    }

    /// As tables show a value.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::Milliseconds if value < 1.0 => format!("{:.0}us", value * 1000.0),
            Self::Milliseconds if value < 10.0 => format!("{}ms", round(value, 2)),
            Self::Milliseconds if value < 10_000.0 => format!("{}ms", round(value, 1)),
            Self::Milliseconds => format!("{}s", round(value / 1000.0, 2)),
            Self::Share => format!("{}%", round(value * 100.0, 3)),
            Self::Number => format!("{value:.0}"),
            Self::PerSecond => format!("{}/s", round(value, if value < 10.0 { 2 } else { 1 })),
        }
    }
}

impl Operator {
    /// Longer ones first.
    const SIGNS: [(&'static str, Self); 5] =
        [("<=", Self::AtMost), (">=", Self::AtLeast), ("==", Self::Equal), ("<", Self::Less), (">", Self::Greater)];

    pub fn sign(self) -> &'static str {
        Self::SIGNS.iter().find(|(_, operator)| *operator == self).map_or("", |(sign, _)| sign)
    }

    pub fn holds(self, measured: f64, limit: f64) -> bool {
        match self {
            Self::Less => measured < limit,
            Self::AtMost => measured <= limit,
            Self::Greater => measured > limit,
            Self::AtLeast => measured >= limit,
            // What was measured is a float; what is meant is the figure that was written.
            Self::Equal => (measured - limit).abs() <= 1e-9 * limit.abs().max(1.0),
        }
    }

    /// Whether `a` is further from holding than `b`.
    pub fn is_worse(self, a: f64, b: f64, limit: f64) -> bool {
        match self {
            Self::Less | Self::AtMost => a > b,
            Self::Greater | Self::AtLeast => a < b,
            Self::Equal => (a - limit).abs() > (b - limit).abs(),
        }
    }
}

impl Check {
    pub fn parse(text: &str) -> Result<Self, Mistake> {
        let (entry, begin) = match text.rfind(':') {
            Some(colon) => (Some(&text[..colon]), colon + 1),
            None => (None, 0),
        };
        if entry.is_some_and(|entry| entry.trim().is_empty()) {
            return Err(mistake(
                text,
                0,
                "an entry's name is expected before the colon, as in `GET /orders: p95 < 1s`",
            ));
        }
        let entry = entry.map(|entry| unquoted(entry.trim()).to_owned()).filter(|entry| entry != "Aggregated");
        let mut parser = Parser { text, at: begin };
        let mut conditions = vec![parser.condition(entry.is_some())?];
        while parser.skip(",") {
            conditions.push(parser.condition(entry.is_some())?);
        }
        match parser.rest().trim_start() {
            "" => Ok(Self { entry, conditions }),
            _ => {
                Err(parser.mistake("a comma before another condition, `over` and a time, or the end is expected here"))
            }
        }
    }
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Parser<'a> {
    fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    /// Go to the next thing that is no space.
    fn spaces(&mut self) {
        self.at = self.text.len() - self.rest().trim_start().len();
    }

    fn skip(&mut self, expected: &str) -> bool {
        self.spaces();
        let found = self.rest().starts_with(expected);
        if found {
            self.at += expected.len();
        }
        found
    }

    /// All characters that belong to a word or a number with its unit.
    fn word(&mut self) -> &'a str {
        self.spaces();
        let rest = self.rest();
        let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '.' | '%' | '/' | '+' | '-');
        let end = rest.find(|c| !is_part(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    fn mistake(&mut self, what: &str) -> Mistake {
        self.spaces();
        mistake(self.text, self.at, what)
    }

    fn condition(&mut self, of_an_entry: bool) -> Result<Condition, Mistake> {
        self.spaces();
        let begin = self.at;
        let word = self.word();
        let metric = Metric::named(&word.to_ascii_lowercase()).ok_or_else(|| self.no_metric(begin, word))?;
        if metric == Metric::Lag && of_an_entry {
            return Err(mistake(
                self.text,
                begin,
                "the generator lag is the whole run's: write `lag` in a check without an entry",
            ));
        }
        let operator = self.operator()?;
        let limit = self.limit(metric)?;
        let end = self.at;
        let window = self.window(metric)?;
        let text = self.text[begin..if window.is_some() { self.at } else { end }].trim().to_owned();
        Ok(Condition { metric, operator, limit, window, text })
    }

    fn no_metric(&self, begin: usize, word: &str) -> Mistake {
        let what = match word {
            "" => format!("a metric is expected here: {}", Metric::SHOWN),
            word => format!("`{word}` is no metric; there is {}", Metric::SHOWN),
        };
        mistake(self.text, begin, &what)
    }

    fn operator(&mut self) -> Result<Operator, Mistake> {
        let found = Operator::SIGNS.into_iter().find(|(sign, _)| self.skip(sign));
        found.map(|(_, operator)| operator).ok_or_else(|| self.mistake("`<`, `<=`, `>`, `>=` or `==` is expected here"))
    }

    fn limit(&mut self, metric: Metric) -> Result<f64, Mistake> {
        self.spaces();
        let (begin, unit) = (self.at, metric.unit());
        let mut word = self.word();
        // `500 ms`, `1 %`: a unit may stand apart.
        let after = self.at;
        let apart = self.word();
        if is_number(word) && matches!(apart, "us" | "ms" | "s" | "m" | "%" | "/s") {
            word = &self.text[begin..self.at];
        } else {
            self.at = after;
        }
        let close = word.split_whitespace().collect::<String>();
        unit.parse(&close).ok_or_else(|| {
            let what = match word {
                "" => format!("{} is expected here", unit.wanted()),
                word => format!("`{word}` is not what `{}` is compared with: {}", self.name_of(metric), unit.wanted()),
            };
            mistake(self.text, begin, &what)
        })
    }

    fn name_of(&self, metric: Metric) -> String {
        let known = Metric::NAMES.iter().find(|(_, other)| *other == metric).map(|(name, _)| (*name).to_owned());
        known.unwrap_or_else(|| match metric {
            Metric::Quantile(quantile) => format!("p{}", round(quantile * 100.0, 6)),
            _ => String::new(),
        })
    }

    fn window(&mut self, metric: Metric) -> Result<Option<f64>, Mistake> {
        self.spaces();
        let begin = self.at;
        if self.word() != "over" {
            self.at = begin;
            return Ok(None);
        }
        if metric == Metric::Lag {
            return Err(mistake(self.text, begin, "the generator lag is checked over the whole run: leave out `over`"));
        }
        self.spaces();
        let begin = self.at;
        let time = time_ms(self.word()).map(|ms| ms / 1000.0);
        let wrong = || mistake(self.text, begin, "a time of at least a second is expected here, as `30s` or `2m`");
        time.filter(|seconds| *seconds >= 1.0).map(Some).ok_or_else(wrong)
    }
}

fn mistake(text: &str, byte: usize, what: &str) -> Mistake {
    Mistake { check: text.into(), at: text[..byte].chars().count(), what: what.into() }
}

fn unquoted(entry: &str) -> &str {
    ['"', '\''].into_iter().find_map(|quote| entry.strip_prefix(quote)?.strip_suffix(quote)).unwrap_or(entry)
}

fn time_ms(text: &str) -> Option<f64> {
    let units = [("us", 0.001), ("µs", 0.001), ("ms", 1.0), ("s", 1000.0), ("m", 60_000.0)];
    units.into_iter().find_map(|(unit, scale)| Some(number(text.strip_suffix(unit)?)? * scale))
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || c == '.') && text.parse::<f64>().is_ok()
}

fn number(text: &str) -> Option<f64> {
    is_number(text).then(|| text.parse().ok()).flatten()
}

/// With no more than so many decimals, and no zeros at the end.
fn round(value: f64, decimals: usize) -> String {
    let text = format!("{value:.decimals$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    type Parsed = (Metric, &'static str, f64, Option<f64>);

    fn parsed(text: &str) -> (Option<String>, Vec<Parsed>) {
        let check = Check::parse(text).unwrap();
        let condition = |c: &Condition| (c.metric, c.operator.sign(), c.limit, c.window);
        (check.entry, check.conditions.iter().map(condition).collect())
    }

    #[test]
    fn reads_what_is_written() {
        assert_eq!(parsed("p95 < 500ms"), (None, vec![(Metric::Quantile(0.95), "<", 500.0, None)]));
        let orders = parsed("GET /api/orders: p99 < 1s, fail_ratio<1%, rps > 100 over 30s");
        let conditions = vec![
            (Metric::Quantile(0.99), "<", 1000.0, None),
            (Metric::FailRatio, "<", 0.01, None),
            (Metric::Rps, ">", 100.0, Some(30.0)),
        ];
        assert_eq!(orders, (Some("GET /api/orders".into()), conditions));
        assert_eq!(parsed("http://a:1/x: max <= 2 s").0.as_deref(), Some("http://a:1/x"));
        assert_eq!(parsed("'/a: b': median<=800us over 2m").1, [(Metric::Quantile(0.5), "<=", 0.8, Some(120.0))]);
        assert_eq!(parsed("Aggregated: failures == 0, requests>=10").0, None);
        assert_eq!(parsed("p99.9 < 2s , lag<50 ms").1[1], (Metric::Lag, "<", 50.0, None));
    }

    #[test]
    fn a_mistake_points_at_its_place() {
        let wrong = [
            "",
            "p95",
            "p95 <",
            "p95 < 500",
            "p95 < 500 parsecs",
            "p195 < 1s",
            "GET /a: p95 < 1s; p99 < 2s",
            "GET /a: speed > 1",
            " : p95 < 1s",
            "GET /a: lag < 5ms",
            "fail_ratio < 150%",
            "requests > 1.5",
            "p95 = 500ms",
            "p95 < 1s over lunch",
            "ünï: p95 < x",
            "p95 < 1s,",
        ];
        let told: Vec<_> = wrong.iter().map(|text| Check::parse(text).unwrap_err().to_string()).collect();
        insta::assert_snapshot!(told.join("\n"));
    }

    #[test]
    fn values_are_shown_as_they_are_written() {
        let shown = [0.25, 1.5, 500.0, 12_345.0].map(|value| Unit::Milliseconds.show(value));
        assert_eq!(shown, ["250us", "1.5ms", "500ms", "12.35s"]);
        assert_eq!((Unit::Share.show(0.0125), Unit::PerSecond.show(104.26)), ("1.25%".into(), "104.3/s".into()));
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "\\PC{0,40}") {
            if let Err(mistake) = Check::parse(&text) {
                prop_assert!(mistake.at <= text.chars().count());
            }
        }
    }
}
