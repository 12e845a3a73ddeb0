//! What a client makes of a response: ours and hyper's, in words that can be compared.

use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use gregaria::http::transport::probe;
use gregaria::http::{Failure, Response};
use http_body_util::{BodyExt, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use crate::client::{User, request, settings};
use crate::wire::{Wire, soon};

#[derive(Clone, PartialEq, Eq)]
pub enum Verdict {
    Takes {
        status: u16,
        headers: Vec<(String, Vec<u8>)>,
        body: Vec<u8>,
        kept: bool,
    },
    Refuses,
    /// It waits for more.
    Waits,
}

impl fmt::Debug for Verdict {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Takes { status, headers, body, kept } => {
                let body = body.escape_ascii();
                let kept = if *kept { "kept" } else { "closed" };
                write!(out, "{status} {body:.200} {kept}")?;
                headers.iter().try_for_each(|(name, value)| write!(out, " {name}={:.40}", value.escape_ascii()))
            }
            Self::Refuses => out.write_str("refuses"),
            Self::Waits => out.write_str("waits"),
        }
    }
}

fn takes<'h>(status: u16, headers: impl Iterator<Item = (&'h str, &'h [u8])>, body: &[u8], kept: bool) -> Verdict {
    let mut headers: Vec<_> = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.to_vec())).collect();
    // hyper keeps the order of values of one name, not that of names.
    headers.sort_by(|(a, _), (b, _)| a.cmp(b));
    Verdict::Takes { status, headers, body: body.to_vec(), kept }
}

fn ours_takes(response: &Response, kept: bool) -> Verdict {
    takes(response.status, response.headers().into_iter(), response.body(), kept)
}

/// With a paused clock, this is when nothing moves any more.
const PATIENCE: Duration = Duration::from_secs(10);

pub async fn ours(mut wire: Wire, method: &str) -> Verdict {
    let nowhere = SocketAddr::from(([127, 0, 0, 1], 1));
    let mut request = request(method, nowhere, settings());
    std::sync::Arc::get_mut(&mut request.settings).unwrap().read_timeout = None;
    match timeout(PATIENCE, probe::exchange(&mut wire, &request)).await {
        Ok(Ok((response, kept))) => ours_takes(&response, kept),
        Ok(Err(_)) => Verdict::Refuses,
        Err(_) => Verdict::Waits,
    }
}

pub async fn hypers(wire: Wire, method: &str) -> Verdict {
    hyper_on(wire, method, |mut sender| async move {
        // Let it find what is behind the response.
        for _ in 0..10 {
            tokio::task::yield_now().await;
        }
        matches!(timeout(PATIENCE, sender.ready()).await, Ok(Ok(())))
    })
    .await
}

type Sender = http1::SendRequest<Empty<Bytes>>;

fn hyper_request(method: &str) -> hyper::Request<Empty<Bytes>> {
    hyper::Request::builder().method(method).uri("/").header("Host", "localhost").body(Empty::new()).unwrap()
}

async fn hyper_on<S, F>(stream: S, method: &str, is_kept: impl FnOnce(Sender) -> F) -> Verdict
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    F: Future<Output = bool>,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.unwrap();
    let task = tokio::spawn(connection);
    let exchange = async {
        let response = sender.send_request(hyper_request(method)).await?;
        let (parts, body) = response.into_parts();
        Ok::<_, hyper::Error>((parts, body.collect().await?.to_bytes()))
    };
    let exchanged = timeout(PATIENCE, exchange).await;
    let verdict = match exchanged {
        Ok(Ok((parts, body))) => {
            let kept = is_kept(sender).await;
            let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
            takes(parts.status.as_u16(), headers, &body, kept)
        }
        Ok(Err(_)) => Verdict::Refuses,
        Err(_) => Verdict::Waits,
    };
    task.abort();
    verdict
}

/// Over a socket: whether a connection was kept shows in who answers the next request.
pub async fn ours_over_tcp(user: User, address: SocketAddr, method: &str) -> Verdict {
    match user.fetch(request(method, address, settings())).await {
        Ok(response) => {
            let next = user.fetch(request("GET", address, settings())).await.expect("the next request is answered");
            ours_takes(&response, next.body() == b"next")
        }
        Err(Failure::ReadTimeout(_)) => Verdict::Waits,
        Err(_) => Verdict::Refuses,
    }
}

pub async fn hypers_over_tcp(address: SocketAddr, method: &str) -> Verdict {
    let stream = soon(TcpStream::connect(address)).await.unwrap();
    hyper_on(stream, method, |mut sender| async move {
        let next = async {
            sender.ready().await?;
            let response = sender.send_request(hyper_request("GET")).await?;
            response.into_body().collect().await
        };
        soon(next).await.is_ok_and(|body| body.to_bytes() == "next")
    })
    .await
}
