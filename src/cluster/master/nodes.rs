//! What a master knows of its workers. Nothing here sends, waits or asks for the time.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use rustc_hash::FxHashMap;

/// Users of each class.
pub type Users = BTreeMap<Arc<str>, u64>;

/// What a worker does, as it says itself; but that it is missing its master says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum State {
    #[default]
    Ready,
    Spawning,
    Running,
    Missing,
    /// What foreign workers call it.
    Other(Arc<str>),
}

impl From<&str> for State {
    fn from(name: &str) -> Self {
        match name {
            "ready" => Self::Ready,
            "spawning" => Self::Spawning,
            "running" => Self::Running,
            "missing" => Self::Missing,
            other => Self::Other(other.into()),
        }
    }
}

impl State {
    pub fn name(&self) -> &str {
        match self {
            Self::Ready => "ready",
            Self::Spawning => "spawning",
            Self::Running => "running",
            Self::Missing => "missing",
            Self::Other(name) => name,
        }
    }

    /// Whether users can be given to a worker in this state.
    pub fn is_active(&self) -> bool {
        matches!(self, Self::Ready | Self::Spawning | Self::Running)
    }
}

/// One worker.
#[derive(Debug, Clone, Default)]
pub struct Node {
    /// From 0 on, in order of first contact; the same one after it has left and come again.
    pub index: u64,
    pub state: State,
    /// How many seconds of silence it is still allowed; below 0 it is missing.
    pub liveness: i64,
    /// Percent of one core, and bytes.
    pub cpu: f64,
    pub memory: u64,
    pub is_cpu_warned: bool,
    pub users: Users,
    /// Whether it is a node of ours, which understands what Locust's do not.
    pub is_ours: bool,
    /// Whether its first heartbeat, which says what it is, has come.
    pub has_beaten: bool,
    /// Of one of ours: for how many seconds its Python has not come round.
    pub busy: f64,
    spawn: Option<Unanswered>,
}

/// The last spawn message, while an answer is waited for.
#[derive(Debug, Clone)]
struct Unanswered {
    message: Bytes,
    /// How many answers are still to come, this one's and those of spawn messages before it.
    answers: u32,
    /// For how many ticks this one has been under way.
    ticks: u32,
}

impl Node {
    /// After how many ticks a spawn message counts as lost under way: nodes of ours answer at once.
    const LOST: u32 = 5;

    /// It is sent a spawn message.
    pub fn asked_to_spawn(&mut self, message: Bytes) {
        let earlier = self.spawn.take().map_or(0, |spawn| spawn.answers);
        self.spawn = Some(Unanswered { message, answers: earlier.saturating_add(1), ticks: 0 });
    }

    /// It has answered a spawn message.
    pub fn spawns(&mut self) {
        if let Some(spawn) = &mut self.spawn {
            spawn.answers -= 1;
        }
        self.spawn.take_if(|spawn| spawn.answers == 0);
    }

    /// It is not to spawn any more.
    pub fn asked_to_stop(&mut self) {
        self.spawn = None;
    }

    /// A tick has passed: what it has to be sent once more. It counts as the only one, whatever came before it.
    fn lost_spawn(&mut self) -> Option<Bytes> {
        if !self.is_ours || !self.state.is_active() {
            return None;
        }
        let spawn = self.spawn.as_mut()?;
        spawn.ticks += 1;
        (spawn.ticks > Self::LOST).then(|| {
            (spawn.answers, spawn.ticks) = (1, 0);
            spawn.message.clone()
        })
    }

    /// By what it was last heard of, and by what it was last sent.
    fn may_run_users(&self) -> bool {
        self.user_count() > 0 || self.spawn.is_some() || matches!(self.state, State::Spawning | State::Running)
    }

    pub fn user_count(&self) -> u64 {
        self.users.values().fold(0, |sum, count| sum.saturating_add(*count))
    }
}

/// What a heartbeat says.
#[derive(Debug, Clone, PartialEq)]
pub struct Beat<'a> {
    pub state: &'a str,
    pub cpu: f64,
    pub memory: Option<u64>,
    pub is_ours: bool,
    pub busy: f64,
}

/// What came of a heartbeat.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beaten {
    pub index: u64,
    pub is_healed: bool,
    /// It uses too much of its processor, and that was not said yet.
    pub warns: bool,
    pub is_ours: bool,
}

/// What a second of silence came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Ticked {
    pub missing: Vec<Missing>,
    pub forgotten: Vec<Arc<str>>,
    /// Messages that were lost under way, and to whom.
    pub again: Vec<(Arc<str>, Bytes)>,
}

/// A worker that was silent for too long.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Missing {
    pub id: Arc<str>,
    /// Whether it may have run users that no report tells of.
    pub may_have_counted: bool,
}

/// How many there are in each state.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub ready: usize,
    pub spawning: usize,
    pub running: usize,
    pub missing: usize,
    pub other: usize,
}

impl Tally {
    pub fn active(&self) -> usize {
        self.ready + self.spawning + self.running
    }

    pub fn all(&self) -> usize {
        self.active() + self.missing + self.other
    }

    fn of(&mut self, state: &State) -> &mut usize {
        match state {
            State::Ready => &mut self.ready,
            State::Spawning => &mut self.spawning,
            State::Running => &mut self.running,
            State::Missing => &mut self.missing,
            State::Other(_) => &mut self.other,
        }
    }
}

/// Above this percentage of one core a worker is warned of, as Locust has it.
const CPU_WARNING: f64 = 90.0;

/// All of them, by id. Sums are kept, so that a master of a thousand workers asks for them as often as it likes.
#[derive(Debug, Default)]
pub struct Nodes {
    known: FxHashMap<Arc<str>, Node>,
    indexes: FxHashMap<Arc<str>, u64>,
    next_index: u64,
    tally: Tally,
    user_count: u64,
}

impl Nodes {
    /// Far more than a fleet has. Beyond, those are forgotten that are no workers now: who sends under ever new names fills
    /// no memory.
    const MOST_INDEXES: usize = 50_000;

    pub fn get(&self, id: &str) -> Option<&Node> {
        self.known.get(id)
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Arc<str>, &Node)> {
        self.known.iter()
    }

    pub fn tally(&self) -> Tally {
        self.tally
    }

    /// Of all workers, by what they said last.
    pub fn user_count(&self) -> u64 {
        self.user_count
    }

    /// Of those that can run users.
    pub fn users(&self) -> Users {
        let mut sum = Users::new();
        for node in self.known.values().filter(|node| node.state.is_active()) {
            for (name, count) in &node.users {
                *sum.entry(Arc::clone(name)).or_default() += count;
            }
        }
        sum
    }

    /// The index of a worker; a new one, where it was never heard of.
    pub fn index(&mut self, id: &str) -> u64 {
        if let Some(index) = self.indexes.get(id) {
            return *index;
        }
        if self.indexes.len() >= Self::MOST_INDEXES {
            let known = &self.known;
            self.indexes.retain(|id, _| known.contains_key(id));
        }
        let index = self.next_index;
        self.next_index += 1;
        self.indexes.insert(id.into(), index);
        index
    }

    /// Whether this worker was ever heard of.
    pub fn has_index(&self, id: &str) -> bool {
        self.indexes.contains_key(id)
    }

    /// All that were ever heard of.
    pub fn indexes(&self) -> impl Iterator<Item = (&Arc<str>, u64)> {
        self.indexes.iter().map(|(id, index)| (id, *index))
    }

    /// A worker says that it is ready: whatever was known of it is not true any more. Whether it was known.
    pub fn add(&mut self, id: &str, liveness: i64, is_ours: bool) -> bool {
        let index = self.index(id);
        let was_known = self.remove(id).is_some();
        let node = Node { index, liveness, is_ours, ..Node::default() };
        *self.tally.of(&node.state) += 1;
        self.known.insert(id.into(), node);
        was_known
    }

    pub fn remove(&mut self, id: &str) -> Option<Node> {
        let node = self.known.remove(id)?;
        *self.tally.of(&node.state) -= 1;
        self.user_count = self.user_count.saturating_sub(node.user_count());
        Some(node)
    }

    /// `false` where there is no such worker.
    pub fn set_state(&mut self, id: &str, state: State) -> bool {
        let Some(node) = self.known.get_mut(id) else { return false };
        *self.tally.of(&node.state) -= 1;
        *self.tally.of(&state) += 1;
        node.state = state;
        true
    }

    /// `false` where there is no such worker.
    pub fn set_users(&mut self, id: &str, users: Users) -> bool {
        let Some(node) = self.known.get_mut(id) else { return false };
        let before = node.user_count();
        node.users = users;
        self.user_count = self.user_count.saturating_sub(before).saturating_add(node.user_count());
        true
    }

    /// Change what nobody sums up; `None` where there is no such worker.
    pub fn change<T>(&mut self, id: &str, change: impl FnOnce(&mut Node) -> T) -> Option<T> {
        self.known.get_mut(id).map(change)
    }

    /// A worker is alive. `None` where there is no such worker.
    pub fn beat(&mut self, id: &str, beat: &Beat<'_>, liveness: i64) -> Option<Beaten> {
        let node = self.known.get_mut(id)?;
        let is_healed = node.state == State::Missing;
        node.liveness = liveness;
        node.cpu = beat.cpu;
        node.memory = beat.memory.unwrap_or(node.memory);
        node.is_ours = beat.is_ours;
        node.has_beaten = true;
        node.busy = beat.busy;
        let warns = !node.is_cpu_warned && beat.cpu > CPU_WARNING;
        node.is_cpu_warned |= warns;
        let index = node.index;
        // Compared first: a name that is not one of ours is copied.
        if node.state.name() != beat.state {
            self.set_state(id, State::from(beat.state));
        }
        Some(Beaten { index, is_healed, warns, is_ours: beat.is_ours })
    }

    /// An interval has passed. Who was silent for too long is missing, and after `dead` further ones forgotten.
    pub fn tick(&mut self, dead: i64) -> Ticked {
        let mut ticked = Ticked::default();
        for (id, node) in &mut self.known {
            if node.state == State::Missing && node.liveness <= dead {
                ticked.forgotten.push(Arc::clone(id));
            }
            if node.liveness < 0 && node.state != State::Missing {
                ticked.missing.push(Missing { id: Arc::clone(id), may_have_counted: node.may_run_users() });
            } else {
                node.liveness -= 1;
            }
            ticked.again.extend(node.lost_spawn().map(|message| (Arc::clone(id), message)));
        }
        for Missing { id, .. } in &ticked.missing {
            self.set_state(id, State::Missing);
            self.set_users(id, Users::new());
        }
        for id in &ticked.forgotten {
            self.remove(id);
        }
        ticked.missing.sort();
        ticked.forgotten.sort();
        ticked
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn beat(state: &str) -> Beat<'_> {
        Beat { state, cpu: 12.5, memory: Some(7), is_ours: false, busy: 0.0 }
    }

    fn users(count: u64) -> Users {
        Users::from([("A".into(), count), ("B".into(), 1)])
    }

    #[test]
    fn an_index_is_kept_by_who_leaves_and_comes_again() {
        let mut nodes = Nodes::default();
        assert!(!nodes.add("a", 3, false) && !nodes.add("b", 3, false));
        nodes.remove("a");
        assert!(!nodes.add("a", 3, false) && nodes.add("b", 3, false));
        assert_eq!((nodes.index("a"), nodes.index("b"), nodes.index("c")), (0, 1, 2));
    }

    #[test]
    fn who_comes_under_ever_new_names_fills_no_memory() {
        let mut nodes = Nodes::default();
        nodes.add("a", 3, false);
        for number in 0..200_000 {
            nodes.index(&number.to_string());
        }
        assert!(nodes.indexes().count() <= Nodes::MOST_INDEXES);
        assert_eq!((nodes.index("a"), nodes.index("new")), (0, 200_001));
    }

    #[test]
    fn a_spawn_message_that_nobody_answers_is_sent_again() {
        let mut nodes = Nodes::default();
        nodes.add("ours", 1000, true);
        nodes.add("theirs", 1000, false);
        let ask = |nodes: &mut Nodes, text: &'static str| {
            for id in ["ours", "theirs"] {
                nodes.change(id, |node| node.asked_to_spawn(Bytes::from_static(text.as_bytes())));
            }
        };
        let again = |nodes: &mut Nodes| {
            let ticked = (0..12).flat_map(|_| nodes.tick(-60).again);
            ticked.map(|(id, message)| format!("{id} {}", str::from_utf8(&message).unwrap())).collect::<Vec<_>>()
        };
        ask(&mut nodes, "first");
        ask(&mut nodes, "second");
        nodes.change("ours", Node::spawns);
        // Of two one is answered: perhaps the first. Locust's may take their time.
        assert_eq!(again(&mut nodes), ["ours second", "ours second"]);
        nodes.change("ours", Node::spawns);
        assert_eq!(again(&mut nodes), [""; 0]);
        ask(&mut nodes, "third");
        nodes.change("ours", Node::asked_to_stop);
        assert_eq!(again(&mut nodes), [""; 0]);
    }

    #[test]
    fn a_silent_worker_goes_missing_heals_and_is_forgotten() {
        let mut nodes = Nodes::default();
        nodes.add("a", 3, false);
        nodes.set_users("a", users(4));
        nodes.set_state("a", State::Running);
        let went: Vec<_> = (0..5).map(|_| nodes.tick(-60).missing).collect();
        assert_eq!(went[4], [Missing { id: "a".into(), may_have_counted: true }]);
        let ticks = went.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!((ticks, nodes.user_count(), nodes.tally().missing), (vec![0, 0, 0, 0, 1], 0, 1));
        let beaten = nodes.beat("a", &beat("running"), 3).unwrap();
        assert_eq!((beaten.is_healed, nodes.tally().running), (true, 1));
        let forgotten = (1..100).find(|_| !nodes.tick(-60).forgotten.is_empty());
        // 4 ticks of patience, one that says that it is missing, 59 more below -1, and the one that looks again.
        assert_eq!((forgotten, nodes.tally()), (Some(65), Tally::default()));
        assert!(nodes.beat("a", &beat("running"), 3).is_none());
    }

    #[test]
    fn a_worker_without_air_is_warned_of_once() {
        let mut nodes = Nodes::default();
        nodes.add("a", 3, false);
        let hot = Beat { cpu: 90.5, ..beat("ready") };
        let warned = [nodes.beat("a", &hot, 3), nodes.beat("a", &hot, 3)].map(|beaten| beaten.unwrap().warns);
        assert_eq!(warned, [true, false]);
        assert!(!nodes.beat("a", &Beat { memory: None, ..beat("ready") }, 3).unwrap().warns);
        assert_eq!(nodes.get("a").unwrap().memory, 7);
    }

    #[test]
    fn only_who_can_run_users_is_summed_up_by_class() {
        let mut nodes = Nodes::default();
        for id in ["a", "b"] {
            nodes.add(id, 3, false);
            nodes.set_users(id, users(2));
        }
        nodes.set_state("b", State::Missing);
        assert_eq!((nodes.users(), nodes.user_count()), (users(2), 6));
    }

    proptest! {
        #[test]
        fn sums_are_those_of_the_nodes(steps in prop::collection::vec((0..5u8, 0..4u8, 0..9u64), 0..200)) {
            let mut nodes = Nodes::default();
            for (what, who, count) in steps {
                let id = who.to_string();
                match what {
                    0 => drop(nodes.add(&id, 1, false)),
                    1 => drop(nodes.remove(&id)),
                    2 => drop(nodes.set_users(&id, users(count))),
                    3 => drop(nodes.beat(&id, &beat(["ready", "running", "spawning", "odd"][count as usize % 4]), 1)),
                    _ => drop(nodes.tick(-3)),
                }
            }
            let counted = nodes.iter().map(|(_, node)| node.user_count()).sum::<u64>();
            prop_assert_eq!(nodes.user_count(), counted);
            let mut tally = Tally::default();
            nodes.iter().for_each(|(_, node)| *tally.of(&node.state) += 1);
            prop_assert_eq!(nodes.tally(), tally);
        }
    }
}
