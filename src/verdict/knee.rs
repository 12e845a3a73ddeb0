//! Where the marginal gain in throughput falls off: the knee of a run whose number of users grew.
//!
//! The method is a broken-stick fit. In a closed system throughput X(N) has two asymptotes (Muntz and Wong 1974; Denning
//! and Buzen, "The Operational Analysis of Queueing Network Models", 1978): every user adds the same up to the
//! saturation point N*, and from there on nobody adds anything. So X = a·min(N, N*) + b·max(0, N − N*) is fitted by
//! weighted least squares for every N* of a grid (segmented regression; Hinkley 1971), anew to what is near the lines (Tukey's
//! biweight), because a second in which a machine did something else is no property of the target. The best N* is the knee if
//!
//! 1. the run reached on both sides of it,
//! 2. a user more adds less than a third of what he added before, beyond doubt,
//! 3. one straight line explains the data much worse, and
//! 4. the response times account for it. N/X is a user's whole cycle (the interactive response time law), so where it grows
//!    and response times do not, users were held up elsewhere: by their own machine or their locustfile.
//!
//! Intervals in which the generator was saturated are left out: a knee of ours is none of the target's.

use serde_json::{Value, json};

use crate::stats::timeline::{Cells, Interval, significant};

/// The knee, or why there is none, with the points that it was looked for in.
#[derive(Debug, Clone, PartialEq)]
pub struct Knee {
    pub found: Result<Found, NotFound>,
    pub points: Vec<Point>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found {
    /// The number of users from which on more of them gain little.
    pub users: f64,
    /// What they achieved there: requests per second.
    pub rps: f64,
    /// Of the points around it, in milliseconds.
    pub p50_ms: f64,
    pub p95_ms: f64,
    /// What another user adds beyond it, as a share of what he added before.
    pub gain_beyond: f64,
}

/// Why no knee is claimed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotFound {
    /// The number of users hardly changed, or the run was too short to see what it did.
    NoRamp,
    /// The generator was the limit in most of the intervals.
    Generator,
    /// Throughput grew with the users up to the end.
    NoLimit,
    /// It stopped growing, but not because the target answered later.
    HeldUpElsewhere,
}

/// All intervals with about the same number of users.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Point {
    pub users: f64,
    pub seconds: f64,
    pub requests: u64,
    pub sum_ms: f64,
    pub times: Cells,
}

impl NotFound {
    pub fn reason(self) -> &'static str {
        match self {
            Self::NoRamp => "the number of users did not change enough to tell; let it grow over the run",
            Self::Generator => "the generator itself was saturated while the users grew",
            Self::NoLimit => "throughput grew with the users up to the end",
            Self::HeldUpElsewhere => {
                "throughput stopped growing, but response times did not grow: users were held up elsewhere"
            }
        }
    }
}

impl Point {
    fn rps(&self) -> f64 {
        self.requests as f64 / self.seconds.max(1e-9)
    }

    fn weight(&self) -> f64 {
        self.seconds / (self.rps() + 1.0)
    }

    fn average_ms(&self) -> f64 {
        self.sum_ms / (self.times.count().max(1)) as f64
    }
}

impl Knee {
    pub const METHOD: &str = "broken-stick fit of throughput against users (segmented regression at the asymptotes' \
                              intersection; Denning and Buzen 1978, Hinkley 1971)";

    pub fn to_json(&self) -> Value {
        let points = self.points.iter().map(|point| {
            json!({
                "users": significant(point.users, 4),
                "rps": significant(point.rps(), 4),
                "avg_ms": significant(point.average_ms(), 3),
                "p50_ms": significant(point.times.quantile_ms(0.5).unwrap_or(0.0), 3),
                "p95_ms": significant(point.times.quantile_ms(0.95).unwrap_or(0.0), 3),
                "p99_ms": significant(point.times.quantile_ms(0.99).unwrap_or(0.0), 3),
            })
        });
        let mut json =
            json!({"found": self.found.is_ok(), "method": Self::METHOD, "points": points.collect::<Vec<_>>()});
        match &self.found {
            Ok(found) => {
                json["users"] = significant(found.users, 3).into();
                json["rps"] = significant(found.rps, 3).into();
                json["p50_ms"] = significant(found.p50_ms, 3).into();
                json["p95_ms"] = significant(found.p95_ms, 3).into();
                json["gain_beyond"] = significant(found.gain_beyond, 2).into();
            }
            Err(reason) => json["reason"] = reason.reason().into(),
        }
        json
    }
}

/// Fewer different numbers of users show no bend.
const FEWEST_POINTS: usize = 6;
/// And no fewer than this many on either side of it.
const FEWEST_ON_A_SIDE: usize = 3;
/// So that a short plateau at the end of a ramp, which may be chance, is none.
const REACH_BEYOND: f64 = 1.15;
/// What a user more may add beyond the knee, as a share of what he added before.
const GAIN_BEYOND: f64 = 1.0 / 3.0;
/// How much of the growth of a user's cycle the response times must account for.
const ACCOUNTED_FOR: f64 = 0.5;
/// Numbers of users are looked at in so many classes.
const CLASSES: f64 = 40.0;
/// From this share of the intervals on, a saturated generator may have hidden the knee.
const OFTEN_SATURATED: f64 = 0.05;
const GRID: u32 = 200;
/// How often the lines are fitted anew to what is near them.
const ROUNDS: usize = 5;
/// Of counts that are drawn at random, which have 1. Closed systems scatter less.
const LEAST_SCATTER: f64 = 0.2;

impl Knee {
    pub fn of(intervals: &[Interval]) -> Self {
        // While users stop, what was counted belongs to more users than there are.
        let growing: Vec<_> = intervals.iter().filter(|interval| interval.users.1 >= interval.users.0).collect();
        let clean: Vec<_> = growing.iter().copied().filter(|interval| !interval.saturated).collect();
        let points = points(&clean);
        let is_often_saturated = (growing.len() - clean.len()) as f64 >= OFTEN_SATURATED * growing.len() as f64;
        let found = if has_ramp(&points) {
            bend(&points).map_err(|reason| match reason {
                // The intervals that are left out may be those that would have shown it.
                NotFound::NoLimit if is_often_saturated => NotFound::Generator,
                reason => reason,
            })
        } else if has_ramp(&self::points(&growing)) {
            Err(NotFound::Generator)
        } else {
            Err(NotFound::NoRamp)
        };
        Self { found, points }
    }
}

fn points(intervals: &[&Interval]) -> Vec<Point> {
    let users = |interval: &Interval| (interval.users.0 + interval.users.1) as f64 / 2.0;
    let most = intervals.iter().map(|interval| users(interval)).fold(0.0, f64::max);
    let width = (most / CLASSES).max(1.0);
    let mut points: Vec<Point> = Vec::new();
    for interval in intervals.iter().filter(|interval| users(interval) > 0.0) {
        let class = (users(interval) / width) as usize;
        points.resize(points.len().max(class + 1), Point::default());
        let (point, seconds) = (&mut points[class], interval.seconds());
        point.users = (point.users * point.seconds + users(interval) * seconds) / (point.seconds + seconds);
        point.seconds += seconds;
        point.requests += interval.counts.requests;
        point.sum_ms += interval.counts.sum_ms;
        point.times.merge(&interval.counts.times);
    }
    points.retain(|point| point.requests > 0);
    points
}

fn has_ramp(points: &[Point]) -> bool {
    let [first, .., last] = points else { return false };
    points.len() >= FEWEST_POINTS && last.users >= 2.0 * first.users
}

/// Two straight lines that meet at `users`: the first from nothing, with slope `a`, the second with slope `b`.
#[derive(Debug, Clone, Copy)]
struct Stick {
    users: f64,
    a: f64,
    b: f64,
    /// The standard error of `b`.
    doubt: f64,
    residual: f64,
}

/// A point, and how far it is believed: seconds in which the machine did something else are far from any line.
struct Believed<'a> {
    point: &'a Point,
    trust: f64,
}

impl Believed<'_> {
    /// What the sum of squares counts it: counts scatter with the root of their size.
    fn weight(&self) -> f64 {
        self.trust * self.point.weight()
    }
}

fn bend(points: &[Point]) -> Result<Found, NotFound> {
    let mut believed: Vec<_> = points.iter().map(|point| Believed { point, trust: 1.0 }).collect();
    let mut best = Stick::best(&believed).ok_or(NotFound::NoLimit)?;
    for _ in 0..ROUNDS {
        best.doubt_outliers(&mut believed);
        best = Stick::best(&believed).ok_or(NotFound::NoLimit)?;
    }
    let n: f64 = believed.iter().map(|point| point.trust).sum();
    // The Bayesian information criterion with its usual mark of strong evidence; the stick has two parameters more.
    let is_better = n * (straight(&believed) / best.residual.max(1e-12)).ln() > 2.0 * n.ln() + 6.0;
    let last = points[points.len() - 1].users;
    if !is_better || best.b + 2.0 * best.doubt > GAIN_BEYOND * best.a || last < REACH_BEYOND * best.users {
        return Err(NotFound::NoLimit);
    }
    believed.retain(|point| point.trust > 0.5);
    if !is_accounted_for(&believed, &best) {
        return Err(NotFound::HeldUpElsewhere);
    }
    let knee = best.knee(&believed);
    let mut near = Cells::default();
    let is_near = |point: &&Point| (point.users / knee - 1.0).abs() <= 0.15;
    points.iter().filter(is_near).for_each(|point| near.merge(&point.times));
    let quantile = |quantile| near.quantile_ms(quantile).unwrap_or(0.0);
    Ok(Found {
        users: knee,
        rps: best.a * knee,
        p50_ms: quantile(0.5),
        p95_ms: quantile(0.95),
        gain_beyond: best.b / best.a,
    })
}

impl Stick {
    /// Of all places where the two lines could meet, the one that leaves least.
    fn best(points: &[Believed<'_>]) -> Option<Self> {
        let [first, .., last] = points else { return None };
        let (first, last) = (first.point.users, last.point.users);
        let enough = |users: f64| {
            let below = points.iter().filter(|believed| believed.point.users < users).count();
            below >= FEWEST_ON_A_SIDE && points.len() - below >= FEWEST_ON_A_SIDE
        };
        let places = (1..GRID).map(|step| first + (last - first) * f64::from(step) / f64::from(GRID));
        let sticks = places.filter(|users| enough(*users)).filter_map(|users| Self::fit(points, users));
        sticks.min_by(|x, y| x.residual.total_cmp(&y.residual))
    }

    fn fit(points: &[Believed<'_>], users: f64) -> Option<Self> {
        let (mut aa, mut ab, mut bb, mut ay, mut by) = (0.0, 0.0, 0.0, 0.0, 0.0);
        for believed in points {
            let (w, y) = (believed.weight(), believed.point.rps());
            let (below, beyond) = (believed.point.users.min(users), (believed.point.users - users).max(0.0));
            aa += w * below * below;
            ab += w * below * beyond;
            bb += w * beyond * beyond;
            ay += w * below * y;
            by += w * beyond * y;
        }
        let determinant = aa * bb - ab * ab;
        if determinant <= 1e-9 * aa * bb {
            return None;
        }
        let (a, b) = ((bb * ay - ab * by) / determinant, (aa * by - ab * ay) / determinant);
        let mut stick = Self { users, a, b, doubt: 0.0, residual: 0.0 };
        stick.residual = points.iter().map(|point| point.trust * stick.distance(point.point).powi(2)).sum();
        let freedom = points.iter().map(|point| point.trust).sum::<f64>() - 3.0;
        stick.doubt = (stick.residual / freedom.max(1.0) * aa / determinant).sqrt();
        Some(stick)
    }

    /// Where the first line reaches what was achieved in the end. Where many think for long, throughput bends before it
    /// is flat, and the lines meet in the bend.
    fn knee(&self, points: &[Believed<'_>]) -> f64 {
        let last = points.iter().map(|believed| believed.point.users).fold(0.0, f64::max);
        let beyond = points.iter().filter(|believed| believed.point.users >= self.users.midpoint(last));
        let (requests, seconds) = beyond.fold((0.0, 0.0), |(requests, seconds), believed| {
            (requests + believed.point.requests as f64, seconds + believed.point.seconds)
        });
        (requests / f64::max(seconds, 1e-9) / self.a).clamp(self.users, last)
    }

    /// From the lines to the point, in its own scatter.
    fn distance(&self, point: &Point) -> f64 {
        let expected = self.a * point.users.min(self.users) + self.b * (point.users - self.users).max(0.0);
        point.weight().sqrt() * (point.rps() - expected)
    }

    /// Tukey's biweight: what is far from the lines, measured by how far most are, counts less and then nothing.
    fn doubt_outliers(&self, points: &mut [Believed<'_>]) {
        let mut distances: Vec<f64> = points.iter().map(|point| self.distance(point.point).abs()).collect();
        distances.sort_by(f64::total_cmp);
        let scatter = (1.4826 * distances[distances.len() / 2]).max(LEAST_SCATTER);
        for believed in points {
            let far = (self.distance(believed.point) / (4.685 * scatter)).powi(2).min(1.0);
            believed.trust = (1.0 - far).powi(2);
        }
    }
}

/// The weighted sum of squares of one line through nothing.
fn straight(points: &[Believed<'_>]) -> f64 {
    let sum = |value: &dyn Fn(&Point) -> f64| points.iter().map(|p| p.weight() * value(p.point)).sum::<f64>();
    let slope = sum(&|point| point.users * point.rps()) / sum(&|point| point.users * point.users).max(1e-12);
    sum(&|point| (point.rps() - slope * point.users).powi(2))
}

/// Whether response times grew as users' cycles did, from well below the knee to the end.
fn is_accounted_for(points: &[Believed<'_>], stick: &Stick) -> bool {
    let average = |points: &[&Point]| {
        let timed: u64 = points.iter().map(|point| point.times.count()).sum();
        points.iter().map(|point| point.sum_ms).sum::<f64>() / timed.max(1) as f64
    };
    let cycle = |points: &[&Point]| {
        let users: f64 = points.iter().map(|point| point.users * point.seconds).sum();
        1000.0 * users / points.iter().map(|point| point.requests).sum::<u64>().max(1) as f64
    };
    let points = || points.iter().map(|believed| believed.point);
    let below: Vec<_> = points().filter(|point| point.users < 0.8 * stick.users).collect();
    let end = stick.users.midpoint(points().map(|point| point.users).fold(0.0, f64::max));
    let beyond: Vec<_> = points().filter(|point| point.users >= end).collect();
    let growth = cycle(&beyond) - cycle(&below);
    !below.is_empty() && average(&beyond) - average(&below) >= ACCOUNTED_FOR * growth
}

#[cfg(test)]
#[path = "knee_tests.rs"]
mod tests;
