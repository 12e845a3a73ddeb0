//! Listening, accepting, and the threads that serve.
//!
//! One task accepts and deals connections out in turn; each serving thread is a runtime of its own, and a connection
//! stays on its thread. Counted on the accepting side, a connection is known before its client can ask about it.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::Duration;

use rustls::ServerConfig;
use tokio::net::{TcpListener, TcpSocket, TcpStream, lookup_host};
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio_rustls::TlsAcceptor;

use super::connection::serve;
use super::options::Options;
use super::world::World;
use super::{Error, http2, tls};

/// Connections that may wait to be accepted, as far as the system lets us.
const BACKLOG: u32 = 4096;

/// A server that listens, and serves once it is told to.
pub struct Server {
    world: Arc<World>,
    http: TcpListener,
    https: Option<(TcpListener, Arc<ServerConfig>)>,
    /// What clients of the HTTPS port must trust.
    authority_pem: Option<String>,
}

/// A connection on its way to its thread.
struct Accepted {
    stream: std::net::TcpStream,
    tls: Option<Arc<ServerConfig>>,
}

impl Server {
    pub async fn bind(options: &Options) -> Result<Self, Error> {
        let http = listen(&options.host, options.port).await?;
        let identity = if options.tls { Some(tls::make(&options.host)?) } else { None };
        let (https, authority_pem) = match identity {
            Some(identity) => {
                let listener = listen(&options.host, options.tls_port).await?;
                (Some((listener, identity.config)), Some(identity.authority_pem))
            }
            None => (None, None),
        };
        let world = Arc::new(World::new(options).map_err(Error::Threads)?);
        Ok(Self { world, http, https, authority_pem })
    }

    pub fn http_address(&self) -> io::Result<SocketAddr> {
        self.http.local_addr()
    }

    pub fn https_address(&self) -> io::Result<Option<SocketAddr>> {
        self.https.as_ref().map(|(listener, _)| listener.local_addr()).transpose()
    }

    pub fn authority_pem(&self) -> Option<&str> {
        self.authority_pem.as_deref()
    }

    /// Serve until `shutdown` is ready, then close every connection.
    pub async fn serve(self, shutdown: impl Future) -> Result<(), Error> {
        let mut threads = Vec::new();
        for index in 0..self.world.shards.len() {
            threads.push(Thread::start(index, &self.world).map_err(Error::Threads)?);
        }
        tokio::select! {
            () = self.accept(&threads) => {}
            _ = shutdown => {}
        }
        // Every queue is closed before the first thread is waited for: they end side by side.
        let threads: Vec<_> = threads.into_iter().map(|thread| thread.join).collect();
        for thread in threads {
            thread.join().map_err(|_| Error::Threads(io::Error::other("a serving thread panicked")))?;
        }
        Ok(())
    }

    async fn accept(&self, threads: &[Thread]) {
        for thread in threads.iter().cycle() {
            let accepted = match &self.https {
                None => self.http.accept().await.map(|(stream, _)| (stream, None)),
                Some((https, config)) => tokio::select! {
                    got = self.http.accept() => got.map(|(stream, _)| (stream, None)),
                    got = https.accept() => got.map(|(stream, _)| (stream, Some(Arc::clone(config)))),
                },
            };
            let dealt = match accepted {
                Ok((stream, tls)) => stream.into_std().map(|stream| Accepted { stream, tls }),
                Err(error) => Err(error),
            };
            match dealt {
                Ok(accepted) => {
                    let _ = thread.queue.send(accepted).await; // fails only when the thread has panicked
                }
                // Out of file descriptors, mostly: the next attempt would fail as fast as this one.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
    }
}

struct Thread {
    queue: Sender<Accepted>,
    join: JoinHandle<()>,
}

impl Thread {
    fn start(index: usize, world: &Arc<World>) -> io::Result<Self> {
        let (queue, accepted) = channel(1024);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let world = Arc::clone(world);
        let join = thread::Builder::new().name(format!("serve-{index}")).spawn(move || {
            runtime.block_on(deal(accepted, index, &world));
        })?;
        Ok(Self { queue, join })
    }
}

/// A thread's life: a task for every connection, until the accepting side hangs up. Then the runtime ends, and all tasks
/// with it.
async fn deal(mut queue: Receiver<Accepted>, index: usize, world: &Arc<World>) {
    while let Some(accepted) = queue.recv().await {
        let world = Arc::clone(world);
        tokio::spawn(async move { greet(accepted, index, &world).await });
    }
}

async fn greet(accepted: Accepted, index: usize, world: &Arc<World>) {
    let shard = &world.shards[index];
    let open = shard.opened();
    let Ok(stream) = TcpStream::from_std(accepted.stream) else { return };
    let _ = stream.set_nodelay(true); // fails only when the client is gone already
    match accepted.tls {
        None if http2::is_spoken_by(&stream).await => http2::serve(stream, false, world, index, open).await,
        None => serve(stream, world, shard, open).await,
        Some(config) => match TlsAcceptor::from(config).accept(stream).await {
            Ok(stream) if stream.get_ref().1.alpn_protocol() == Some(b"h2") => {
                http2::serve(stream, true, world, index, open).await;
            }
            Ok(stream) => serve(stream, world, shard, open).await,
            Err(_) => {} // a client that trusts us not, or speaks no TLS
        },
    }
}

async fn listen(host: &str, port: u16) -> Result<TcpListener, Error> {
    let failed = |source| Error::Listen { host: host.to_owned(), port, source };
    let host_and_port = (host.trim_matches(['[', ']']), port);
    let address = lookup_host(host_and_port).await.map_err(failed)?.next();
    let address = address.ok_or_else(|| failed(io::Error::other("the name has no address")))?;
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }.map_err(failed)?;
    socket.set_reuseaddr(true).map_err(failed)?;
    socket.bind(address).map_err(failed)?;
    socket.listen(BACKLOG).map_err(failed)
}
