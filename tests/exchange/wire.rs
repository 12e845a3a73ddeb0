//! What a server sends, byte for byte: on a wire in memory, where every cut is exact, and on real sockets.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::net::{TcpListener, TcpStream};

/// What happens behind the last byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    Open,
    Close,
    Reset,
}

/// A connection in memory: once a request comes, these pieces are read, one a time, and then the end.
pub struct Wire {
    pieces: VecDeque<Vec<u8>>,
    end: End,
    asked: bool,
    reader: Option<Waker>,
}

impl Wire {
    pub fn new(pieces: impl IntoIterator<Item = Vec<u8>>, end: End) -> Self {
        let pieces = pieces.into_iter().filter(|piece| !piece.is_empty()).collect();
        Self { pieces, end, asked: false, reader: None }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        if !self.asked {
            self.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let Some(mut piece) = self.pieces.pop_front() else {
            return match self.end {
                End::Open => Poll::Pending,
                End::Close => Poll::Ready(Ok(())),
                End::Reset => Poll::Ready(Err(io::ErrorKind::ConnectionReset.into())),
            };
        };
        let rest = piece.split_off(piece.len().min(buffer.remaining()));
        buffer.put_slice(&piece);
        if !rest.is_empty() {
            self.pieces.push_front(rest);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Wire {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        self.asked = true;
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

/// `bytes` in pieces whose lengths are `lengths`, over and over.
pub fn cut(bytes: &[u8], lengths: &[usize]) -> Vec<Vec<u8>> {
    let mut pieces = Vec::new();
    let mut rest = bytes;
    for length in lengths.iter().cycle() {
        if rest.is_empty() {
            break;
        }
        let (piece, after) = rest.split_at((*length).clamp(1, rest.len()));
        pieces.push(piece.to_vec());
        rest = after;
    }
    pieces
}

pub const NEXT: &str = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nnext";
pub const FRESH: &str = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nfresh";

/// A server that sends `bytes` to its first request. A second one is answered with [`NEXT`] on the same connection,
/// with [`FRESH`] on another.
pub async fn serve(bytes: Vec<u8>, end: End) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        let (mut first, _) = listener.accept().await.unwrap();
        tokio::spawn(async move {
            while let Ok((mut other, _)) = listener.accept().await {
                tokio::spawn(async move {
                    while read_request(&mut other).await.is_some() {
                        let _ = other.write_all(FRESH.as_bytes()).await;
                    }
                });
            }
        });
        read_request(&mut first).await;
        let _ = first.write_all(&bytes).await;
        match end {
            End::Open => {
                while read_request(&mut first).await.is_some() {
                    let _ = first.write_all(NEXT.as_bytes()).await;
                }
            }
            End::Close => {}
            End::Reset => reset(first),
        }
    });
    address
}

pub fn reset(stream: TcpStream) {
    let _ = stream.set_zero_linger();
}

/// The head of a request (and a body that came with it); `None` if the client has closed.
pub async fn read_request(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut request = Vec::new();
    while !request.windows(4).any(|window| window == b"\r\n\r\n") {
        if stream.read_buf(&mut request).await.ok()? == 0 {
            return None;
        }
    }
    Some(request)
}

/// Within the deadline of every test.
pub async fn soon<F: Future>(what: F) -> F::Output {
    tokio::time::timeout(Duration::from_secs(20), what).await.expect("it happens within the deadline")
}
