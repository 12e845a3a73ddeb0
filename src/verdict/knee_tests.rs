//! The knee on closed systems of known capacity: users who think, and a station with a number of slots and one line
//! before them. The simulation shares nothing with the search.

use super::*;
use crate::stats::timeline::Counts;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Of a linear congruential generator with a good output function.
struct Random(u64);

impl Random {
    fn uniform(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1u64 << 53) as f64
    }

    fn exponential(&mut self, mean: f64) -> f64 {
        -mean * (1.0 - self.uniform()).ln()
    }

    fn log_normal(&mut self, mean: f64, spread: f64) -> f64 {
        let normal = (-2.0 * (1.0 - self.uniform()).ln()).sqrt() * (std::f64::consts::TAU * self.uniform()).cos();
        mean * (spread * normal - spread * spread / 2.0).exp()
    }
}

/// What is simulated. Times are in seconds.
struct World {
    slots: usize,
    service: f64,
    spread: f64,
    think: f64,
    most_users: u32,
    users_per_second: f64,
    seconds: u32,
    /// Whether the line counts in the response time. Where it does not, users wait before they are measured.
    is_line_measured: bool,
}

fn run(world: &World, seed: u64) -> Vec<Interval> {
    let mut random = Random(seed.wrapping_mul(0x1234_5677) + 1);
    let mut events: BinaryHeap<Reverse<u64>> = BinaryHeap::new();
    let microseconds = |seconds: f64| (seconds * 1e6) as u64;
    for user in 0..world.most_users {
        events.push(Reverse(microseconds(f64::from(user) / world.users_per_second)));
    }
    let mut free: BinaryHeap<Reverse<u64>> = (0..world.slots).map(|_| Reverse(0)).collect();
    let end = u64::from(world.seconds) * 1_000_000;
    let mut counted: Vec<Vec<(f64, u32)>> = vec![Vec::new(); world.seconds as usize];
    while let Some(Reverse(arrival)) = events.pop() {
        if arrival >= end {
            continue;
        }
        let service = microseconds(random.log_normal(world.service, world.spread));
        let start = if world.slots == 0 { arrival } else { free.pop().unwrap().0.max(arrival) };
        let finish = start + service;
        if world.slots > 0 {
            free.push(Reverse(finish));
        }
        let from = if world.is_line_measured { arrival } else { start };
        if finish < end {
            counted[(finish / 1_000_000) as usize].push(((finish - from) as f64 / 1000.0, 1));
        }
        events.push(Reverse(finish + microseconds(random.exponential(world.think))));
    }
    let users = |second: u32| {
        f64::from(world.most_users).min((f64::from(second) * world.users_per_second).floor() + 1.0) as u64
    };
    let intervals = (0u32..).zip(counted).map(|(second, times)| Interval {
        start: f64::from(second),
        end: f64::from(second + 1),
        users: (users(second), users(second + 1)),
        counts: Counts {
            requests: times.len() as u64,
            sum_ms: times.iter().map(|(time, _)| time).sum(),
            times: Cells::from_times_ms(times),
            ..Counts::default()
        },
        ..Interval::default()
    });
    intervals.collect()
}

fn world(slots: usize, think: f64) -> World {
    let service = 0.02;
    let knee = slots as f64 * (service + think) / service;
    World {
        slots,
        service,
        spread: 0.4,
        think,
        most_users: (2.0 * knee) as u32,
        users_per_second: 2.0 * knee / 40.0,
        seconds: 45,
        is_line_measured: true,
    }
}

#[test]
fn the_knee_is_where_the_asymptotes_meet() {
    for slots in [4, 12, 40] {
        for think in [0.0, 0.05, 0.3] {
            for seed in 0..10 {
                let world = world(slots, think);
                let (users, rps) =
                    (slots as f64 * (world.service + think) / world.service, slots as f64 / world.service);
                let knee = Knee::of(&run(&world, seed));
                let found =
                    knee.found.unwrap_or_else(|reason| panic!("{slots} slots, {think} s, seed {seed}: {reason:?}"));
                let (by_users, by_rps) = (found.users / users - 1.0, found.rps / rps - 1.0);
                assert!(
                    by_users.abs() < 0.15,
                    "{slots} slots, {think} s, seed {seed}: {} of {users} users",
                    found.users
                );
                assert!(
                    by_rps.abs() < 0.15,
                    "{slots} slots, {think} s, seed {seed}: {} of {rps} per second",
                    found.rps
                );
            }
        }
    }
}

/// A second in which somebody else had the machine: less was done, and what was done waited.
#[test]
fn a_few_bad_seconds_do_not_move_it() {
    for slots in [4, 12] {
        for seed in 0..10 {
            let (world, mut random) = (world(slots, 0.15), Random(seed + 77));
            let mut intervals = run(&world, seed);
            for _ in 0..5 {
                let bad = &mut intervals[(random.uniform() * 45.0) as usize].counts;
                bad.requests = (bad.requests as f64 * (0.4 + 0.4 * random.uniform())) as u64;
            }
            let found =
                Knee::of(&intervals).found.unwrap_or_else(|reason| panic!("{slots} slots, seed {seed}: {reason:?}"));
            let users = slots as f64 * (world.service + world.think) / world.service;
            assert!((found.users / users - 1.0).abs() < 0.15, "{slots} slots, seed {seed}: {} of {users}", found.users);
        }
    }
}

#[test]
fn none_is_claimed_where_there_is_no_limit() {
    for seed in 0..30 {
        for think in [0.05, 0.3] {
            let endless = World { slots: 0, ..world(12, think) };
            let knee = Knee::of(&run(&endless, seed));
            assert_eq!(knee.found, Err(NotFound::NoLimit), "{think} s, seed {seed}");
        }
    }
}

#[test]
fn none_is_claimed_short_of_the_limit() {
    for seed in 0..30 {
        let timid = World { most_users: 80, users_per_second: 2.0, ..world(12, 0.2) };
        assert_eq!(Knee::of(&run(&timid, seed)).found, Err(NotFound::NoLimit), "seed {seed}");
    }
}

#[test]
fn none_is_claimed_without_a_ramp() {
    for seed in 0..10 {
        let steady = World { users_per_second: 10_000.0, ..world(12, 0.05) };
        assert_eq!(Knee::of(&run(&steady, seed)).found, Err(NotFound::NoRamp), "seed {seed}");
    }
}

#[test]
fn a_limit_before_the_clock_starts_is_not_the_targets() {
    let held_up = World { is_line_measured: false, ..world(12, 0.1) };
    assert_eq!(Knee::of(&run(&held_up, 1)).found, Err(NotFound::HeldUpElsewhere));
    let mut intervals = run(&world(12, 0.1), 1);
    intervals.iter_mut().skip(3).for_each(|interval| interval.saturated = true);
    assert_eq!(Knee::of(&intervals).found, Err(NotFound::Generator));
}
