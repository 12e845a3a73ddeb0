//! From a URL to a connection: name look-up, TCP, TLS, each timed.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Instant;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::socket::Socket;
use super::{Phase, Stamps};
use crate::http::Failure;
use crate::http::io::{Lane, Thread};
use crate::http::request::Settings;
use crate::http::url::{Scheme, Url};

pub enum Connected {
    Plain(Socket),
    /// Boxed: a rustls connection is a kilobyte, and most users have none.
    Tls(Box<TlsStream<Socket>>),
}

/// Open a connection to the origin of `url`.
pub async fn connect(
    url: &Url,
    settings: &Settings,
    lane: &Lane,
    thread: &Thread,
    stamps: &mut Stamps,
) -> Result<Connected, Failure> {
    stamps.enter(Phase::LookUp, Instant::now());
    // No limit, as Python's clients have none here; but a user who is stopped does not wait for a name server.
    let addresses = lane.within(thread, None, resolve(url.host(), url.port())).await??;
    stamps.enter(Phase::Connect, Instant::now());
    let socket = Socket::new(open_tcp(&addresses, settings, lane, thread).await?);
    if url.scheme() == Scheme::Http {
        return Ok(Connected::Plain(socket));
    }
    stamps.enter(Phase::Tls, Instant::now());
    let config = settings.tls.config().map_err(Failure::Tls)?;
    let name = ServerName::try_from(url.host().to_owned()).map_err(|error| Failure::Tls(error.to_string()))?;
    let handshake = TlsConnector::from(config).connect(name, socket);
    let stream = lane
        .within(thread, settings.connect_timeout, handshake)
        .await
        .map_err(as_connect_timeout)?
        .map_err(handshake_failure)?;
    Ok(Connected::Tls(Box::new(stream)))
}

async fn resolve(host: &str, port: u16) -> Result<Vec<SocketAddr>, Failure> {
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok(vec![SocketAddr::new(address, port)]);
    }
    let failed = |message: String| Failure::Resolve { host: host.to_owned(), message };
    let addresses: Vec<_> = lookup_host((host, port)).await.map_err(|error| failed(error.to_string()))?.collect();
    if addresses.is_empty() { Err(failed("it has no address".to_owned())) } else { Ok(addresses) }
}

/// The first address that answers. Each has the whole time-out, as urllib3 has it.
async fn open_tcp(
    addresses: &[SocketAddr],
    settings: &Settings,
    lane: &Lane,
    thread: &Thread,
) -> Result<TcpStream, Failure> {
    let mut last = Failure::Connect(io::ErrorKind::AddrNotAvailable.into());
    for address in addresses {
        match lane.within(thread, settings.connect_timeout, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => {
                stream.set_nodelay(true).map_err(Failure::Connect)?;
                return Ok(stream);
            }
            Ok(Err(error)) => last = Failure::Connect(error),
            Err(Failure::Cancelled) => return Err(Failure::Cancelled),
            Err(failure) => last = as_connect_timeout(failure),
        }
    }
    Err(last)
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
