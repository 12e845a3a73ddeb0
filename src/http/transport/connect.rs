//! From a URL to a connection: name look-up, TCP, TLS, each timed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::path::Path;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Instant;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::race::race;
use super::resolve::resolve;
use super::socket::Socket;
use super::{Phase, Stamps};
use crate::http::Failure;
use crate::http::io::{Lane, Thread};
use crate::http::request::{Request, Settings};
use crate::http::url::Scheme;

pub enum Connected {
    Plain(Socket),
    /// Boxed: a rustls connection is a kilobyte, and most users have none.
    Tls(Box<TlsStream<Socket>>),
}

/// What to offer a server over TLS.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Alpn {
    /// Nothing, as Python's clients: it is HTTP/1.1.
    None,
    /// HTTP/2, or HTTP/1.1 where the server has no other.
    Http2,
}

/// Open a connection to the origin of a request.
pub async fn connect(
    request: &Request,
    alpn: Alpn,
    lane: &Lane,
    thread: &Thread,
    stamps: &mut Stamps,
) -> Result<Connected, Failure> {
    let (url, settings) = (&request.url, &*request.settings);
    if url.scheme() == Scheme::Unix {
        stamps.enter(Phase::Connect, Instant::now());
        let socket = open_unix(Path::new(url.host()), settings, lane, thread).await?;
        return Ok(Connected::Plain(socket.into()));
    }
    stamps.enter(Phase::LookUp, Instant::now());
    // No limit, as Python's clients have none here; but a user who is stopped does not wait for a name server.
    let addresses = lane.within(thread, None, resolve(url, &request.names)).await??;
    stamps.enter(Phase::Connect, Instant::now());
    let socket = Socket::from(open_tcp(&addresses, settings, lane, thread).await?);
    if url.scheme() == Scheme::Http {
        return Ok(Connected::Plain(socket));
    }
    stamps.enter(Phase::Tls, Instant::now());
    let mut config = settings.tls.config().map_err(Failure::Tls)?;
    if alpn == Alpn::Http2 {
        Arc::make_mut(&mut config).alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    }
    let handshake = TlsConnector::from(config).connect(server_name(url.host())?, socket);
    let stream = lane
        .within(thread, settings.connect_timeout, handshake)
        .await
        .map_err(as_connect_timeout)?
        .map_err(handshake_failure)?;
    Ok(Connected::Tls(Box::new(stream)))
}

/// The name that a certificate must be for. An address's zone is known on this machine alone.
fn server_name(host: &str) -> Result<ServerName<'static>, Failure> {
    let address = host.split('%').next().unwrap_or(host);
    if let Ok(address) = address.parse::<IpAddr>() {
        return Ok(address.into());
    }
    ServerName::try_from(host.to_owned()).map_err(|error| Failure::Tls(format!("`{host}`: {error}")))
}

/// The first address that answers. All together have the time-out: what waits for the tenth has waited long enough.
async fn open_tcp(
    addresses: &[SocketAddr],
    settings: &Settings,
    lane: &Lane,
    thread: &Thread,
) -> Result<TcpStream, Failure> {
    let stream = lane
        .within(thread, settings.connect_timeout, race(addresses, TcpStream::connect))
        .await
        .map_err(as_connect_timeout)?
        .map_err(Failure::Connect)?;
    stream.set_nodelay(true).map_err(Failure::Connect)?;
    Ok(stream)
}

async fn open_unix(path: &Path, settings: &Settings, lane: &Lane, thread: &Thread) -> Result<UnixStream, Failure> {
    lane.within(thread, settings.connect_timeout, UnixStream::connect(path))
        .await
        .map_err(as_connect_timeout)?
        .map_err(Failure::Connect)
}

fn as_connect_timeout(failure: Failure) -> Failure {
    match failure {
        Failure::ReadTimeout(after) => Failure::ConnectTimeout(after),
        other => other,
    }
}

/// A peer that hangs up in the handshake speaks no TLS, or not ours; a connection that breaks is just that.
fn handshake_failure(error: io::Error) -> Failure {
    match error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        Some(rustls::Error::InvalidCertificate(_)) => Failure::Certificate(error.to_string()),
        Some(_) => Failure::Tls(error.to_string()),
        None if error.kind() == io::ErrorKind::UnexpectedEof => Failure::Tls(error.to_string()),
        None => Failure::Broken(error),
    }
}

impl Connected {
    pub fn socket(&self) -> &Socket {
        match self {
            Self::Plain(stream) => stream,
            Self::Tls(stream) => stream.get_ref().0,
        }
    }

    /// Whether the server has chosen HTTP/2; without TLS nobody could ask it.
    pub fn speaks_http2(&self) -> bool {
        match self {
            Self::Plain(_) => true,
            Self::Tls(stream) => stream.get_ref().1.alpn_protocol() == Some(b"h2"),
        }
    }
}

impl AsyncRead for Connected {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_read(cx, buffer),
            Self::Tls(stream) => Pin::new(stream).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Connected {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_write(cx, bytes),
            Self::Tls(stream) => Pin::new(stream).poll_write(cx, bytes),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tls(stream) => Pin::new(stream).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tls(stream) => Pin::new(stream).poll_shutdown(cx),
        }
    }
}
