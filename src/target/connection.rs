//! One connection's life: read a request, do what its answer says, again.
//!
//! Whatever goes wrong with the socket ends the connection, and a request on its way then counts as aborted. While an
//! answer is due later the socket is read, so that a client which goes away is noticed at once; a client that only
//! closes its sending half looks the same and gets no answer.

use std::io;
use std::pin::{Pin, pin};
use std::time::Instant;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::server::TlsStream;

use super::counts::{Arrival, OpenConnection, Outcome, Shard};
use super::reply::{End, Reply, Step, pattern};
use super::request::{Chunks, Framing, Malformed, Request, with_head};
use super::routes;
use super::world::World;

/// What a read makes room for.
const READ: usize = 4 * 1024;
/// So much of the requests to come is read while an answer is due; a client that sends more must wait to be noticed gone.
const MOST_AHEAD: usize = 64 * 1024;

/// A socket, bare or under TLS.
pub trait Socket: AsyncRead + AsyncWrite + Unpin {
    const TLS: bool;
    fn tcp(&self) -> &TcpStream;
}

impl Socket for TcpStream {
    const TLS: bool = false;
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Socket for TlsStream<TcpStream> {
    const TLS: bool = true;
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// Serve a connection to its end.
pub async fn serve<S: Socket>(socket: S, world: &World, shard: &Shard, open: OpenConnection<'_>) {
    let number = world.next_connection();
    let (input, body) = (Vec::with_capacity(READ), Vec::new());
    let mut connection = Connection { socket, world, shard, open, number, input, body, reply: Reply::default() };
    let _ = connection.serve().await; // an error is the client's going away, and counted as that
}

struct Connection<'w, S> {
    socket: S,
    world: &'w World,
    shard: &'w Shard,
    open: OpenConnection<'w>,
    number: u64,
    /// What was read and not yet used up.
    input: Vec<u8>,
    /// A chunked body, put together.
    body: Vec<u8>,
    reply: Reply,
}

/// What the head says, and where the request is counted.
struct Head<'w> {
    length: usize,
    framing: Result<Framing, Malformed>,
    expects_continue: bool,
    /// `None` for the reader's own requests.
    arrival: Option<Arrival<'w>>,
}

/// Why no request could be read.
enum Stop {
    Gone,
    Malformed(Malformed),
}

impl From<io::Error> for Stop {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl From<Malformed> for Stop {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

impl<'w, S: Socket> Connection<'w, S> {
    async fn serve(&mut self) -> io::Result<()> {
        let mut is_first = true;
        loop {
            match self.exchange(is_first).await {
                Ok(End::KeepAlive) => is_first = false,
                Ok(end) => return self.end(end).await,
                Err(Stop::Gone) => return Ok(()),
                Err(Stop::Malformed(malformed)) => return self.refuse(&malformed).await,
            }
        }
    }

    /// One request and its answer.
    async fn exchange(&mut self, is_first: bool) -> Result<End, Stop> {
        let mut head = self.read_head().await?;
        if is_first && head.arrival.is_none() {
            self.open.uncount();
        }
        let used = match self.read_body(&head).await {
            Err(Stop::Malformed(malformed)) => {
                let outcome = Outcome::Finished { status: malformed.status };
                head.arrival.iter_mut().for_each(|arrival| arrival.settle(outcome));
                return Err(malformed.into());
            }
            used => used?,
        };
        self.answer(&head)?;
        self.input.drain(..used);
        self.input.shrink_to(MOST_AHEAD);
        self.body.shrink_to(MOST_AHEAD);
        self.send(&mut head.arrival).await?;
        Ok(self.reply.end)
    }

    async fn read_head(&mut self) -> Result<Head<'w>, Stop> {
        loop {
            if !self.input.is_empty() {
                let shard = self.shard;
                if let Some(head) = with_head(&self.input, |request, length| Head::of(&request, length, shard))? {
                    return Ok(head);
                }
            }
            read(&mut self.socket, &mut self.input).await?;
        }
    }

    /// Read until the body is whole; gives the request's length, from its first byte to its last.
    async fn read_body(&mut self, head: &Head<'w>) -> Result<usize, Stop> {
        let framing = head.framing.clone()?;
        if head.expects_continue && self.input.len() == head.length {
            self.socket.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
            self.socket.flush().await?;
        }
        let mut chunks = Chunks::default();
        self.body.clear();
        loop {
            let length = match framing {
                Framing::Length(length) => Some(length).filter(|length| self.input.len() - head.length >= *length),
                Framing::Chunked => chunks.take(&self.input[head.length..], &mut self.body)?,
            };
            if let Some(length) = length {
                return Ok(head.length + length);
            }
            read(&mut self.socket, &mut self.input).await?;
        }
    }

    /// Ask the route. The head is parsed once more: cheaper than keeping it across reads that move the buffer.
    fn answer(&mut self, head: &Head<'w>) -> Result<(), Malformed> {
        let (world, reply) = (self.world, &mut self.reply);
        let body = match head.framing {
            Ok(Framing::Length(length)) => &self.input[head.length..head.length + length],
            _ => &self.body,
        };
        with_head(&self.input[..head.length], |request, _| {
            routes::answer(&request.on_connection(body, self.number, S::TLS), world, reply);
        })?;
        Ok(())
    }

    /// Do what the answer says, and count it.
    async fn send(&mut self, arrival: &mut Option<Arrival<'w>>) -> Result<(), Stop> {
        if let Some(moment) = self.reply.not_before {
            self.wait(moment).await?;
        }
        let steps = std::mem::take(&mut self.reply.then);
        if steps.is_empty() {
            self.settle(arrival);
        }
        let sent = self.write(&steps, arrival).await;
        if sent.is_err()
            && let Some(arrival) = arrival
        {
            arrival.settle(if self.reply.status.is_some() { Outcome::Aborted } else { Outcome::Cut });
        }
        sent
    }

    fn settle(&self, arrival: &mut Option<Arrival<'w>>) {
        if let Some(arrival) = arrival {
            arrival.settle(self.reply.status.map_or(Outcome::Cut, |status| Outcome::Finished { status }));
        }
    }

    async fn write(&mut self, steps: &[Step], arrival: &mut Option<Arrival<'w>>) -> Result<(), Stop> {
        if !self.reply.out.is_empty() {
            self.socket.write_all(&self.reply.out).await?;
            self.socket.flush().await?;
        }
        for (index, step) in steps.iter().enumerate() {
            let is_last = index + 1 == steps.len();
            match step {
                Step::Wait(pause) => self.wait(Instant::now() + *pause).await?,
                Step::Repeat(bytes) => loop {
                    self.socket.write_all(bytes).await?;
                },
                Step::Times(times, bytes) => {
                    for _ in 0..*times {
                        self.socket.write_all(bytes).await?;
                    }
                }
                Step::Send(bytes) => {
                    if is_last {
                        self.settle(arrival);
                    }
                    self.socket.write_all(bytes).await?;
                }
                Step::Fill(length) => self.fill(*length, is_last, arrival).await?,
                Step::Below(bytes) => write_below(self.socket.tcp(), bytes).await?,
            }
            self.socket.flush().await?;
        }
        Ok(())
    }

    async fn fill(&mut self, length: u64, is_last: bool, arrival: &mut Option<Arrival<'w>>) -> io::Result<()> {
        let mut left = length;
        if left == 0 && is_last {
            self.settle(arrival);
        }
        for piece in pattern(0, length) {
            left -= piece.len() as u64;
            if left == 0 && is_last {
                self.settle(arrival);
            }
            self.socket.write_all(piece).await?;
        }
        Ok(())
    }

    /// Until the moment, or until the client goes away.
    async fn wait(&mut self, moment: Instant) -> io::Result<()> {
        let mut sleep = pin!(self.world.timer.sleep_until(moment));
        loop {
            tokio::select! {
                biased;
                () = &mut sleep => return Ok(()),
                got = read(&mut self.socket, &mut self.input), if self.input.len() < MOST_AHEAD => got?,
            }
        }
    }

    async fn end(&mut self, end: End) -> io::Result<()> {
        match end {
            End::KeepAlive | End::Drop => Ok(()),
            End::Close => self.socket.shutdown().await,
            End::Reset => self.socket.tcp().set_zero_linger(),
        }
    }

    /// Say what is wrong and close. What the client still sends is read first: to close over unread bytes is to reset,
    /// and a reset may overtake the answer.
    async fn refuse(&mut self, malformed: &Malformed) -> io::Result<()> {
        self.shard.malformed();
        self.reply = Reply::default();
        self.reply.end = End::Close;
        self.reply.text(malformed.status, malformed.message);
        self.socket.write_all(&self.reply.out).await?;
        self.socket.shutdown().await?;
        let patience = tokio::time::sleep(std::time::Duration::from_secs(1));
        let rest = async {
            while read(&mut self.socket, &mut self.input).await.is_ok() {
                self.input.clear();
            }
        };
        tokio::select! {
            () = patience => {}
            () = rest => {}
        }
        Ok(())
    }
}

impl<'w> Head<'w> {
    fn of(request: &Request<'_>, length: usize, shard: &'w Shard) -> Self {
        Self {
            length,
            framing: request.framing(),
            expects_continue: request.expects_continue(),
            arrival: (!routes::is_readers(request.path)).then(|| shard.arrived(request.method, request.target)),
        }
    }
}

async fn write_below(socket: &TcpStream, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        socket.writable().await?;
        match socket.try_write(bytes) {
            Ok(written) => bytes = &bytes[written..],
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Read some more; the end of the stream is an error here.
async fn read<S: Socket>(socket: &mut S, input: &mut Vec<u8>) -> io::Result<()> {
    input.reserve(READ);
    match Pin::new(socket).read_buf(input).await? {
        0 => Err(io::ErrorKind::UnexpectedEof.into()),
        _ => Ok(()),
    }
}
