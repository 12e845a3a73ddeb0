//! The master's socket.

use std::collections::HashMap;
use std::io;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::inbound::Arrived;
use super::link::{Broken, Link, Us};
use super::peers::{Identity, Peer, Serving};
use super::{Notice, Settings, sockets};
use crate::sync::held;

/// How many messages may wait for the master; then connections are not read.
const MOST_WAITING: usize = 1000;
/// How many connections may be introducing themselves at a time; further ones wait in the system's backlog.
const MOST_STRANGERS: usize = 1024;
/// How long a peer's queue outlives its connection.
const AWAY: Duration = Duration::from_secs(10);
/// How long a peer may take to take leave.
const PARTING: Duration = Duration::from_millis(500);
/// Until a descriptor may have become free.
const BREATH: Duration = Duration::from_millis(100);

/// A socket that many peers connect to and that knows each by its identity.
#[derive(Debug)]
pub struct Router {
    port: u16,
    shared: Arc<Shared>,
    incoming: mpsc::Receiver<(Identity, Arrived)>,
    accepting: JoinHandle<()>,
}

/// What was refused so far.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Refused {
    /// Connections that never introduced themselves: another protocol, an old version, silence.
    pub strangers: u64,
    /// Connections without the right key.
    pub keys: u64,
    /// Connections that were closed for what they sent: a message too long, forged, out of place.
    pub violations: u64,
    /// Connections under the name of a peer that lives.
    pub clashes: u64,
    /// Messages to peers whose queue was full.
    pub dropped: u64,
}

/// In this order.
impl From<Refused> for (u64, u64, u64, u64, u64) {
    fn from(refused: Refused) -> Self {
        (refused.strangers, refused.keys, refused.violations, refused.clashes, refused.dropped)
    }
}

#[derive(Debug)]
struct Shared {
    us: Us,
    peers: Mutex<HashMap<Identity, Arc<Peer>>>,
    incoming: mpsc::Sender<(Identity, Arrived)>,
    closing: watch::Sender<bool>,
    nameless: AtomicU64,
    strangers: AtomicU64,
    keys: AtomicU64,
    violations: AtomicU64,
    clashes: AtomicU64,
    dropped: AtomicU64,
}

impl Router {
    /// Listen on a host (`*` is everywhere, IPv6 included where there is any) and a port (0 is any that is free).
    pub fn bind(host: &str, port: u16, settings: Settings) -> io::Result<Self> {
        let listener = sockets::listen(host, port)?;
        let port = listener.local_addr()?.port();
        let (sender, incoming) = mpsc::channel(MOST_WAITING);
        let us = Us::new(settings, true, Bytes::new());
        let shared = Arc::new(Shared {
            us,
            peers: Mutex::default(),
            incoming: sender,
            closing: watch::Sender::new(false),
            nameless: AtomicU64::new(0),
            strangers: AtomicU64::new(0),
            keys: AtomicU64::new(0),
            violations: AtomicU64::new(0),
            clashes: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
        });
        let accepting = tokio::spawn(accept(listener, Arc::clone(&shared)));
        Ok(Self { port, shared, incoming, accepting })
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The next message of any peer. It may be abandoned and asked for again without losing one.
    pub async fn recv(&mut self) -> (Identity, Bytes) {
        let (identity, arrived) = self.incoming.recv().await.expect("the router keeps a sender of its own");
        (identity, arrived.take())
    }

    /// Queue a message for a peer, without waiting. `false`: nobody of this name is there, or its queue is full.
    pub fn send(&self, to: &Identity, message: Bytes) -> bool {
        self.shared.send(to, message)
    }

    pub fn refused(&self) -> Refused {
        self.shared.refused()
    }

    /// For other threads, to send from while this one receives.
    pub fn outlet(&self) -> RouterOutlet {
        RouterOutlet(Arc::clone(&self.shared))
    }

    /// Wait until what was sent to connected peers has been handed to the system. `false`: it took too long.
    pub async fn flush(&self, within: Duration) -> bool {
        let served: Vec<Arc<Peer>> = self.shared.served();
        let emptied = async {
            for peer in served {
                peer.queue.emptied().await;
            }
        };
        timeout(within, emptied).await.is_ok()
    }

    /// Send what is queued, stop listening and take leave of all peers; afterwards the port is free.
    pub async fn close(mut self, within: Duration) {
        self.flush(within).await;
        self.shared.closing.send_replace(true);
        // Who does not take leave in time is left without; there is nothing else to learn.
        if timeout(PARTING * 2, &mut self.accepting).await.is_err() {
            self.accepting.abort();
            let _ = (&mut self.accepting).await;
        }
    }
}

/// Sends over a router that somebody else holds.
#[derive(Debug, Clone)]
pub struct RouterOutlet(Arc<Shared>);

impl RouterOutlet {
    /// As [`Router::send`].
    pub fn send(&self, to: &Identity, message: Bytes) -> bool {
        self.0.send(to, message)
    }

    pub fn refused(&self) -> Refused {
        self.0.refused()
    }
}

impl Drop for Router {
    fn drop(&mut self) {
        // Its connections are its own tasks' and end with it.
        self.accepting.abort();
    }
}

impl Shared {
    fn peers(&self) -> MutexGuard<'_, HashMap<Identity, Arc<Peer>>> {
        held(&self.peers)
    }

    fn send(&self, to: &Identity, message: Bytes) -> bool {
        let Some(peer) = self.peers().get(to).cloned() else { return false };
        let is_queued = peer.queue.push(message);
        if !is_queued {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        is_queued
    }

    fn refused(&self) -> Refused {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Refused {
            strangers: read(&self.strangers),
            keys: read(&self.keys),
            violations: read(&self.violations),
            clashes: read(&self.clashes),
            dropped: read(&self.dropped),
        }
    }

    fn served(&self) -> Vec<Arc<Peer>> {
        self.peers().values().filter(|peer| peer.is_served.load(Ordering::Relaxed)).cloned().collect()
    }

    /// A name for a peer that gave none, of a kind that peers cannot give themselves by accident.
    fn invent(&self) -> Identity {
        let number = self.nameless.fetch_add(1, Ordering::Relaxed) as u32;
        Identity([&[0][..], &number.to_be_bytes()].concat().into())
    }

    /// Serve the peer of this name, as soon as no other connection does. `None`: another wants that, too, and is newer.
    ///
    /// libzmq ignores a second connection under a name for good, also where the first one is dead and does not know it.
    /// Here the first one is asked, and has some seconds to show that it lives.
    async fn place(&self, identity: &Identity) -> Option<Serving> {
        let mut claim = None;
        loop {
            let peer = {
                let mut peers = self.peers();
                let peer = Arc::clone(peers.entry(identity.clone()).or_default());
                if !peer.is_served.swap(true, Ordering::Relaxed) {
                    return Some(Serving(peer));
                }
                peer
            };
            let changed = peer.changed.notified();
            tokio::pin!(changed);
            changed.as_mut().enable();
            let claim = *claim.get_or_insert_with(|| {
                self.clashes.fetch_add(1, Ordering::Relaxed);
                peer.claim()
            });
            if !peer.is_newest(claim) {
                return None;
            }
            if peer.is_served.load(Ordering::Relaxed) {
                changed.await;
            }
        }
    }

    fn forget(&self, identity: &Identity, peer: &Arc<Peer>) {
        let mut peers = self.peers();
        let is_same = peers.get(identity).is_some_and(|known| Arc::ptr_eq(known, peer));
        if is_same && !peer.is_served.load(Ordering::Relaxed) {
            peers.remove(identity);
        }
    }

    /// Nobody has introduced himself on this connection, whatever it ended of.
    fn count_stranger(&self, broken: &Broken) {
        match broken {
            Broken::Refused(_) => self.count(broken),
            _ => {
                self.strangers.fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    fn count(&self, broken: &Broken) {
        match broken {
            Broken::Violation(_) => drop(self.violations.fetch_add(1, Ordering::Relaxed)),
            Broken::Refused(reason) => {
                // Counted before it is said: whoever hears of it finds it counted.
                self.keys.fetch_add(1, Ordering::Relaxed);
                self.us.settings.notices.say(Notice { text: reason.clone(), is_final: false });
            }
            Broken::Io(_) | Broken::Told(_) | Broken::Silent | Broken::Unwanted => {}
        }
    }
}

async fn accept(listener: TcpListener, shared: Arc<Shared>) {
    let strangers = Arc::new(Semaphore::new(MOST_STRANGERS));
    let mut closing = shared.closing.subscribe();
    let mut links = JoinSet::new();
    loop {
        let next = async {
            let permit = Arc::clone(&strangers).acquire_owned().await.expect("nobody closes it");
            (permit, listener.accept().await)
        };
        tokio::select! {
            (permit, accepted) = next => match accepted {
                Ok((stream, _)) => drop(links.spawn(serve(stream, permit, Arc::clone(&shared)))),
                // No descriptors, most likely. Those who are connected go on.
                Err(_) => tokio::time::sleep(BREATH).await,
            },
            Some(_) = links.join_next(), if !links.is_empty() => {}
            () = begins(&mut closing) => break,
        }
    }
    drop(listener);
    while links.join_next().await.is_some() {}
}

/// One connection, from its first byte to its last, and the time its peer may take to come back.
async fn serve(stream: TcpStream, permit: OwnedSemaphorePermit, shared: Arc<Shared>) {
    let mut closing = shared.closing.subscribe();
    let met = tokio::select! {
        met = meet(stream, permit, &shared) => met,
        () = begins(&mut closing) => None,
    };
    let Some((mut link, identity, serving)) = met else { return };
    let peer = Arc::clone(&serving.0);
    let wrap = |message| {
        peer.is_known.store(true, Ordering::Relaxed);
        (identity.clone(), message)
    };
    tokio::select! {
        broken = link.pump(&peer.queue, &shared.incoming, wrap, &peer.challenged) => shared.count(&broken),
        () = begins(&mut closing) => return link.farewell(PARTING).await,
    }
    drop((serving, link));
    if peer.is_known.load(Ordering::Relaxed) {
        tokio::select! {
            () = tokio::time::sleep(AWAY) => {}
            () = begins(&mut closing) => {}
        }
    }
    shared.forget(&identity, &peer);
}

/// Until a peer has introduced itself and its name is free.
async fn meet(stream: TcpStream, permit: OwnedSemaphorePermit, shared: &Shared) -> Option<(Link, Identity, Serving)> {
    let mut link = match Link::open(sockets::tuned(stream).ok()?, &shared.us).await {
        Ok(link) => link,
        Err(broken) => {
            shared.count_stranger(&broken);
            return None;
        }
    };
    drop(permit);
    let name = std::mem::take(&mut link.peer.identity);
    let identity = if name.is_empty() { shared.invent() } else { Identity(name) };
    let serving = shared.place(&identity).await?;
    Some((link, identity, serving))
}

/// Until the router is being closed, or is gone.
async fn begins(closing: &mut watch::Receiver<bool>) {
    // Both have the same consequence.
    let _ = closing.wait_for(|closing| *closing).await;
}
