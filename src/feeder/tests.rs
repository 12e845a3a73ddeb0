//! A fleet in one thread: an owner, workers that come, stop, vanish and come back, and a network that loses, doubles,
//! delays and reorders what it is given. Whatever happens, no row is taken twice, and none is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::Index;

use super::*;

impl Content for u64 {}

/// Counts from 1 to its end.
struct Numbers {
    last: u64,
    at: u64,
    pass: u64,
    is_known: bool,
}

impl Source<u64> for Numbers {
    fn next(&mut self) -> Result<Option<Row<u64>>, Broken> {
        if self.at == self.last {
            return Ok(None);
        }
        self.at += 1;
        Ok(Some(Row { number: self.at, pass: self.pass, content: self.at }))
    }

    fn begin(&mut self, pass: u64) -> Result<(), Broken> {
        (self.at, self.pass) = (0, pass);
        Ok(())
    }

    fn left(&self) -> Option<u64> {
        self.is_known.then(|| self.last - self.at)
    }
}

fn numbers(last: u64, is_known: bool, recycles: bool) -> Ledger<u64> {
    Ledger::new(Box::new(Numbers { last, at: 0, pass: 1, is_known }), recycles)
}

#[derive(Debug, Clone)]
enum Step {
    /// Its users take so many rows, and ask for more where there are none.
    Take(Index, usize),
    /// It sends again what was not answered, and how much it used.
    Tick(Index),
    /// The owner looks for rows that somebody can spare.
    Spare,
    /// Its test ends: it gives everything back.
    Leave(Index),
    /// Its test begins again.
    Begin(Index),
    /// It is killed: it takes nothing any more; the owner hears of it some time.
    Die(Index),
    /// The owner gives it up, whether it lives or not.
    Lose(Index),
    /// The owner hears of it again.
    Find(Index),
    /// A message arrives, and it may arrive again.
    Deliver(Index, bool),
    /// It never arrives.
    Drop(Index),
    Join,
}

fn step() -> impl Strategy<Value = Step> {
    let who = any::<Index>;
    prop_oneof![
        8 => (who(), 1..40_usize).prop_map(|(who, count)| Step::Take(who, count)),
        4 => who().prop_map(Step::Tick),
        2 => Just(Step::Spare),
        1 => who().prop_map(Step::Leave),
        1 => who().prop_map(Step::Begin),
        1 => who().prop_map(Step::Die),
        1 => who().prop_map(Step::Lose),
        1 => who().prop_map(Step::Find),
        16 => (who(), any::<bool>()).prop_map(|(which, again)| Step::Deliver(which, again)),
        3 => who().prop_map(Step::Drop),
        1 => Just(Step::Join),
    ]
}

#[derive(Clone)]
enum Message {
    Request(String, Request),
    Used(String, u64, u64),
    Answer(Outgoing<u64>),
    Spare(String),
}

struct Fleet {
    ledger: Ledger<u64>,
    workers: BTreeMap<String, Stock<u64>>,
    network: Vec<Message>,
    taken: Vec<(u64, u64)>,
    waiting: BTreeSet<String>,
    /// Whom the owner has given up.
    lost: BTreeSet<String>,
    clock: Duration,
    joined: usize,
}

impl Fleet {
    fn new(ledger: Ledger<u64>, workers: usize) -> Self {
        let mut fleet = Self {
            ledger,
            workers: BTreeMap::new(),
            network: Vec::new(),
            taken: Vec::new(),
            waiting: BTreeSet::new(),
            lost: BTreeSet::new(),
            clock: Duration::ZERO,
            joined: 0,
        };
        (0..workers).for_each(|_| fleet.join());
        fleet
    }

    fn join(&mut self) {
        self.joined += 1;
        let mut stock = Stock::default();
        let (name, request) = (format!("worker {}", self.joined), stock.begin());
        self.workers.insert(name.clone(), stock);
        self.send(&name, Some(request));
    }

    fn name(&self, which: Index) -> Option<String> {
        self.workers.keys().nth(which.index(self.workers.len().max(1))).cloned()
    }

    fn act(&mut self, step: Step) {
        self.clock += Duration::from_millis(10);
        match step {
            Step::Take(who, count) => self.with(who, |fleet, name| fleet.take(name, count)),
            Step::Tick(who) => self.with(who, Self::tick),
            Step::Spare => self.look_for_spares(),
            Step::Leave(who) => self.with(who, |fleet, name| {
                let request = fleet.workers.get_mut(name).and_then(Stock::leave);
                fleet.send(name, request);
            }),
            Step::Begin(who) => self.with(who, |fleet, name| {
                let request = fleet.workers.get_mut(name).map(Stock::begin);
                fleet.send(name, request);
            }),
            Step::Die(who) => self.with(who, |fleet, name| {
                fleet.workers.remove(name);
            }),
            Step::Lose(who) => self.with(who, Self::lose),
            Step::Find(who) => self.with(who, Self::find),
            Step::Deliver(which, again) => self.deliver(which, again),
            Step::Drop(which) if !self.network.is_empty() => {
                let place = which.index(self.network.len());
                self.network.remove(place);
            }
            Step::Drop(_) => {}
            Step::Join => self.join(),
        }
    }

    fn with(&mut self, who: Index, act: impl FnOnce(&mut Self, &str)) {
        if let Some(name) = self.name(who) {
            act(self, &name);
        }
    }

    fn take(&mut self, name: &str, count: usize) {
        for _ in 0..count {
            let stock = self.workers.get_mut(name).unwrap();
            let row = stock.take();
            let waiting = usize::from(row.is_none());
            let request = if stock.is_low() || waiting > 0 { stock.ask(self.clock, waiting) } else { None };
            let told = stock.is_empty().then(|| stock.progress());
            self.taken.extend(row.iter().map(|row| (row.pass, row.number)));
            self.send(name, request);
            self.network.extend(told.map(|(life, used)| Message::Used(name.into(), life, used)));
            if waiting > 0 {
                self.waiting.insert(name.into());
                return;
            }
            self.waiting.remove(name);
        }
    }

    fn tick(&mut self, name: &str) {
        let stock = self.workers.get_mut(name).unwrap();
        let (life, used) = stock.progress();
        let request = stock.ask_again();
        self.network.push(Message::Used(name.into(), life, used));
        self.send(name, request);
    }

    fn look_for_spares(&mut self) {
        let spares: Vec<_> = self.ledger.spares().into_iter().map(|worker| Message::Spare(worker.into())).collect();
        self.network.extend(spares);
    }

    fn lose(&mut self, name: &str) {
        self.lost.insert(name.into());
        let answers = self.ledger.lose(name);
        self.answer(answers);
    }

    fn find(&mut self, name: &str) {
        if self.lost.remove(name) {
            self.ledger.find(name);
        }
    }

    fn send(&mut self, name: &str, request: Option<Request>) {
        self.network.extend(request.map(|request| Message::Request(name.into(), request)));
    }

    fn answer(&mut self, answers: Vec<Outgoing<u64>>) {
        self.network.extend(answers.into_iter().map(Message::Answer));
    }

    fn deliver(&mut self, which: Index, again: bool) {
        if self.network.is_empty() {
            return;
        }
        let place = which.index(self.network.len());
        let message = if again { self.network[place].clone() } else { self.network.remove(place) };
        self.hear(message);
    }

    fn hear(&mut self, message: Message) {
        match message {
            Message::Request(worker, request) => {
                let is_lost = self.lost.contains(&worker);
                let hear = if is_lost { Ledger::request_of_lost } else { Ledger::request };
                let answers = hear(&mut self.ledger, &worker, request);
                self.answer(answers);
            }
            Message::Used(worker, life, used) => {
                let answers = self.ledger.note_used(&worker, life, used);
                self.answer(answers);
            }
            Message::Answer(Outgoing { worker, life, number, answer }) => {
                if let Some(stock) = self.workers.get_mut(&worker) {
                    stock.arrive(life, number, answer);
                }
            }
            Message::Spare(worker) => {
                let waiting = usize::from(self.waiting.contains(&worker));
                let request = self.workers.get_mut(&worker).and_then(|stock| stock.spare(waiting));
                self.send(&worker, request);
            }
        }
    }

    fn flush(&mut self) {
        while !self.network.is_empty() {
            std::mem::take(&mut self.network).into_iter().for_each(|message| self.hear(message));
        }
    }

    /// From now on nothing is lost, and everybody takes what there is, until all are told of the end.
    fn settle(&mut self) {
        for _ in 0..300 {
            if self.network.is_empty() && self.workers.values().all(|stock| stock.is_ended() && stock.is_empty()) {
                return;
            }
            self.lose_the_dead();
            for name in self.workers.keys().cloned().collect::<Vec<_>>() {
                self.find(&name);
                self.clock += Duration::from_millis(10);
                self.take(&name, 7);
                self.tick(&name);
            }
            self.look_for_spares();
            for message in std::mem::take(&mut self.network) {
                self.hear(message);
            }
        }
        panic!("somebody waits for ever");
    }

    /// Once: what they have said may come later.
    fn lose_the_dead(&mut self) {
        for name in (1..=self.joined).map(|number| format!("worker {number}")) {
            if !self.workers.contains_key(&name) && !self.lost.contains(&name) {
                self.lose(&name);
            }
        }
    }

    fn doubted(&self) -> Vec<(u64, u64)> {
        self.ledger.in_doubt().iter().flat_map(|doubt| &doubt.rows).map(|row| (row.pass, row.number)).collect()
    }

    /// What nobody was given, or what came back.
    fn left(&mut self) -> Vec<(u64, u64)> {
        std::iter::from_fn(|| self.ledger.next()).map(|row| (row.pass, row.number)).collect()
    }
}

fn distinct<T: Ord + Copy>(rows: &[T]) -> BTreeSet<T> {
    rows.iter().copied().collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_row_is_taken_once_at_most_and_none_is_forgotten(
        last in 0..400_u64,
        is_known: bool,
        workers in 1..6_usize,
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut fleet = Fleet::new(numbers(last, is_known, false), workers);
        steps.into_iter().for_each(|step| fleet.act(step));
        fleet.settle();
        let (taken, doubted, left) = (distinct(&fleet.taken), distinct(&fleet.doubted()), distinct(&fleet.left()));
        prop_assert_eq!(taken.len(), fleet.taken.len(), "a row was taken twice");
        prop_assert!(left.is_disjoint(&taken) && left.is_disjoint(&doubted), "a row would be handed out again");
        let all: BTreeSet<_> = taken.union(&doubted).chain(&left).copied().collect();
        prop_assert_eq!(all.len() as u64, last, "a row was forgotten");
    }

    #[test]
    fn while_nobody_is_lost_nothing_is_in_doubt_and_all_is_used(
        last in 0..400_u64,
        is_known: bool,
        workers in 1..6_usize,
        steps in prop::collection::vec(step(), 0..200),
    ) {
        let mut fleet = Fleet::new(numbers(last, is_known, false), workers);
        let ends = |step: &Step| matches!(step, Step::Leave(_) | Step::Begin(_) | Step::Die(_) | Step::Lose(_));
        steps.into_iter().filter(|step| !ends(step)).for_each(|step| fleet.act(step));
        fleet.settle();
        prop_assert_eq!(fleet.doubted(), []);
        prop_assert_eq!(fleet.left(), []);
        prop_assert_eq!((fleet.taken.len() as u64, fleet.ledger.used()), (last, last));
        prop_assert!(fleet.ledger.is_spent());
    }

    #[test]
    fn recycled_data_go_round_and_round(workers in 1..4_usize, steps in prop::collection::vec(step(), 0..300)) {
        let mut fleet = Fleet::new(numbers(50, false, true), workers);
        steps.into_iter().for_each(|step| fleet.act(step));
        prop_assert_eq!(distinct(&fleet.taken).len(), fleet.taken.len(), "a row was taken twice in one pass");
    }
}

/// A worker `a`, known to the owner.
fn begun(ledger: &mut Ledger<u64>) -> Stock<u64> {
    let mut stock = Stock::default();
    let request = stock.begin();
    for Outgoing { life, number, answer, .. } in ledger.request("a", request) {
        assert!(stock.arrive(life, number, answer));
    }
    stock
}

#[test]
fn what_is_brought_goes_out_in_its_order_and_ends_when_that_is_told() {
    let mut ledger = Ledger::new(Box::new(Given::default()), false);
    let mut stock = begun(&mut ledger);
    let request = stock.ask(Duration::ZERO, 3).unwrap();
    let short = ledger.shortage(request.wants);
    assert_eq!(short, 16);
    (1..=2).for_each(|number| ledger.bring(Row { number, pass: 1, content: number }));
    let answers = ledger.request("a", request);
    assert!(matches!(&answers[..], [Outgoing { answer: Answer::Rows(rows), .. }] if rows.len() == 2));
    ledger.close();
    assert_eq!(ledger.shortage(16), 0);
    for Outgoing { life, number, answer, .. } in answers {
        assert!(stock.arrive(life, number, answer));
    }
    assert_eq!([stock.take(), stock.take()].map(|row| row.unwrap().number), [1, 2]);
    let request = stock.ask(Duration::ZERO, 1).unwrap();
    let answers = ledger.request("a", request);
    assert_eq!(answers[0].answer, Answer::End);
}

#[test]
fn what_a_lost_worker_said_before_gets_it_no_rows_and_keeps_nobody_waiting() {
    let mut ledger = numbers(16, false, false);
    let mut dead = begun(&mut ledger);
    let request = dead.ask(Duration::ZERO, 1).unwrap();
    ledger.request("b", Request { life: 1, number: 1, kept: 0, used: 0, wants: 0, starves: false });
    assert_eq!(ledger.lose("a"), []);
    assert_eq!(ledger.request_of_lost("a", request), []);
    let ask = |number, used| Request { life: 1, number, kept: 0, used, wants: 16, starves: true };
    let answers = ledger.request("b", ask(2, 0));
    assert!(matches!(&answers[..], [Outgoing { answer: Answer::Rows(rows), .. }] if rows.len() == 16));
    let answers = ledger.request("b", Request { kept: 16, ..ask(3, 16) });
    assert_eq!(answers[0].answer, Answer::End);
    assert!(ledger.is_spent() && ledger.in_doubt().is_empty());
}

#[test]
fn a_lost_worker_that_comes_back_asks_again() {
    let mut ledger = numbers(16, false, false);
    let mut stock = begun(&mut ledger);
    let request = stock.ask(Duration::ZERO, 1).unwrap();
    ledger.lose("a");
    assert_eq!(ledger.request_of_lost("a", request), []);
    ledger.find("a");
    while stock.is_empty() {
        let request = stock.ask_again().or_else(|| stock.ask(Duration::ZERO, 1)).unwrap();
        for Outgoing { life, number, answer, .. } in ledger.request("a", request) {
            stock.arrive(life, number, answer);
        }
    }
    assert_eq!(stock.take().map(|row| row.number), Some(1));
}

#[test]
fn all_get_a_fair_share_of_the_last_rows() {
    let mut fleet = Fleet::new(numbers(64, true, false), 4);
    fleet.flush();
    for name in ["worker 1", "worker 2", "worker 3", "worker 4"] {
        fleet.take(name, 1);
        fleet.flush();
    }
    let held: Vec<_> = fleet.workers.values().map(Stock::len).collect();
    assert!(held.iter().all(|held| (4..=16).contains(held)), "{held:?}");
}

#[test]
fn broken_data_are_told_to_whoever_asks() {
    struct Gone;
    impl Source<u64> for Gone {
        fn next(&mut self) -> Result<Option<Row<u64>>, Broken> {
            Err(Broken("gone".into()))
        }
        fn begin(&mut self, _pass: u64) -> Result<(), Broken> {
            Ok(())
        }
    }
    let mut ledger = Ledger::new(Box::new(Gone), false);
    let mut stock = begun(&mut ledger);
    let request = stock.ask(Duration::ZERO, 1).unwrap();
    let answers = ledger.request("a", request);
    assert_eq!(answers[0].answer, Answer::Broken(Broken("gone".into())));
    assert!(stock.arrive(answers[0].life, answers[0].number, answers[0].answer.clone()));
    assert_eq!(stock.broken(), Some(&Broken("gone".into())));
}
