//! What changed between two runs, and how sure one can be of it.
//!
//! A run's requests are not independent: seconds in which a server is slow come together. So the scatter of a figure is
//! found by resampling whole stretches of time, the circular block bootstrap (Politis and Romano 1992, after Künsch 1989)
//! over the time slices that `--json-file` keeps, with blocks whose length grows with the cube root of their number (Hall,
//! Horowitz and Jing 1995). It is never taken for smaller than requests that were independent would have (Woodruff 1952).
//!
//! The difference of the logarithms of a quantile, or of two shares of failures, is judged by Welch's test, and all
//! figures of all entries together by Holm's procedure (1979): where nothing changed, one claim in twenty comparisons
//! of whole runs is false, not one in twenty figures. A change is claimed only if it is also large enough to matter.

mod bootstrap;
mod read;
mod student;

pub use read::{Entry, RunFile, Slice};

use bootstrap::{Estimate, Sampler};

/// What is claimed, and on what terms.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// The smallest relative change of a response time that matters.
    pub threshold: f64,
    /// The smallest change of the share of failures that matters: half a percent of the requests.
    pub fail_threshold: f64,
    /// And the smallest change of a response time, in milliseconds: below it clocks and schedulers are measured.
    pub least_ms: f64,
    /// How seldom a false claim may be.
    pub level: f64,
    pub replicates: u32,
}

impl Default for Settings {
    fn default() -> Self {
        Self { threshold: 0.05, fail_threshold: 0.005, least_ms: 0.2, level: 0.05, replicates: 500 }
    }
}

/// A figure that is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Figure {
    Quantile(f64),
    FailRatio,
}

impl Figure {
    pub const ALL: [Self; 4] = [Self::Quantile(0.5), Self::Quantile(0.95), Self::Quantile(0.99), Self::FailRatio];

    pub fn name(self) -> &'static str {
        match self {
            Self::Quantile(quantile) if quantile < 0.9 => "p50",
            Self::Quantile(quantile) if quantile < 0.97 => "p95",
            Self::Quantile(_) => "p99",
            Self::FailRatio => "fail_ratio",
        }
    }
}

/// What is concluded of a figure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Conclusion {
    Worse,
    Better,
    /// A change that would matter is ruled out.
    Same,
    /// Neither a change nor its absence is shown.
    Unclear,
}

impl Conclusion {
    pub fn name(self) -> &'static str {
        match self {
            Self::Worse => "worse",
            Self::Better => "better",
            Self::Same => "same",
            Self::Unclear => "unclear",
        }
    }
}

/// One figure of one entry, compared.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub figure: Figure,
    /// Milliseconds, or a share.
    pub base: f64,
    pub new: f64,
    /// New over base minus one; of shares their difference.
    pub effect: f64,
    /// Where the effect lies with a probability of 95 %.
    pub interval: (f64, f64),
    /// Adjusted for the number of comparisons.
    pub p_value: f64,
    pub conclusion: Conclusion,
}

/// An entry of one run or of both.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    pub method: String,
    pub name: String,
    pub requests: (u64, u64),
    pub rps: (f64, f64),
    /// How likely a request of the new run is slower than one of the base (Vargha and Delaney's A): 0.5 without a change.
    pub slower_share: Option<f64>,
    pub changes: Vec<Change>,
}

/// The comparison of two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct Comparison {
    pub entries: Vec<Compared>,
    /// Whether a file had no time slices, so that requests had to be taken for independent.
    pub is_limited: bool,
    pub settings: Settings,
}

impl Comparison {
    pub fn changes(&self) -> impl Iterator<Item = (&Compared, &Change)> {
        self.entries.iter().flat_map(|entry| entry.changes.iter().map(move |change| (entry, change)))
    }

    pub fn count(&self, conclusion: Conclusion) -> usize {
        self.changes().filter(|(_, change)| change.conclusion == conclusion).count()
    }
}

/// Fewer requests beyond a quantile say nothing of it.
const ENOUGH_BEYOND: f64 = 20.0;
/// Without time slices nobody knows how much requests had in common; what is known to be too little is doubled.
const WITHOUT_SLICES: f64 = 2.0;

pub fn compare(base: &RunFile, new: &RunFile, settings: Settings) -> Comparison {
    let mut names: Vec<_> = base.entries.iter().chain(&new.entries).map(|entry| (&entry.name, &entry.method)).collect();
    names.sort();
    names.dedup();
    let mut entries: Vec<_> = names
        .into_iter()
        .map(|(name, method)| compared(method, name, base.entry(method, name), new.entry(method, name), &settings))
        .collect();
    adjust(&mut entries, &settings);
    let is_limited = base.entries.iter().chain(&new.entries).any(|entry| !entry.has_slices);
    Comparison { entries, is_limited, settings }
}

fn compared(method: &str, name: &str, base: Option<&Entry>, new: Option<&Entry>, settings: &Settings) -> Compared {
    let mut samplers = None;
    if let (Some(base), Some(new)) = (base, new) {
        samplers = Some((Sampler::new(base, settings.replicates, 1), Sampler::new(new, settings.replicates, 2)));
    }
    let changes = samplers.iter().flat_map(|(base, new)| {
        Figure::ALL.into_iter().filter_map(|figure| change(figure, base, new, settings)).collect::<Vec<_>>()
    });
    let of = |value: fn(&Entry) -> f64| (base.map_or(0.0, value), new.map_or(0.0, value));
    let requests = of(|entry| entry.requests() as f64);
    Compared {
        method: method.into(),
        name: name.into(),
        requests: (requests.0 as u64, requests.1 as u64),
        rps: of(Entry::rps),
        changes: changes.collect(),
        slower_share: samplers.as_ref().and_then(|(base, new)| bootstrap::slower_share(base, new)),
    }
}

fn change(figure: Figure, base: &Sampler, new: &Sampler, settings: &Settings) -> Option<Change> {
    let (before, after) = (base.estimate(figure)?, new.estimate(figure)?);
    let scale = |entry: &Estimate| if entry.has_slices { entry.error } else { entry.error * WITHOUT_SLICES };
    let (a, b) = (scale(&before), scale(&after));
    let error = a.hypot(b).max(1e-9);
    let difference = after.value - before.value;
    // Welch and Satterthwaite.
    let freedom = error.powi(4) / (a.powi(4) / before.freedom + b.powi(4) / after.freedom).max(1e-300);
    let p_value = student::two_sided(difference / error, freedom);
    let reach = student::quantile_95(freedom) * error;
    let shown = |value: f64| if figure == Figure::FailRatio { value } else { value.exp_m1() };
    Some(Change {
        figure,
        base: before.shown,
        new: after.shown,
        effect: shown(difference),
        interval: (shown(difference - reach), shown(difference + reach)),
        p_value,
        conclusion: if within(figure, shown(difference - reach), shown(difference + reach), before.shown, settings) {
            Conclusion::Same
        } else {
            Conclusion::Unclear
        },
    })
}

/// What matters of this figure's change: as a share of the base, or of the requests.
fn threshold(figure: Figure, base: f64, settings: &Settings) -> f64 {
    match figure {
        Figure::FailRatio => settings.fail_threshold,
        Figure::Quantile(_) => settings.threshold.max(settings.least_ms / base.max(1e-9)),
    }
}

fn within(figure: Figure, low: f64, high: f64, base: f64, settings: &Settings) -> bool {
    let limit = threshold(figure, base, settings);
    -limit < low && high < limit
}

/// Holm's procedure over all figures, and the claims that are left.
fn adjust(entries: &mut [Compared], settings: &Settings) {
    let mut changes: Vec<&mut Change> = entries.iter_mut().flat_map(|entry| &mut entry.changes).collect();
    changes.sort_by(|a, b| a.p_value.total_cmp(&b.p_value));
    let (count, mut least) = (changes.len(), 0.0f64);
    for (place, change) in changes.into_iter().enumerate() {
        least = least.max((change.p_value * (count - place) as f64).min(1.0));
        change.p_value = least;
        if least < settings.level && change.effect.abs() >= threshold(change.figure, change.base, settings) {
            change.conclusion = if change.effect > 0.0 { Conclusion::Worse } else { Conclusion::Better };
        }
    }
}

#[cfg(test)]
mod tests;
