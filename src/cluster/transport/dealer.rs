//! A worker's socket.

use std::hash::{BuildHasher, RandomState};
use std::io;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::inbound::Arrived;
use super::link::{Broken, Link, Us};
use super::queue::Queue;
use super::{Notice, Settings, sockets};

/// How many messages may wait for the worker; then the connection is not read.
const MOST_WAITING: usize = 1000;
/// How many characters of what the master says on refusing this worker are shown.
const MOST_WORDS: usize = 200;
/// Between two attempts to connect: as libzmq at first, then more, so that a fleet does not storm a host without master.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// A socket with one peer that it connects to, again and again.
#[derive(Debug)]
pub struct Dealer {
    queue: Arc<Queue>,
    incoming: mpsc::Receiver<Arrived>,
    reopen: Arc<Notify>,
    end: Option<oneshot::Sender<Duration>>,
    keeping: JoinHandle<()>,
}

impl Dealer {
    /// Connect under an identity, from now on and in the background. Fails only for an identity that cannot be one.
    pub fn connect(host: &str, port: u16, identity: &str, settings: Settings) -> io::Result<Self> {
        if identity.is_empty() || identity.len() > 255 {
            let reason = format!("an identity has 1 to 255 bytes, not {}", identity.len());
            return Err(io::Error::new(io::ErrorKind::InvalidInput, reason));
        }
        let (sender, incoming) = mpsc::channel(MOST_WAITING);
        let (end, ended) = oneshot::channel();
        let queue = Arc::new(Queue::default());
        let reopen = Arc::new(Notify::new());
        let us = Us::new(settings, false, Bytes::copy_from_slice(identity.as_bytes()));
        let keeper = Keeper {
            host: host.into(),
            port,
            us,
            queue: Arc::clone(&queue),
            incoming: sender,
            reopen: Arc::clone(&reopen),
        };
        let keeping = tokio::spawn(keeper.keep(ended));
        Ok(Self { queue, incoming, reopen, end: Some(end), keeping })
    }

    /// The next message. It may be abandoned and asked for again without losing one.
    pub async fn recv(&mut self) -> Bytes {
        match self.incoming.recv().await {
            Some(arrived) => arrived.take(),
            // The runtime is shutting down, and this future with it.
            None => std::future::pending().await,
        }
    }

    /// Queue a message, without waiting. `false`: the queue is full.
    pub fn send(&self, message: Bytes) -> bool {
        self.queue.push(message)
    }

    /// For other threads, to send from while this one receives.
    pub fn outlet(&self) -> DealerOutlet {
        DealerOutlet { queue: Arc::clone(&self.queue), reopen: Arc::clone(&self.reopen) }
    }

    /// Wait until everything has been handed to the system. `false`: it took too long.
    pub async fn flush(&self, within: Duration) -> bool {
        timeout(within, self.queue.emptied()).await.is_ok()
    }

    /// Close the connection and open another one, under the same identity. What is queued goes over the new one.
    pub fn reopen(&self) {
        self.reopen.notify_one();
    }

    /// Send what is queued, let it arrive, and close. `false`: not all of it could be sent in time.
    pub async fn close(mut self, within: Duration) -> bool {
        let is_flushed = self.flush(within).await;
        if let Some(end) = self.end.take() {
            // It hears nothing where its task has ended already.
            let _ = end.send(within);
        }
        // The farewell has a limit of its own.
        let _ = timeout(within, &mut self.keeping).await;
        is_flushed
    }
}

/// Sends over a dealer that somebody else holds.
#[derive(Debug, Clone)]
pub struct DealerOutlet {
    queue: Arc<Queue>,
    reopen: Arc<Notify>,
}

impl DealerOutlet {
    /// As [`Dealer::send`].
    pub fn send(&self, message: Bytes) -> bool {
        self.queue.push(message)
    }

    /// As [`Dealer::reopen`].
    pub fn reopen(&self) {
        self.reopen.notify_one();
    }
}

impl Drop for Dealer {
    fn drop(&mut self) {
        self.keeping.abort();
    }
}

/// The background part.
struct Keeper {
    host: String,
    port: u16,
    us: Us,
    queue: Arc<Queue>,
    incoming: mpsc::Sender<Arrived>,
    reopen: Arc<Notify>,
}

impl Keeper {
    async fn keep(self, mut end: oneshot::Receiver<Duration>) {
        let mut pause = FIRST_PAUSE;
        let unchallenged = Notify::new();
        loop {
            let opened = tokio::select! {
                opened = self.open() => opened,
                _ = &mut end => return,
            };
            let why = match opened {
                Err(broken) => broken,
                Ok(mut link) => {
                    pause = FIRST_PAUSE;
                    tokio::select! {
                        broken = link.pump(&self.queue, &self.incoming, |arrived| arrived, &unchallenged) => broken,
                        () = self.reopen.notified() => continue,
                        within = &mut end => return link.farewell(within.unwrap_or_default()).await,
                    }
                }
            };
            match why {
                Broken::Unwanted => return,
                Broken::Refused(text) => self.us.settings.notices.say(Notice { text, is_final: true }),
                Broken::Told(words) => {
                    self.us.settings.notices.say(Notice { text: harmless(&words), is_final: true });
                }
                _ => {}
            }
            tokio::select! {
                () = tokio::time::sleep(pause + pause.mul_f64(share())) => {}
                () = self.reopen.notified() => {}
                _ = &mut end => return,
            }
            pause = (pause * 2).min(LAST_PAUSE);
        }
    }

    async fn open(&self) -> Result<Link, Broken> {
        Link::open(sockets::connect(&self.host, self.port).await?, &self.us).await
    }
}

/// Words of a stranger, for the log: on one line, without what a terminal would obey.
fn harmless(words: &str) -> String {
    words.chars().flat_map(char::escape_debug).take(MOST_WORDS).collect()
}

/// Something between 0 and 1, so that workers who lost the same master do not come back at the same moment.
fn share() -> f64 {
    RandomState::new().hash_one(()) as f64 / u64::MAX as f64
}
