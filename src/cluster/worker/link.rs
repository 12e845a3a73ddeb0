//! The thread: one socket, one clock, and whoever wants something sent.

use std::io;
use std::sync::atomic::Ordering;
use std::sync::{Arc, mpsc as std_mpsc};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::conversation::{Again, Conversation, Due};
use super::kept::Kept;
use super::{Command, Event, Shared};
use crate::clock::now;
use crate::cluster::message::{self, Envelope, Value, field};
use crate::cluster::report::{KEY, Master};
use crate::cluster::transport::{self, Dealer, Notice, Notices};
use crate::cluster::usage::{Meter, Usage};
use crate::sync::held;

/// By which our own master says that it does not know a worker of ours.
const ANNOUNCE: &str = "gregaria:announce";

/// How long what is left to be sent may take where nobody waits for it.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Keep the connection until somebody closes it. `began` hears whether there is one to keep.
pub fn run(shared: Arc<Shared>, orders: mpsc::UnboundedReceiver<Command>, began: &std_mpsc::Sender<io::Result<()>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(began.send(Err(error))),
    };
    runtime.block_on(async {
        let settings = &shared.settings;
        let (notices, said) = Notices::channel();
        let transport = transport::Settings { notices, ..settings.transport.clone() };
        match Dealer::connect(&settings.host, settings.port, &settings.id, transport) {
            Ok(dealer) => {
                let _ = began.send(Ok(()));
                Link::new(&shared, dealer).keep(orders, said).await;
            }
            Err(error) => drop(began.send(Err(error))),
        }
    });
    shared.inbox.close();
    shared.ours.close();
}

struct Link<'a> {
    shared: &'a Shared,
    dealer: Dealer,
    conversation: Conversation,
    meter: Meter,
    usage: Usage,
    kept: Kept,
    /// By which our master of now knows itself.
    instance: Option<String>,
}

impl<'a> Link<'a> {
    fn new(shared: &'a Shared, dealer: Dealer) -> Self {
        let conversation = Conversation::new(Instant::now());
        Self {
            shared,
            dealer,
            conversation,
            meter: Meter::new(),
            usage: Usage::default(),
            kept: Kept::default(),
            instance: None,
        }
    }

    async fn keep(mut self, mut orders: mpsc::UnboundedReceiver<Command>, mut notices: mpsc::Receiver<Notice>) {
        loop {
            self.do_what_is_due();
            let next = self.conversation.next().unwrap_or_else(|| Instant::now() + Duration::from_hours(1));
            tokio::select! {
                order = orders.recv() => match order {
                    Some(Command::Send(message)) => self.pass_on(message),
                    Some(Command::Call(message)) => {
                        self.conversation.called(Instant::now());
                        self.pass_on(message);
                    }
                    Some(Command::SendReport(sequence, message)) => self.send_report(sequence, message),
                    Some(Command::Report(written)) => {
                        self.report();
                        let _ = written.send(());
                    }
                    Some(Command::Reopen) => self.dealer.reopen(),
                    Some(Command::FallSilent) => self.conversation.fall_silent(),
                    Some(Command::Close(patience, closed)) => {
                        let is_sent = self.dealer.close(patience).await;
                        // Who asked for it may have gone.
                        let _ = closed.send(is_sent);
                        return;
                    }
                    None => {
                        self.dealer.close(LAST_WORDS).await;
                        return;
                    }
                },
                message = self.dealer.recv() => self.hear(&message),
                Some(Notice { text, is_final }) = notices.recv() => self.tell(Event::Notice { text, is_final }, 0),
                () = tokio::time::sleep_until(next.into()) => {}
            }
        }
    }

    fn do_what_is_due(&mut self) {
        let (intervals, listeners) = *held(&self.shared.rhythm);
        if self.shared.is_stopping() {
            self.conversation.excuse(Instant::now());
        }
        for due in self.conversation.due(Instant::now(), &intervals) {
            match due {
                Due::Call => self.call(),
                Due::Unanswered(calls) => self.tell(Event::Unanswered(calls), 0),
                Due::Heartbeat => self.send("heartbeat", &self.heartbeat()),
                Due::Report if listeners.reports => self.tell(Event::ReportDue, 0),
                Due::Report => self.report(),
                Due::Sample => self.usage = self.meter.sample(),
                Due::Silence => self.tell(Event::Silence, 0),
            }
        }
    }

    fn call(&mut self) {
        self.send("client_ready", &Value::from(self.shared.settings.version.as_str()));
    }

    fn heartbeat(&self) -> Value {
        let mut heartbeat = vec![
            (Value::from("state"), Value::from(self.shared.state().as_str())),
            (Value::from("current_cpu_usage"), Value::from(self.usage.cpu)),
            (Value::from("current_memory_usage"), Value::from(self.usage.memory)),
        ];
        if *held(&self.shared.master) == Master::Ours {
            let mut ours = held(&self.shared.reporter).heartbeat(&self.shared.table, now());
            if let Value::Map(entries) = &mut ours {
                entries.push((Value::from("busy"), Value::from(self.shared.busy().as_secs_f64())));
            }
            heartbeat.push((Value::from("gregaria"), ours));
        }
        Value::Map(heartbeat)
    }

    fn report(&mut self) {
        let (sequence, report) = self.shared.report();
        self.send_report(sequence, message::encode_raw("stats", &report, &self.shared.settings.id));
    }

    fn send_report(&mut self, sequence: u64, message: Bytes) {
        // Locust's master does not say what it has.
        if sequence > 0 && *held(&self.shared.master) == Master::Ours {
            self.kept.keep(sequence, message.clone());
        }
        self.pass_on(message);
    }

    /// What our master says of reports in its answer to a heartbeat.
    fn send_again(&mut self, data: &Value) {
        let ours = |key| field(field(data, KEY)?, key);
        if let Some(up_to) = ours("sequence").and_then(Value::as_u64) {
            let missing = ours("missing").and_then(Value::as_array).into_iter().flatten();
            let missing: Vec<u64> = missing.filter_map(Value::as_u64).collect();
            let again = self.kept.answered(up_to, &missing);
            again.into_iter().for_each(|message| self.pass_on(message));
        }
    }

    fn send(&self, kind: &str, data: &Value) {
        self.pass_on(message::encode(kind, data, &self.shared.settings.id));
    }

    fn pass_on(&self, message: Bytes) {
        if !self.dealer.send(message) {
            self.shared.unsent.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn tell(&self, event: Event, bytes: usize) {
        let inbox = if event.is_ours() { &self.shared.ours } else { &self.shared.inbox };
        // A Python that has not come round for a hundred thousand messages loses the newest: there is no other way left.
        let _ = inbox.push(event, bytes);
    }

    fn hear(&mut self, bytes: &Bytes) {
        match message::open(bytes) {
            Ok(envelope) => self.take(bytes, envelope),
            Err(malformed) => self.tell(Event::Malformed(malformed.to_string()), 0),
        }
    }

    fn take(&mut self, bytes: &Bytes, envelope: Envelope<'_>) {
        match envelope.kind {
            "ack" => self.acknowledged(envelope.data),
            "heartbeat" => self.answered(&envelope),
            ANNOUNCE if self.shared.is_stopping() => {}
            ANNOUNCE => {
                if self.conversation.forgotten(Instant::now()).is_some() {
                    self.call();
                }
            }
            kind => {
                match kind {
                    "stop" => held(&self.shared.stopping).0 += 1,
                    "spawn" => self.answer_spawn(),
                    _ => {}
                }
                let data = bytes.slice_ref(envelope.data);
                let (kind, node_id) = (kind.to_owned(), envelope.node_id.map(str::to_owned));
                self.tell(Event::Message { kind, data, node_id }, bytes.len());
            }
        }
    }

    /// At once, though Python may be busy, unless it has to stop first.
    fn answer_spawn(&self) {
        let (stops, spawns) = &mut *held(&self.shared.stopping);
        if *stops > 0 {
            *spawns += 1;
        } else {
            self.send("spawning", &Value::Nil);
        }
    }

    fn acknowledged(&mut self, data: &[u8]) {
        let data = message::value(data).unwrap_or(Value::Nil);
        let ours = field(&data, KEY);
        *held(&self.shared.master) = if ours.is_some() { Master::Ours } else { Master::Locusts };
        let instance = ours.and_then(|ours| field(ours, "instance")?.as_str().map(str::to_owned));
        let index = field(&data, "index").and_then(Value::as_i64);
        let intervals = held(&self.shared.rhythm).0;
        let again = self.conversation.acknowledged(Instant::now(), &intervals);
        // A master of ours that was silent and is still the same knows what this worker does. Locust's says nothing.
        let is_same = instance.is_some() && instance == self.instance;
        self.instance = instance;
        let rejoined = again == Again::Forgotten || (again == Again::Silent && !is_same);
        self.tell(Event::Acknowledged { index, rejoined }, 0);
    }

    fn answered(&mut self, envelope: &Envelope<'_>) {
        self.conversation.answered(Instant::now());
        let at = now();
        *held(&self.shared.heard) = Some(at);
        if let Ok(data) = message::value(envelope.data)
            && !data.is_nil()
        {
            held(&self.shared.reporter).answered(&data, at);
            self.send_again(&data);
        }
        if held(&self.shared.rhythm).1.heartbeats {
            self.tell(Event::Heartbeat { at, node_id: envelope.node_id.map(str::to_owned) }, 0);
        }
    }
}
