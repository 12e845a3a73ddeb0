//! From a port to requests: listening, TLS, and one task for each connection.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, ToSocketAddrs};
use std::sync::Arc;
use std::time::Duration;

use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use rustls::ServerConfig;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_rustls::TlsAcceptor;

use super::answer::answer;
use super::shared::Shared;
use crate::http::transport::tls::{Identity, Pem};

const BACKLOG: i32 = 256;

/// How long a client may take for its handshake.
const HANDSHAKE: Duration = Duration::from_secs(10);

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
    pub is_secure: bool,
}

impl Peer {
    pub fn scheme(self) -> &'static str {
        if self.is_secure { "https" } else { "http" }
    }
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

/// What TLS is spoken with, of the names of two files.
pub fn tls(files: Option<&(String, String)>) -> io::Result<Option<Arc<ServerConfig>>> {
    let Some((certificate, key)) = files else { return Ok(None) };
    let file = |name: &str| Pem::File(name.into());
    let identity = Identity { certificate: file(certificate), key: Some(file(key)), password: None };
    let (chain, key) = identity.load().map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
    let config = builder.and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key));
    let mut config = config.map_err(|error| io::Error::other(format!("cannot use `{certificate}`: {error}")))?;
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(Some(Arc::new(config)))
}

/// Serve until `stopped`; return when every connection has ended.
pub async fn serve(
    listener: TcpListener,
    tls: Option<Arc<ServerConfig>>,
    shared: Arc<Shared>,
    stopped: watch::Receiver<bool>,
) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let tls = tls.map(TlsAcceptor::from);
    let mut until = stopped.clone();
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    connections.spawn(serve_socket(stream, peer, tls.clone(), Arc::clone(&shared), stopped.clone()));
                }
                // No more file descriptors, most likely: they come back when connections end.
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
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

async fn serve_socket(
    stream: TcpStream,
    address: SocketAddr,
    tls: Option<TlsAcceptor>,
    shared: Arc<Shared>,
    stopped: watch::Receiver<bool>,
) {
    // Small answers shall not wait for each other.
    let _ = stream.set_nodelay(true);
    let peer = Peer { address, is_secure: tls.is_some() };
    let Some(tls) = tls else {
        if speaks_tls(&stream).await {
            let who = address.ip().to_canonical();
            return shared.complain(format!(
                "{who} speaks TLS to a port that serves plain HTTP: ask for http://, or start with --tls-cert and --tls-key"
            ));
        }
        return serve_connection(stream, peer, shared, stopped).await;
    };
    if let Ok(Ok(stream)) = tokio::time::timeout(HANDSHAKE, tls.accept(stream)).await {
        serve_connection(stream, peer, shared, stopped).await;
    }
}

/// The first byte of a handshake is no letter, as that of a request is.
async fn speaks_tls(stream: &TcpStream) -> bool {
    const HANDSHAKE_RECORD: u8 = 0x16;
    let mut first = [0];
    matches!(stream.peek(&mut first).await, Ok(1)) && first == [HANDSHAKE_RECORD]
}

async fn serve_connection<S>(stream: S, peer: Peer, shared: Arc<Shared>, mut stopped: watch::Receiver<bool>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = service_fn(move |request| answer(Arc::clone(&shared), peer, request));
    let mut http = hyper::server::conn::http1::Builder::new();
    let http = http.timer(TokioTimer::new()).title_case_headers(true);
    let connection = http.serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        _ = connection.as_mut() => return,
        _ = stopped.wait_for(|stopped| *stopped) => connection.as_mut().graceful_shutdown(),
    }
    // How a connection ended is the client's business.
    let _ = connection.await;
}
