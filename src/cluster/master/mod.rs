//! The master: it knows its workers, answers them, and hands over to Python what Python decides.
//!
//! What must be right while Python is busy is here, on a thread of its own: acknowledgements, heartbeats, who is
//! missing, what was reported. The test itself (its state, its users, its listeners) is Python's.

mod allowance;
mod data;
mod fleet;
mod logs;
mod nodes;
mod queue;
mod spawning;
mod workers;

pub use fleet::{Answer, Fleet, Phase, Timing};
pub use logs::Logs;
pub use nodes::{Node, Nodes, State, Tally, Users};
pub use queue::{Event, Level, Queue};
pub use spawning::{Pairs, Share, Wish, messages};
pub use workers::Worker;

use std::io;
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::transport::{Identity, Notice, Notices, Refused, Router, RouterOutlet, Settings};
use crate::clock::now;
use crate::sync::held;

/// How long what was sent last may take to leave.
const PARTING: Duration = Duration::from_secs(2);

/// What Python tells the thread.
#[derive(Debug)]
enum Command {
    Send(Vec<Answer>),
    Close,
}

/// Listens for workers from its creation until it is closed.
#[derive(Debug)]
pub struct Master {
    fleet: Arc<Fleet>,
    port: u16,
    outlet: RouterOutlet,
    commands: mpsc::UnboundedSender<Command>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Master {
    /// An error where it cannot listen.
    pub fn bind(host: &str, port: u16, mut settings: Settings, fleet: Arc<Fleet>) -> io::Result<Self> {
        let (commands, commanded) = mpsc::unbounded_channel();
        let (bound, is_bound) = oneshot::channel();
        let (notices, noticed) = Notices::channel();
        settings.notices = notices;
        let thread = {
            let (host, fleet) = (host.to_owned(), Arc::clone(&fleet));
            let serve = move || serve(&host, port, settings, &fleet, commanded, noticed, bound);
            thread::Builder::new().name("cluster".into()).spawn(serve)?
        };
        let (port, outlet) =
            is_bound.blocking_recv().unwrap_or_else(|_| Err(io::Error::other("the cluster's thread has ended")))?;
        Ok(Self { fleet, port, outlet, commands, thread: Mutex::new(Some(thread)) })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn fleet(&self) -> &Arc<Fleet> {
        &self.fleet
    }

    /// What its socket has refused so far.
    pub fn refused(&self) -> Refused {
        self.outlet.refused()
    }

    /// Queue messages; those to nobody who is there are dropped, as Locust's are.
    pub fn send(&self, messages: Vec<Answer>) {
        // Nobody hears it after the end.
        let _ = self.commands.send(Command::Send(messages));
    }

    /// Send what is still to be sent, and listen no more.
    pub fn close(&self) {
        let _ = self.commands.send(Command::Close);
        let thread = held(&self.thread).take();
        // Its panic was told by itself.
        thread.into_iter().for_each(|thread| drop(thread.join()));
        self.fleet.queue().close();
        self.fleet.own_queue().close();
    }
}

fn serve(
    host: &str,
    port: u16,
    settings: Settings,
    fleet: &Fleet,
    commanded: mpsc::UnboundedReceiver<Command>,
    noticed: mpsc::Receiver<Notice>,
    bound: oneshot::Sender<io::Result<(u16, RouterOutlet)>>,
) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return drop(bound.send(Err(error))),
    };
    runtime.block_on(async {
        match Router::bind(host, port, settings) {
            Ok(router) => {
                let _ = bound.send(Ok((router.port(), router.outlet())));
                attend(router, fleet, commanded, noticed).await;
            }
            Err(error) => drop(bound.send(Err(error))),
        }
    });
}

async fn attend(
    mut router: Router,
    fleet: &Fleet,
    mut commanded: mpsc::UnboundedReceiver<Command>,
    mut noticed: mpsc::Receiver<Notice>,
) {
    let mut due = Instant::now() + fleet.timing().interval;
    loop {
        // Commands and time first: a fleet that talks without pause shall not keep its master from either.
        tokio::select! {
            biased;
            command = commanded.recv() => match command {
                Some(Command::Send(messages)) => send(&router, messages),
                Some(Command::Close) | None => break,
            },
            () = sleep_until(due) => {
                send(&router, fleet.tick(now()));
                due = Instant::now() + fleet.timing().interval;
            }
            Some(notice) = noticed.recv() => fleet.say(Level::Warning, notice.text),
            (from, message) = router.recv() => match from.text() {
                Some(name) => send(&router, fleet.take(name, &message, now())),
                None => fleet.refuse_nameless(),
            },
        }
    }
    router.close(PARTING).await;
}

fn send(router: &Router, messages: Vec<Answer>) {
    for (to, message) in messages {
        router.send(&Identity::from(to.as_str()), message);
    }
}
