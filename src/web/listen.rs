//! From a port to requests: listening, and one task for each connection.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};

use axum::Router;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tower_service::Service as _;

const BACKLOG: i32 = 256;

/// Where to listen.
#[derive(Debug, Clone)]
pub struct Bind {
    /// A name or an address; empty or `*`: all interfaces, with IPv6 and IPv4.
    pub host: String,
    /// 0: any that is free.
    pub port: u16,
}

/// Who is at the other end of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Peer {
    pub address: SocketAddr,
}

pub fn bind(wanted: &Bind) -> io::Result<TcpListener> {
    if matches!(wanted.host.as_str(), "" | "*") {
        let both = listener((Ipv6Addr::UNSPECIFIED, wanted.port).into());
        return match both {
            // A system without IPv6 says so in several ways; that a port is taken is the same answer for both.
            Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
                listener((Ipv4Addr::UNSPECIFIED, wanted.port).into())
            }
            bound => bound,
        };
    }
    let mut last = io::Error::new(io::ErrorKind::NotFound, format!("`{}` has no address", wanted.host));
    for address in (wanted.host.trim_matches(['[', ']']), wanted.port).to_socket_addrs()? {
        match listener(address) {
            Ok(bound) => return Ok(bound),
            Err(error) => last = error,
        }
    }
    Err(last)
}

fn listener(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(!address.ip().is_unspecified())?;
    }
    // A port that was in use a moment ago can be used again; on Windows this would share one that is in use now.
    #[cfg(not(windows))]
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// Serve until `stopped`; return when every connection has ended.
pub async fn serve(listener: TcpListener, router: Router, stopped: watch::Receiver<bool>) {
    let mut until = stopped.clone();
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve_connection(stream, peer, router.clone(), stopped.clone()));
                }
                // No more file descriptors, most likely: they come back when connections end.
                Err(_) => tokio::time::sleep(std::time::Duration::from_millis(100)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = until.wait_for(|stopped| *stopped) => break,
        }
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    // Who is late is cut off when the set is dropped.
    let _ = tokio::time::timeout(super::GRACE, all_ended).await;
}

async fn serve_connection(stream: TcpStream, peer: SocketAddr, router: Router, mut stopped: watch::Receiver<bool>) {
    // Small answers shall not wait for each other.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request: hyper::Request<Incoming>| {
        let mut request = request.map(axum::body::Body::new);
        request.extensions_mut().insert(Peer { address: peer });
        router.clone().call(request)
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    let connection = http.timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    // How a connection ended is the client's business.
    let _ = connection.await;
}
