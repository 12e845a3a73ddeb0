//! Who runs where: how many users of each class every node should have, step by step.
//!
//! Nothing here sleeps, sends or spawns. The runner asks for the next step, acts on it and waits for as long as
//! the step says, so a whole ramp-up is tested without starting a user. The distribution is Locust's to the user:
//! the same classes on the same nodes in the same order.

use std::collections::HashMap;

/// What dispatching needs to know of a user class.
#[derive(Debug, Clone, PartialEq)]
pub struct Class {
    pub name: String,
    pub weight: f64,
    /// Exactly so many users, before any weighted one; 0 leaves it to the weight.
    pub fixed_count: u64,
}

/// The complete wanted state: for each node, in the order in which they are served, users of each class.
pub type Assignment = Vec<(String, Vec<(String, u64)>)>;

/// One step of a dispatch.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    pub assignment: Assignment,
    /// Whether a pause of [`Dispatcher::pause`] lies between this step and the next, if there is a next.
    pub pause: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Started,
    Ramping,
    /// There is no class left to start users of.
    Exhausted,
    Done,
}

/// The assignment, and the way from it to a target.
#[derive(Debug, Clone)]
pub struct Dispatcher {
    nodes: Vec<String>,
    /// Sorted by name: they are the candidates for new users.
    classes: Vec<Class>,
    /// `running[class name][node]`; a class that is no longer a candidate stays until its last user is gone.
    running: Vec<(String, Vec<u64>)>,
    /// Every user as (node, class) in the order in which they were handed out.
    handed_out: Vec<(usize, usize)>,
    sequence: Sequence,
    next_node: usize,
    target: usize,
    rate: f64,
    phase: Phase,
    rebalanced: bool,
    /// The step before handed out a new assignment, so this one goes on with the ramp, whatever joined meanwhile.
    handed_anew: bool,
}

impl Dispatcher {
    pub fn new(nodes: Vec<String>, classes: Vec<Class>) -> Self {
        Self::in_order(alternating_hosts(nodes), classes)
    }

    fn in_order(nodes: Vec<String>, classes: Vec<Class>) -> Self {
        let classes = sorted_by_name(classes);
        let mut dispatcher = Self {
            nodes,
            running: Vec::new(),
            handed_out: Vec::new(),
            sequence: Sequence::new(&classes),
            classes,
            next_node: 0,
            target: 0,
            rate: 1.0,
            phase: Phase::Done,
            rebalanced: false,
            handed_anew: false,
        };
        dispatcher.list_classes();
        dispatcher
    }

    /// Begin the way to `target` users. Other `classes` than before restart the sequence.
    pub fn start(&mut self, target: usize, rate: f64, classes: Option<Vec<Class>>) {
        if let Some(classes) = classes.map(sorted_by_name).filter(|classes| names(classes) != names(&self.classes)) {
            self.sequence = Sequence::new(&classes);
            self.classes = classes;
            self.list_classes();
        }
        self.target = target;
        self.rate = rate;
        self.phase = Phase::Started;
        self.handed_anew = false;
    }

    /// The next step; `None` when the target is reached, or when there is no class left to start users of.
    pub fn step(&mut self) -> Option<Step> {
        if self.phase == Phase::Done {
            return None;
        }
        self.handed_anew = self.is_rebalanced();
        if self.handed_anew {
            self.rebalanced = false;
            if self.phase == Phase::Started && self.handed_out.len() == self.target {
                self.phase = Phase::Done;
            }
            return Some(Step { assignment: self.assignment(), pause: false });
        }
        if self.phase == Phase::Exhausted || self.handed_out.len() == self.target {
            let level = self.phase == Phase::Started;
            self.phase = Phase::Done;
            return level.then(|| Step { assignment: self.assignment(), pause: false });
        }
        self.phase = Phase::Ramping;
        if self.handed_out.len() < self.target {
            self.step_up();
        } else {
            self.step_down();
        }
        Some(Step {
            assignment: self.assignment(),
            // Also where no class is left to start users of: that is found out by the next step, in its time.
            pause: self.handed_out.len() != self.target,
        })
    }

    /// Seconds between two steps.
    pub fn pause(&self) -> f64 {
        self.users_per_step() as f64 / self.rate
    }

    pub fn in_progress(&self) -> bool {
        self.phase != Phase::Done
    }

    pub fn user_count(&self) -> usize {
        self.handed_out.len()
    }

    /// Users of a class over all nodes.
    pub fn user_count_of(&self, class: &str) -> u64 {
        users_of(&self.running, class)
    }

    pub fn nodes(&self) -> &[String] {
        &self.nodes
    }

    /// Whether the next step first hands out an assignment that was made anew.
    pub fn is_rebalanced(&self) -> bool {
        self.rebalanced && !self.handed_anew
    }

    pub fn assignment(&self) -> Assignment {
        let of_node = |node: usize| self.running.iter().map(|(class, nodes)| (class.clone(), nodes[node])).collect();
        self.nodes.iter().enumerate().map(|(node, id)| (id.clone(), of_node(node))).collect()
    }

    pub fn add_node(&mut self, node: String) {
        let mut nodes = self.nodes.clone();
        nodes.push(node);
        self.rebalance(alternating_hosts(nodes));
    }

    pub fn remove_node(&mut self, node: &str) {
        let mut nodes = self.nodes.clone();
        if let Some(place) = nodes.iter().position(|id| id == node) {
            nodes.remove(place);
        }
        self.rebalance(nodes);
    }

    /// What `target` users would be, started from nothing.
    #[must_use]
    pub fn distribution_of(&self, target: usize) -> Self {
        let mut fresh = Self::in_order(self.nodes.clone(), self.classes.clone());
        if !fresh.nodes.is_empty() {
            fresh.add_users(target);
        }
        fresh
    }

    /// `nodes` in the order in which they are to be served: those that stay keep theirs.
    fn rebalance(&mut self, nodes: Vec<String>) {
        self.nodes = nodes;
        let fresh = self.distribution_of(self.handed_out.len());
        let kept = (self.target, self.rate, self.phase);
        *self = fresh;
        (self.target, self.rate, self.phase) = kept;
        self.rebalanced = true;
    }

    fn users_per_step(&self) -> usize {
        (self.rate.floor() as usize).max(1)
    }

    fn step_up(&mut self) {
        let wanted = (self.handed_out.len() + self.users_per_step()).min(self.target);
        self.add_users(wanted);
        if self.handed_out.len() < wanted {
            self.phase = Phase::Exhausted;
        }
    }

    /// Up to `wanted` users in all, or fewer when there are only fixed classes and they are complete.
    fn add_users(&mut self, wanted: usize) {
        while self.handed_out.len() < wanted && !self.nodes.is_empty() {
            let running = &self.running;
            let missing = |class: &Class| class.fixed_count.saturating_sub(users_of(running, &class.name));
            let Some(class) = self.sequence.next(&self.classes, missing) else { return };
            let class = self.place_of(class);
            let node = self.next_node % self.nodes.len();
            self.next_node = node + 1;
            self.running[class].1[node] += 1;
            self.handed_out.push((node, class));
        }
    }

    /// Last in, first out, fixed ones too.
    fn step_down(&mut self) {
        let wanted = self.handed_out.len().saturating_sub(self.users_per_step()).max(self.target);
        for (node, class) in self.handed_out.split_off(wanted).into_iter().rev() {
            self.running[class].1[node] -= 1;
        }
        self.sequence.check_fixed();
    }

    fn place_of(&self, candidate: usize) -> usize {
        let name = &self.classes[candidate].name;
        self.running.iter().position(|(class, _)| class == name).expect("a candidate is listed")
    }

    fn list_classes(&mut self) {
        for class in &self.classes {
            if !self.running.iter().any(|(name, _)| *name == class.name) {
                self.running.push((class.name.clone(), vec![0; self.nodes.len()]));
            }
        }
    }
}

/// Which class the next user is of: fixed counts first, then by weight, forever.
#[derive(Debug, Clone)]
struct Sequence {
    /// What was missing of the fixed counts when they were last looked at, each as often as it was missing.
    fixed: std::iter::Take<Weighted>,
    fixed_unchecked: bool,
    weighted: Weighted,
}

impl Sequence {
    fn new(classes: &[Class]) -> Self {
        let weighted = classes.iter().enumerate().filter(|(_, class)| class.fixed_count == 0);
        Self {
            fixed: Weighted::default().take(0),
            fixed_unchecked: true,
            weighted: Weighted::new(weighted.map(|(i, class)| (i, class.weight))),
        }
    }

    /// Users were taken away: some may be of a fixed count. They come after those that are still due.
    fn check_fixed(&mut self) {
        self.fixed_unchecked = true;
    }

    fn next(&mut self, classes: &[Class], missing: impl Fn(&Class) -> u64) -> Option<usize> {
        let due = self.fixed.next();
        if due.is_some() || !std::mem::take(&mut self.fixed_unchecked) {
            return due.or_else(|| self.weighted.next());
        }
        let missing: Vec<u64> = classes.iter().map(missing).collect();
        let weights = missing.iter().map(|count| *count as f64).enumerate();
        self.fixed = Weighted::new(weights).take(missing.iter().sum::<u64>() as usize);
        self.fixed.next().or_else(|| self.weighted.next())
    }
}

/// Items by weight, so that after every one of them the shares are as near to the weights as they can be
/// (by Kullback–Leibler divergence).
#[derive(Debug, Clone, Default)]
pub struct Weighted(Vec<Candidate>);

#[derive(Debug, Clone, PartialEq, PartialOrd)]
struct Candidate {
    key: f64,
    next_count: f64,
    weight: f64,
    item: usize,
}

impl Weighted {
    /// Items with no positive weight never come.
    pub fn new(items: impl IntoIterator<Item = (usize, f64)>) -> Self {
        let candidates = items.into_iter().filter(|(_, weight)| *weight > 0.0);
        Self(candidates.map(|(item, weight)| Candidate::counted(item, weight, weight)).collect())
    }
}

impl Iterator for Weighted {
    type Item = usize;

    /// Never ends unless there is no item.
    fn next(&mut self) -> Option<usize> {
        let least = self.0.iter_mut().min_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal))?;
        *least = Candidate::counted(least.item, least.weight, least.next_count);
        Some(least.item)
    }
}

impl Candidate {
    fn counted(item: usize, weight: f64, count: f64) -> Self {
        Self { key: weight * (count / (count + 1.0)).log2(), next_count: count + 1.0, weight, item }
    }
}

/// The first node of every host, then the second of every host, and so on. A host is an id up to its first `_`.
fn alternating_hosts(mut nodes: Vec<String>) -> Vec<String> {
    nodes.sort();
    let mut seen: HashMap<String, usize> = HashMap::new();
    let mut numbered: Vec<(usize, String)> = Vec::with_capacity(nodes.len());
    for node in nodes {
        let host = node.split('_').next().unwrap_or_default().to_owned();
        let number = seen.entry(host).or_default();
        numbered.push((*number, node));
        *number += 1;
    }
    numbered.sort();
    numbered.into_iter().map(|(_, node)| node).collect()
}

fn users_of(running: &[(String, Vec<u64>)], class: &str) -> u64 {
    running.iter().filter(|(name, _)| name == class).flat_map(|(_, nodes)| nodes).sum()
}

fn sorted_by_name(mut classes: Vec<Class>) -> Vec<Class> {
    classes.sort_by(|a, b| a.name.cmp(&b.name));
    classes
}

fn names(classes: &[Class]) -> Vec<&str> {
    classes.iter().map(|class| class.name.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn weighted(name: &str, weight: f64) -> Class {
        Class { name: name.into(), weight, fixed_count: 0 }
    }

    fn fixed(name: &str, fixed_count: u64) -> Class {
        Class { name: name.into(), weight: 1.0, fixed_count }
    }

    fn workers(count: usize) -> Vec<String> {
        (1..=count).map(|i| format!("w{i}")).collect()
    }

    fn run(dispatcher: &mut Dispatcher, target: usize, rate: f64) -> Vec<usize> {
        dispatcher.start(target, rate, None);
        std::iter::from_fn(|| dispatcher.step()).map(|step| total(&step.assignment)).collect()
    }

    fn total(assignment: &Assignment) -> usize {
        assignment.iter().flat_map(|(_, classes)| classes).map(|(_, users)| *users as usize).sum()
    }

    fn shown(dispatcher: &Dispatcher) -> String {
        let node = |(id, classes): (String, Vec<(String, u64)>)| {
            let running = classes.into_iter().filter(|(_, users)| *users > 0);
            format!("{id} {}", running.map(|(class, users)| format!("{class}{users}")).collect::<Vec<_>>().join(" "))
        };
        dispatcher.assignment().into_iter().map(node).collect::<Vec<_>>().join(", ")
    }

    #[test]
    fn weights_give_locusts_sequences() {
        let sequences: [(&[f64], &str); 6] = [
            (&[5.0, 1.0], "AABAAAAABAAAAABAAAAABAAA"),
            (&[3.0, 1.0], "ABAAABAAABAAABAA"),
            (&[3.0, 2.0], "ABABAABABAABABAABABA"),
            (&[1.0, 1.0, 1.0], "ABCABCABC"),
            (&[1.0, 2.0, 3.0], "CBACBCCBACBCCBACBCCBACBC"),
            (&[0.1, 0.9], "BBBABBBBBBBBBBABBBBB"),
        ];
        for (weights, expected) in sequences {
            let sequence = Weighted::new(weights.iter().copied().enumerate()).take(expected.len());
            let letters: String = sequence.map(|item| char::from(b'A' + item as u8)).collect();
            assert_eq!(letters, expected, "{weights:?}");
        }
        assert_eq!(Weighted::new([(0, 0.0)]).next(), None);
    }

    #[test]
    fn the_rate_gives_steps_and_pauses() {
        let mut dispatcher = Dispatcher::new(workers(1), vec![weighted("A", 1.0)]);
        assert_eq!(run(&mut dispatcher, 5, 2.5), [2, 4, 5]);
        assert_eq!(dispatcher.pause(), 0.8);
        assert_eq!(run(&mut dispatcher, 3, 0.5), [4, 3]);
        assert_eq!(dispatcher.pause(), 2.0);
        assert_eq!(run(&mut dispatcher, 3, 1.0), [3]);
        assert_eq!(run(&mut dispatcher, 0, 100.0), [0]);
    }

    #[test]
    fn no_pause_follows_the_last_step() {
        let mut dispatcher = Dispatcher::new(workers(1), vec![weighted("A", 1.0)]);
        dispatcher.start(2, 1.0, None);
        assert_eq!([dispatcher.step(), dispatcher.step()].map(|step| step.unwrap().pause), [true, false]);
        assert!(dispatcher.in_progress() && dispatcher.step().is_none() && !dispatcher.in_progress());
    }

    #[test]
    fn nodes_are_served_in_turn_and_the_last_in_go_first() {
        let mut dispatcher = Dispatcher::new(workers(3), vec![weighted("A", 1.0), weighted("B", 1.0)]);
        run(&mut dispatcher, 4, 100.0);
        assert_eq!(shown(&dispatcher), "w1 A1 B1, w2 B1, w3 A1");
        run(&mut dispatcher, 9, 100.0);
        assert_eq!(shown(&dispatcher), "w1 A2 B1, w2 A1 B2, w3 A2 B1");
        run(&mut dispatcher, 5, 100.0);
        assert_eq!(shown(&dispatcher), "w1 A1 B1, w2 A1 B1, w3 A1");
    }

    #[test]
    fn fixed_counts_come_first_and_are_restored_first() {
        let mut dispatcher = Dispatcher::new(workers(1), vec![weighted("A", 1.0), fixed("F", 2)]);
        run(&mut dispatcher, 3, 100.0);
        assert_eq!(shown(&dispatcher), "w1 A1 F2");
        run(&mut dispatcher, 1, 100.0);
        assert_eq!(shown(&dispatcher), "w1 F1");
        run(&mut dispatcher, 4, 100.0);
        assert_eq!(shown(&dispatcher), "w1 A2 F2");
    }

    #[test]
    fn only_fixed_classes_end_early() {
        let mut dispatcher = Dispatcher::new(workers(1), vec![fixed("F", 2)]);
        assert_eq!(run(&mut dispatcher, 5, 1.0), [1, 2, 2]);
        assert!(!dispatcher.in_progress());
    }

    #[test]
    fn without_a_node_there_are_no_users_and_no_end() {
        let mut dispatcher = Dispatcher::new(workers(1), vec![weighted("A", 1.0)]);
        run(&mut dispatcher, 4, 100.0);
        dispatcher.remove_node("w1");
        assert_eq!(dispatcher.user_count(), 0);
        run(&mut dispatcher, 4, 100.0);
        dispatcher.add_node("w2".into());
        assert_eq!(run(&mut dispatcher, 4, 100.0).last(), Some(&4));
    }

    #[test]
    fn hosts_alternate() {
        let nodes = ["hostB_1", "hostA_3", "hostA_1", "hostB_2", "hostA_2"].map(String::from).to_vec();
        assert_eq!(alternating_hosts(nodes), ["hostA_1", "hostB_1", "hostA_2", "hostB_2", "hostA_3"]);
    }

    #[test]
    fn a_new_node_starts_the_distribution_anew() {
        let mut dispatcher = Dispatcher::new(workers(2), vec![weighted("A", 1.0)]);
        run(&mut dispatcher, 6, 100.0);
        dispatcher.add_node("w3".into());
        assert_eq!(shown(&dispatcher), "w1 A2, w2 A2, w3 A2");
        assert_eq!(run(&mut dispatcher, 6, 1.0), [6]);
        dispatcher.remove_node("w1");
        assert_eq!(shown(&dispatcher), "w2 A3, w3 A3");
    }

    proptest! {
        #[test]
        fn every_ramp_reaches_its_target(targets in prop::collection::vec(0..200usize, 1..6), nodes in 1..7usize) {
            let mut dispatcher = Dispatcher::new(workers(nodes), vec![weighted("A", 3.0), weighted("B", 0.7), fixed("F", 4)]);
            for target in targets {
                let steps = run(&mut dispatcher, target, 7.3);
                prop_assert_eq!(steps.last(), Some(&target));
                prop_assert!(steps.is_sorted() || steps.iter().rev().is_sorted());
                prop_assert_eq!(dispatcher.user_count(), target);
            }
        }
    }
}
