//! The same routes over HTTP/2: a request is written out as HTTP/1.1 for them, and their answer is read back.
//!
//! What misbehaves below HTTP has no meaning here: such a route resets its stream, and counts as cut.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::Bytes;
use h2::server::{Builder, SendResponse};
use h2::{Reason, RecvStream, SendStream};
use http::header::{CONNECTION, TRANSFER_ENCODING};
use http::{HeaderName, HeaderValue, Response};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::counts::{Arrival, OpenConnection, Outcome};
use super::reply::{Reply, Step, pattern};
use super::request::{Chunks, MOST_HEADERS, with_head};
use super::routes;
use super::world::World;

/// How a client begins that knows without asking that HTTP/2 is spoken here.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
const WINDOW: u32 = 4 << 20;
const MOST_STREAMS: u32 = 1000;

/// Whether the client speaks HTTP/2 without TLS. Waits for its first bytes, and leaves them where they are.
pub async fn is_spoken_by(stream: &TcpStream) -> bool {
    let mut start = [0; 4];
    loop {
        match stream.peek(&mut start).await {
            Ok(length) if length > 0 && length < start.len() && PREFACE.starts_with(&start[..length]) => {
                // The rest of the first word is on its way, and there is nothing to wait for it by.
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            Ok(length) => return length == start.len() && PREFACE.starts_with(&start),
            Err(_) => return false,
        }
    }
}

/// Serve a connection to its end. `index` is that of the thread, and of its counts.
pub async fn serve<S>(socket: S, tls: bool, world: &Arc<World>, index: usize, open: OpenConnection<'_>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let number = world.next_connection();
    let mut builder = Builder::new();
    builder.initial_window_size(WINDOW).initial_connection_window_size(4 * WINDOW).max_concurrent_streams(MOST_STREAMS);
    let Ok(mut connection) = builder.handshake(socket).await else { return };
    while let Some(Ok((request, respond))) = connection.accept().await {
        let world = Arc::clone(world);
        tokio::spawn(async move {
            let exchange = Exchange { world: &world, respond, reply: Reply::default() };
            let _ = exchange.serve(request, index, number, tls).await; // an error is the client's going away
        });
    }
    drop(open);
}

struct Exchange<'w> {
    world: &'w World,
    respond: SendResponse<Bytes>,
    reply: Reply,
}

impl Exchange<'_> {
    async fn serve(
        mut self,
        request: http::Request<RecvStream>,
        index: usize,
        number: u64,
        tls: bool,
    ) -> Result<(), h2::Error> {
        let (parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str());
        let is_readers = routes::is_readers(parts.uri.path());
        let mut arrival = (!is_readers).then(|| self.world.shards[index].arrived(parts.method.as_str(), target));
        let body = whole(body).await?;
        let head = as_http1(&parts, target);
        let (world, reply) = (self.world, &mut self.reply);
        let routed = with_head(&head, |request, _| {
            let mut request = request.on_connection(&body, number, tls);
            request.version = 2;
            routes::answer(&request, world, reply);
        });
        if !matches!(routed, Ok(Some(()))) {
            self.respond.send_reset(Reason::PROTOCOL_ERROR);
            return Ok(());
        }
        if let Some(moment) = self.reply.not_before {
            unless_reset(self.world.timer.sleep_until(moment), |cx| self.respond.poll_reset(cx)).await?;
        }
        self.answer(&mut arrival).await
    }

    async fn answer(&mut self, arrival: &mut Option<Arrival<'_>>) -> Result<(), h2::Error> {
        let Some((response, rest, chunked)) = self.head() else {
            settle(arrival, Outcome::Cut);
            self.respond.send_reset(Reason::INTERNAL_ERROR);
            return Ok(());
        };
        let outcome = Outcome::Finished { status: response.status().as_u16() };
        let mut pieces = std::mem::take(&mut self.reply.then);
        pieces.insert(0, Step::Send(rest));
        if chunked {
            pieces = vec![Step::Send(unchunked(&pieces))];
        }
        if !pieces.iter().any(has_bytes) {
            settle(arrival, outcome);
            self.respond.send_response(response, true)?;
            return Ok(());
        }
        let mut stream = self.respond.send_response(response, false)?;
        let last = pieces.iter().rposition(has_bytes).unwrap_or(0);
        for (at, piece) in pieces.iter().enumerate().take(last + 1) {
            match piece {
                Step::Wait(pause) => {
                    let moment = Instant::now() + *pause;
                    unless_reset(self.world.timer.sleep_until(moment), |cx| stream.poll_reset(cx)).await?;
                }
                Step::Send(bytes) if at == last => {
                    settle(arrival, outcome);
                    return send(&mut stream, bytes, true).await;
                }
                Step::Send(bytes) => send(&mut stream, bytes, false).await?,
                Step::Fill(length) => {
                    for part in pattern(0, *length) {
                        send(&mut stream, part, false).await?;
                    }
                }
                Step::Times(times, bytes) => {
                    for _ in 0..*times {
                        send(&mut stream, bytes, false).await?;
                    }
                }
                Step::Repeat(bytes) => loop {
                    send(&mut stream, bytes, false).await?;
                },
                Step::Below(_) => {} // there is no way beneath this
            }
        }
        settle(arrival, outcome);
        stream.send_data(Bytes::new(), true)
    }

    /// The head of the answer, what stands behind it, and whether that is in chunks. `None` for what is no answer.
    fn head(&self) -> Option<(Response<()>, Vec<u8>, bool)> {
        self.reply.status?;
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut parsed = httparse::Response::new(&mut headers);
        let httparse::Status::Complete(length) = parsed.parse(&self.reply.out).ok()? else { return None };
        let mut response = Response::builder().status(parsed.code?);
        let mut chunked = false;
        for header in parsed.headers.iter() {
            let name = HeaderName::from_bytes(header.name.as_bytes()).ok()?;
            if name == TRANSFER_ENCODING {
                chunked = true;
            } else if name != CONNECTION {
                response = response.header(name, HeaderValue::from_bytes(header.value).ok()?);
            }
        }
        Some((response.body(()).ok()?, self.reply.out[length..].to_vec(), chunked))
    }
}

/// Sleep, unless the client gives the stream up.
async fn unless_reset(
    sleep: impl Future<Output = ()>,
    reset: impl FnMut(&mut Context<'_>) -> Poll<Result<Reason, h2::Error>>,
) -> Result<(), h2::Error> {
    tokio::select! {
        () = sleep => Ok(()),
        reset = poll_fn(reset) => Err(reset.map_or_else(|error| error, h2::Error::from)),
    }
}

fn has_bytes(step: &Step) -> bool {
    match step {
        Step::Send(bytes) => !bytes.is_empty(),
        Step::Fill(length) => *length > 0,
        Step::Times(times, bytes) => *times > 0 && !bytes.is_empty(),
        Step::Repeat(_) => true,
        Step::Wait(_) | Step::Below(_) => false,
    }
}

fn settle(arrival: &mut Option<Arrival<'_>>, outcome: Outcome) {
    if let Some(arrival) = arrival {
        arrival.settle(outcome);
    }
}

async fn whole(mut stream: RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut body = Vec::new();
    while let Some(piece) = stream.data().await {
        let piece = piece?;
        body.extend_from_slice(&piece);
        stream.flow_control().release_capacity(piece.len())?;
    }
    Ok(body)
}

/// A request's head as the routes read it.
fn as_http1(parts: &http::request::Parts, target: &str) -> Vec<u8> {
    let mut head = format!("{} {target} HTTP/1.1\r\n", parts.method).into_bytes();
    let host = parts.uri.authority().map(|authority| ("host", authority.as_str().as_bytes()));
    let headers = parts.headers.iter().map(|(name, value)| (name.as_str(), value.as_bytes()));
    for (name, value) in host.into_iter().chain(headers) {
        for part in [name.as_bytes(), b": ", value, b"\r\n"] {
            head.extend_from_slice(part);
        }
    }
    head.extend_from_slice(b"\r\n");
    head
}

/// The data of a body in chunks, pauses between them left out.
fn unchunked(pieces: &[Step]) -> Vec<u8> {
    let wire: Vec<u8> =
        pieces.iter().flat_map(|piece| if let Step::Send(bytes) = piece { &bytes[..] } else { &[] }).copied().collect();
    let mut body = Vec::new();
    let _ = Chunks::default().take(&wire, &mut body); // the routes' own chunks
    body
}

/// As fast as the client lets it; `ends` with these bytes the body does.
async fn send(stream: &mut SendStream<Bytes>, bytes: &[u8], ends: bool) -> Result<(), h2::Error> {
    let mut left = bytes;
    while !left.is_empty() {
        stream.reserve_capacity(left.len());
        if stream.capacity() == 0 {
            match poll_fn(|cx| stream.poll_capacity(cx)).await {
                Some(capacity) => drop(capacity?),
                None => return Err(Reason::CANCEL.into()),
            }
        }
        let (piece, rest) = left.split_at(stream.capacity().min(left.len()));
        if !piece.is_empty() {
            stream.send_data(Bytes::copy_from_slice(piece), ends && rest.is_empty())?;
        }
        left = rest;
    }
    Ok(())
}
