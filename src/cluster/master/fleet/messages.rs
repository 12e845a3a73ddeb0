//! What a master does with the messages of its workers, at once and whatever Python is doing.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use bytes::Bytes;
use rmpv::Value;

use super::{Answer, Fleet};
use crate::cluster::master::data::{MOST_NAME, beat, exception, is_falsy, map, users};
use crate::cluster::master::nodes::{Beaten, Node, State, Users};
use crate::cluster::master::queue::{Event, Level};
use crate::cluster::message::{self, Envelope, Malformed, field};
use crate::cluster::report::{self, Gone, Merged};
use crate::sync::held;

/// What messages between nodes of ours begin with.
const OURS: &str = "gregaria:";

impl Fleet {
    /// Act on a message; what is to be sent in answer.
    pub fn take(&self, from: &str, message: &Bytes, now: f64) -> Vec<Answer> {
        if let Some(data) = message::report(message, from) {
            self.report(from, &message.slice_ref(data), now);
            self.look_for_rest();
            return Vec::new();
        }
        let opened = match message::open(message) {
            Ok(opened) => opened,
            Err(malformed) => return self.refuse(from, malformed),
        };
        let sent = Received { from, node: opened.node_id.unwrap_or(from), opened, message };
        if opened.kind.len().max(sent.node.len()) > MOST_NAME {
            self.refuse_because(|| {
                format!("Unrecognized message detected: it has a name of more than {MOST_NAME} bytes from {from}")
            });
            return Vec::new();
        }
        self.act(&sent, now).unwrap_or_else(|| {
            self.refuse_because(|| {
                format!("A `{}` message of {from} was left out: its data are not what they should be", opened.kind)
            });
            Vec::new()
        })
    }

    /// `None` where the data cannot be what they should.
    fn act(&self, sent: &Received<'_>, now: f64) -> Option<Vec<Answer>> {
        let mut answers = Vec::new();
        match sent.opened.kind {
            "client_ready" => match self.ready(sent)? {
                Some(ack) => answers.push(ack),
                None => return Some(answers),
            },
            "client_stopped" => self.stopped(sent),
            "heartbeat" => answers.extend(self.beat(sent, now)?),
            "stats" => self.report(sent.node, &sent.data(), now),
            "spawning" => answers.extend(self.spawning(sent)),
            "spawning_complete" => answers.extend(self.spawned(sent)?),
            "logs" => {
                let taken = self.logs().take(&sent.value());
                let logs = |lines| Event::Logs { data: message::encode_data(&lines).into() };
                taken.map(logs).into_iter().for_each(|logs| self.queue.push(logs));
            }
            "quit" => self.quit(sent, now),
            "exception" => self.exception(sent)?,
            "locustfile" => {
                self.asked_for_locustfile(sent)?;
                return Some(answers);
            }
            kind => {
                let is_ours = kind.starts_with(OURS);
                if is_ours {
                    // It shows what it is, perhaps before its first heartbeat does.
                    self.nodes().change(sent.node, |node| node.is_ours = true);
                }
                let queue = if is_ours { &self.own_queue } else { &self.queue };
                queue.push(Event::Custom { kind: kind.into(), id: sent.node.into(), data: sent.data() });
            }
        }
        self.look_for_rest();
        Some(answers)
    }

    /// `Some(None)` for a worker that is too old.
    fn ready(&self, sent: &Received<'_>) -> Option<Option<Answer>> {
        let id: Arc<str> = sent.from.into();
        let version = sent.value();
        if is_falsy(&version) {
            self.push_line(Event::TooOld { id });
            return Some(None);
        }
        // A text, or what workers that are not Locust's say instead.
        if !version.is_str() && version.as_i64() != Some(-1) {
            return None;
        }
        let liveness = self.timing().liveness;
        let mut nodes = self.nodes();
        let was_known = nodes.add(&id, liveness, false);
        let (index, workers) = (nodes.index(&id), nodes.tally().active());
        drop(nodes);
        self.note_change();
        self.queue.push(Event::Ready { id, index, version: sent.data(), was_known, workers });
        // The key by which nodes of ours know each other. Others read `index` alone.
        let ours = map([("instance", self.instance.as_str().into())]);
        let ack = map([("index", index.into()), (report::KEY, ours)]);
        Some(Some((sent.from.into(), message::encode("ack", &ack, sent.from))))
    }

    fn stopped(&self, sent: &Received<'_>) {
        let removed = self.nodes().remove(sent.node);
        self.note_change();
        match removed {
            Some(node) => self.queue.push(Event::Stopped { id: sent.node.into(), index: node.index }),
            None => self.push_line(Event::Stranger { id: sent.node.into(), kind: "client_stopped" }),
        }
    }

    fn beat(&self, sent: &Received<'_>, now: f64) -> Option<Option<Answer>> {
        let data = sent.value();
        let beat = beat(&data)?;
        let liveness = self.timing().liveness;
        let mut nodes = self.nodes();
        let Some(is_same) = nodes.get(sent.node).map(|node| node.state.name() == beat.state) else {
            // A worker of ours of a master before this one, or one that was away for too long: it may come back.
            let announce = || (sent.node.into(), message::encode("gregaria:announce", &Value::Nil, sent.node));
            return Some(beat.is_ours.then(announce));
        };
        let Beaten { index, is_healed, warns, .. } = nodes.beat(sent.node, &beat, liveness)?;
        drop(nodes);
        if !is_same {
            self.note_change();
        }
        let id = || Arc::from(sent.node);
        if is_healed {
            self.queue.push(Event::Healed { id: id(), state: beat.state.into() });
        }
        if warns {
            self.queue.push(Event::Hot { id: id(), index });
        }
        if self.hears_heartbeats.load(Ordering::Relaxed) {
            self.queue.push(Event::Beaten { id: id(), at: now });
        }
        let answer = field(&data, report::KEY).map(|ours| self.reports().heartbeat(sent.node, ours, now));
        Some(Some((sent.node.into(), message::encode("heartbeat", &answer.unwrap_or(Value::Nil), sent.node))))
    }

    fn report(&self, node: &str, data: &Bytes, now: f64) {
        let merged = self.reports().merge(node, data, &self.table(), now);
        let is_to_be_heard = match merged {
            // One that came twice is older than what was said since.
            Ok(merged) if merged.is_duplicate => false,
            Ok(merged) => {
                self.merged(node, merged);
                true
            }
            Err(malformed) => {
                self.push_line(Event::Unmerged { id: node.into(), why: malformed.to_string() });
                message::value(data).is_ok()
            }
        };
        if is_to_be_heard && self.hears_reports.load(Ordering::Relaxed) {
            self.queue.push(Event::Reported { id: node.into(), data: data.clone() });
        }
    }

    fn merged(&self, node: &str, merged: Merged) {
        for text in merged.complaints {
            self.push_line(Event::Line { level: Level::Warning, text });
        }
        let users: Users = merged.users.into_iter().map(|(name, count)| (name.into(), count)).collect();
        if self.nodes().set_users(node, users) {
            self.note_change();
        } else {
            self.push_line(Event::Discarded { id: node.into() });
        }
    }

    fn spawning(&self, sent: &Received<'_>) -> Option<Answer> {
        if self.enter(sent.node, State::Spawning) {
            self.nodes().change(sent.node, Node::spawns);
            return None;
        }
        Some(self.send_away(sent.node, "spawning"))
    }

    fn spawned(&self, sent: &Received<'_>) -> Option<Option<Answer>> {
        let counts = users(&sent.value());
        if !self.enter(sent.node, State::Running) {
            return Some(Some(self.send_away(sent.node, "spawning_complete")));
        }
        self.nodes().set_users(sent.node, counts?);
        self.note_change();
        Some(None)
    }

    /// A worker is in another state, by its own word: who was missing is not any more. `false` where it is not known.
    fn enter(&self, node: &str, state: State) -> bool {
        let liveness = self.timing().liveness;
        let name = Arc::from(state.name());
        let mut nodes = self.nodes();
        let was_missing = nodes.get(node).is_some_and(|node| node.state == State::Missing);
        let is_known = nodes.set_state(node, state);
        if was_missing {
            nodes.change(node, |node| node.liveness = liveness);
        }
        drop(nodes);
        self.note_change();
        if was_missing {
            self.queue.push(Event::Healed { id: node.into(), state: name });
        }
        is_known
    }

    /// Somebody runs users that this master did not ask for.
    fn send_away(&self, node: &str, kind: &'static str) -> Answer {
        self.push_line(Event::Stranger { id: node.into(), kind });
        (node.into(), message::encode("quit", &Value::Nil, node))
    }

    fn quit(&self, sent: &Received<'_>, now: f64) {
        let mut nodes = self.nodes();
        if let Some(node) = nodes.remove(sent.node) {
            let tally = nodes.tally();
            drop(nodes);
            self.note_change();
            let (index, ready, workers) = (node.index, tally.ready, tally.active());
            self.queue.push(Event::Quit { id: sent.node.into(), index, ready, workers });
            if self.say_what_is_lost(sent.node, Gone::Left, now) {
                self.note_losses();
            }
        }
    }

    fn exception(&self, sent: &Received<'_>) -> Option<()> {
        let data = sent.value();
        let (message, traceback) = exception(&data)?;
        held(&self.table()).record_exception(sent.node, message, traceback);
        Some(())
    }

    fn asked_for_locustfile(&self, sent: &Received<'_>) -> Option<()> {
        field(&sent.value(), "version")?;
        let (id, node_id) = (sent.from.into(), sent.node.into());
        self.queue.push(Event::Locustfile { id, node_id, data: sent.data() });
        Some(())
    }

    /// A message that is none.
    fn refuse(&self, from: &str, malformed: Malformed) -> Vec<Answer> {
        let is_known = self.nodes().get(from).is_some();
        if is_known && malformed.asks_for_reconnect() {
            self.refuse_because(|| {
                format!("RPCError when receiving from client: {malformed}. Will reset client {from}.")
            });
            return vec![(from.into(), message::encode("reconnect", &Value::Nil, from))];
        }
        self.refuse_because(|| format!("Unrecognized message detected: {malformed} from {from}"));
        Vec::new()
    }

    /// A message of somebody whose name is no text.
    pub fn refuse_nameless(&self) {
        self.refuse_because(|| "Unrecognized message detected: its sender's name is not UTF-8".into());
    }

    fn refuse_because(&self, text: impl FnOnce() -> String) {
        self.refused.fetch_add(1, Ordering::Relaxed);
        if self.may_say() {
            self.say(Level::Error, text());
        }
    }

    /// An event whose only consequence is a line of the log.
    fn push_line(&self, event: Event) {
        if self.may_say() {
            self.queue.push(event);
        }
    }
}

/// A message, and who sent it.
struct Received<'a> {
    /// The identity of the connection.
    from: &'a str,
    /// What the message says who it is from: what it is looked up by, as in Locust.
    node: &'a str,
    opened: Envelope<'a>,
    message: &'a Bytes,
}

impl Received<'_> {
    /// The data as they came, without a copy.
    fn data(&self) -> Bytes {
        self.message.slice_ref(self.opened.data)
    }

    fn value(&self) -> Value {
        // It was walked over when the message was opened.
        message::value(self.opened.data).unwrap_or(Value::Nil)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;
    use std::task::{Context, Poll, Waker};

    use super::super::Phase;
    use super::*;
    use crate::stats::Table;

    fn fleet() -> Fleet {
        Fleet::new(Arc::new(Mutex::new(Table::new(0.0, true))))
    }

    fn tell(fleet: &Fleet, kind: &str, data: Value, node: &str) -> Vec<(String, String, Value)> {
        let message = message::encode(kind, &data, node);
        let read = |(to, message): Answer| {
            let opened = message::open(&message).unwrap();
            (to, opened.kind.to_owned(), message::value(opened.data).unwrap())
        };
        fleet.take(node, &message, 1.0).into_iter().map(read).collect()
    }

    fn events(fleet: &Fleet) -> Vec<Event> {
        let mut events = Vec::new();
        while let Poll::Ready(Some(event)) = fleet.queue().poll_next(&mut Context::from_waker(Waker::noop())) {
            events.push(event);
        }
        events
    }

    fn ready(fleet: &Fleet, node: &str) -> Vec<(String, String, Value)> {
        tell(fleet, "client_ready", "2.47.0".into(), node)
    }

    fn beat(state: &str) -> Value {
        map([("state", state.into()), ("current_cpu_usage", 1.into())])
    }

    fn users(count: u64) -> Value {
        map([("user_classes_count", map([("A", count.into())])), ("user_count", count.into())])
    }

    #[test]
    fn a_worker_is_acknowledged_with_its_index_and_answered() {
        let fleet = fleet();
        for (node, index) in [("a", 0), ("b", 1), ("a", 0)] {
            let acks = ready(&fleet, node);
            assert_eq!((acks[0].0.as_str(), acks[0].1.as_str()), (node, "ack"));
            assert_eq!(field(&acks[0].2, "index"), Some(&index.into()));
        }
        assert_eq!(tell(&fleet, "heartbeat", beat("running"), "a"), [("a".into(), "heartbeat".into(), Value::Nil)]);
        let tally = fleet.nodes().tally();
        assert_eq!((tally.running, tally.ready), (1, 1));
        let known: Vec<_> = events(&fleet)
            .into_iter()
            .filter_map(|event| match event {
                Event::Ready { was_known, workers, .. } => Some((was_known, workers)),
                _ => None,
            })
            .collect();
        assert_eq!(known, [(false, 1), (false, 2), (true, 2)]);
    }

    #[test]
    fn a_stranger_is_sent_away_or_asked_to_come_back_and_otherwise_ignored() {
        let fleet = fleet();
        assert_eq!(tell(&fleet, "spawning", Value::Nil, "s")[0].1, "quit");
        assert_eq!(tell(&fleet, "spawning_complete", users(1), "s")[0].1, "quit");
        assert!(tell(&fleet, "heartbeat", beat("running"), "s").is_empty());
        let Value::Map(mut pairs) = beat("running") else { unreachable!() };
        pairs.push((report::KEY.into(), Value::Map(Vec::new())));
        assert_eq!(tell(&fleet, "heartbeat", Value::Map(pairs), "s")[0].1, "gregaria:announce");
        assert!(
            tell(&fleet, "quit", Value::Nil, "s").is_empty()
                && tell(&fleet, "client_ready", Value::Nil, "s").is_empty()
        );
        assert_eq!(fleet.nodes().tally().all(), 0);
    }

    #[test]
    fn a_version_is_a_text_or_none() {
        let fleet = fleet();
        for version in [7.into(), Value::Array(vec![1.into()]), 2.5.into()] {
            assert!(tell(&fleet, "client_ready", version, "s").is_empty());
        }
        assert_eq!((fleet.nodes().tally().all(), fleet.refused()), (0, 3));
        assert_eq!(tell(&fleet, "client_ready", (-1).into(), "go").len(), 1);
    }

    #[test]
    fn users_are_summed_up_in_the_table() {
        let fleet = fleet();
        for (node, count) in [("a", 3), ("b", 4)] {
            ready(&fleet, node);
            tell(&fleet, "spawning", Value::Nil, node);
            assert!(tell(&fleet, "spawning_complete", users(count), node).is_empty());
        }
        assert_eq!((held(&fleet.table()).user_count(), fleet.nodes().tally().running), (7, 2));
        tell(&fleet, "client_stopped", Value::Nil, "a");
        tell(&fleet, "quit", Value::Nil, "b");
        assert_eq!((held(&fleet.table()).user_count(), fleet.nodes().tally().all()), (0, 0));
    }

    #[test]
    fn rest_is_told_as_locust_sees_it() {
        let fleet = fleet();
        let is_at_rest = || events(&fleet).contains(&Event::AtRest);
        ready(&fleet, "a");
        assert!(!is_at_rest());
        fleet.set_phase(Phase::Stopping);
        tell(&fleet, "heartbeat", beat("running"), "a");
        assert!(!is_at_rest());
        tell(&fleet, "heartbeat", beat("ready"), "a");
        assert!(is_at_rest());
        fleet.set_phase(Phase::Stopped);
        tell(&fleet, "heartbeat", beat("ready"), "a");
        assert!(!is_at_rest());
        fleet.set_phase(Phase::Other);
        tell(&fleet, "quit", Value::Nil, "a");
        assert!(is_at_rest());
    }

    #[test]
    fn what_is_no_message_harms_nobody() {
        let fleet = fleet();
        ready(&fleet, "a");
        for (kind, data) in [
            ("heartbeat", Value::Nil),
            ("heartbeat", map([("state", 1.into())])),
            ("spawning_complete", Value::Nil),
            ("exception", "x".into()),
            ("locustfile", Value::Nil),
        ] {
            assert!(tell(&fleet, kind, data, "a").is_empty(), "{kind}");
        }
        assert_eq!(fleet.refused(), 5);
        assert!(fleet.take("a", &Bytes::from_static(b"\x93"), 1.0).is_empty());
        let torn = fleet.take("a", &Bytes::from_static(b"\x93\xa1x\xc0\xa1a."), 1.0);
        assert_eq!(message::open(&torn[0].1).unwrap().kind, "reconnect");
        assert_eq!(fleet.nodes().tally().all(), 1);
    }

    #[test]
    fn names_are_no_longer_than_a_connections() {
        let fleet = fleet();
        let long = "n".repeat(MOST_NAME + 1);
        tell(&fleet, "theirs", Value::Nil, &long[1..]);
        tell(&fleet, &long, Value::Nil, "a");
        assert!(fleet.take("a", &message::encode("heartbeat", &beat("ready"), &long), 1.0).is_empty());
        let told = events(&fleet);
        assert_eq!(
            (fleet.refused(), told.iter().filter(|event| matches!(event, Event::Custom { .. })).count()),
            (2, 1)
        );
        ready(&fleet, "a");
        assert!(tell(&fleet, "heartbeat", beat(&long), "a").is_empty());
        let classes = (0..10_001).map(|number| (number.to_string().into(), 1.into())).collect();
        let data = map([("user_classes_count", Value::Map(classes))]);
        assert!(tell(&fleet, "spawning_complete", data, "a").is_empty());
        assert_eq!(fleet.refused(), 4);
    }

    #[test]
    fn wrong_messages_cause_so_many_lines_and_no_more() {
        let fleet = fleet();
        let wrong: [fn(&Fleet); 6] = [
            |fleet| fleet.refuse_nameless(),
            |fleet| drop(fleet.take("s", &Bytes::from_static(b"\x93"), 1.0)),
            |fleet| drop(tell(fleet, "exception", Value::Nil, "s")),
            |fleet| drop(tell(fleet, "client_stopped", Value::Nil, "s")),
            |fleet| drop(tell(fleet, "client_ready", Value::Nil, "s")),
            |fleet| drop(tell(fleet, "stats", Value::Nil, "s")),
        ];
        for send in wrong {
            assert!(fleet.tick(0.0).is_empty());
            (0..1000).for_each(|_| send(&fleet));
            assert!(fleet.tick(1.0).is_empty());
            let told = events(&fleet);
            assert!((1..=111).contains(&told.iter().filter(|event| **event != Event::AtRest).count()), "{told:?}");
            assert!(
                matches!(told.last(), Some(Event::Line { text, .. }) if text.ends_with("were left out")),
                "{told:?}"
            );
            assert!(fleet.tick(100.0).is_empty());
        }
    }

    #[test]
    fn own_messages_wait_behind_no_listener() {
        let fleet = fleet();
        tell(&fleet, "gregaria:rows", 1.into(), "a");
        tell(&fleet, "theirs", 2.into(), "a");
        let own = fleet.own_queue().poll_next(&mut Context::from_waker(Waker::noop()));
        assert!(matches!(own, Poll::Ready(Some(Event::Custom { kind, .. })) if &*kind == "gregaria:rows"));
        assert!(events(&fleet).iter().any(|event| matches!(event, Event::Custom { kind, .. } if &**kind == "theirs")));
    }
}
