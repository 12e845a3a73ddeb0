//! Asking a master for its locustfiles, before there is a worker: `-f -`.

use std::io;
use std::sync::mpsc as std_mpsc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::oneshot;

use super::Settings;
use crate::cluster::message::{self, Value};
use crate::cluster::transport::{self, Dealer, Notice, Notices};

/// A master that comes up later has heard the question then.
const EVERY: Duration = Duration::from_secs(1);

/// What came of it.
#[derive(Debug)]
pub enum Answer {
    Message {
        kind: String,
        data: Bytes,
    },
    /// Why there will be none.
    Refusal(String),
}

/// The question, asked again and again by a thread of its own until there is an answer, or this is dropped.
pub struct Asking {
    answers: std_mpsc::Receiver<Answer>,
    _asker: oneshot::Sender<()>,
}

impl Asking {
    pub fn start(settings: Settings) -> io::Result<Self> {
        let (sender, answers) = std_mpsc::channel();
        let (asker, over) = oneshot::channel();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        std::thread::Builder::new().name("cluster".into()).spawn(move || {
            let answer = runtime.block_on(async {
                tokio::select! {
                    answer = ask(&settings) => Some(answer),
                    _ = over => None,
                }
            });
            if let Some(answer) = answer {
                // Nobody hears it where nobody asks any more.
                let _ = sender.send(answer.unwrap_or_else(|error| Answer::Refusal(error.to_string())));
            }
        })?;
        Ok(Self { answers, _asker: asker })
    }

    /// The answer, if it comes within this time.
    pub fn wait(&self, time: Duration) -> Option<Answer> {
        self.answers.recv_timeout(time).ok()
    }
}

async fn ask(settings: &Settings) -> io::Result<Answer> {
    let (notices, mut said) = Notices::channel();
    let transport = transport::Settings { notices, ..settings.transport.clone() };
    let mut dealer = Dealer::connect(&settings.host, settings.port, &settings.id, transport)?;
    let ours = (Value::from(crate::cluster::report::KEY), Value::Map(Vec::new()));
    let question = Value::Map(vec![(Value::from("version"), Value::from(settings.version.as_str())), ours]);
    let question = message::encode("locustfile", &question, &settings.id);
    let mut again = tokio::time::interval(EVERY);
    loop {
        tokio::select! {
            _ = again.tick() => {
                dealer.send(question.clone());
            }
            answer = dealer.recv() => {
                let envelope = message::open(&answer).map_err(io::Error::other)?;
                let (kind, data) = (envelope.kind.to_owned(), answer.slice_ref(envelope.data));
                return Ok(Answer::Message { kind, data });
            }
            Some(Notice { text, is_final: true }) = said.recv() => return Ok(Answer::Refusal(text)),
        }
    }
}
