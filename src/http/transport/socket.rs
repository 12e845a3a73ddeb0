//! A connection, TCP or of a Unix socket, that knows what became of the bytes written to it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::{TcpStream, UnixStream};

#[derive(Debug)]
pub struct Socket {
    kind: Kind,
    written: u64,
}

#[derive(Debug)]
enum Kind {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl From<TcpStream> for Socket {
    fn from(tcp: TcpStream) -> Self {
        Self { kind: Kind::Tcp(tcp), written: 0 }
    }
}

impl From<UnixStream> for Socket {
    fn from(unix: UnixStream) -> Self {
        Self { kind: Kind::Unix(unix), written: 0 }
    }
}

impl Socket {
    /// Bytes handed to the system so far, those of TLS included.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Whether the peer's system took none of the last `written` bytes: its socket was closed when they arrived.
    ///
    /// Only a reset behind the end of the stream tells: Linux answers what arrives at a closed socket with a reset, and
    /// a reset on a connection whose FIN is already in leaves EPIPE as the socket's error, not ECONNRESET. That alone
    /// would not do. A server that read some of a request and closed resets the rest of it in the same way; but then
    /// its FIN has acknowledged what it had received. (What is left: a server that ends its side of an idle
    /// connection, goes on reading, takes a request and resets the connection before that is acknowledged.)
    ///
    /// Waits for the reset when the end of the stream was faster, so a caller sets a limit.
    pub async fn was_closed_before(&self, written: u64) -> bool {
        // Not so with a Unix socket, where a write to a closed one fails at once, and nothing of it is written.
        let Kind::Tcp(tcp) = &self.kind else { return false };
        loop {
            if self.unacknowledged() != Some(written) {
                return false;
            }
            match tcp.take_error() {
                Ok(Some(error)) => return error.kind() == io::ErrorKind::BrokenPipe,
                Ok(None) => {}
                Err(_) => return false,
            }
            if tcp.ready(Interest::ERROR).await.is_err() {
                return false;
            }
        }
    }

    /// Bytes written that the peer's system has not acknowledged; `None` where that cannot be told.
    #[cfg(target_os = "linux")]
    #[allow(unsafe_code)] // no safe wrapper of this call is maintained
    pub fn unacknowledged(&self) -> Option<u64> {
        use rustix::ioctl::{Getter, Opcode, ioctl};
        // SIOCOUTQ, which has TIOCOUTQ's number.
        const UNACKNOWLEDGED: Opcode = libc::TIOCOUTQ as Opcode;
        let Kind::Tcp(tcp) = &self.kind else { return None };
        // SAFETY: tcp(7): the call writes one int, as the getter has it, and changes nothing.
        let bytes = unsafe { ioctl(tcp, Getter::<UNACKNOWLEDGED, libc::c_int>::new()) };
        bytes.ok().and_then(|bytes| u64::try_from(bytes).ok())
    }

    #[cfg(not(target_os = "linux"))]
    pub fn unacknowledged(&self) -> Option<u64> {
        None
    }

    fn count(&mut self, written: io::Result<usize>) -> io::Result<usize> {
        if let Ok(bytes) = written {
            self.written += bytes as u64;
        }
        written
    }
}

impl AsyncRead for Socket {
    fn poll_read(self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(tcp) => Pin::new(tcp).poll_read(cx, buffer),
            Kind::Unix(unix) => Pin::new(unix).poll_read(cx, buffer),
        }
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(match &mut this.kind {
            Kind::Tcp(tcp) => Pin::new(tcp).poll_write(cx, bytes),
            Kind::Unix(unix) => Pin::new(unix).poll_write(cx, bytes),
        });
        Poll::Ready(this.count(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(match &mut this.kind {
            Kind::Tcp(tcp) => Pin::new(tcp).poll_write_vectored(cx, slices),
            Kind::Unix(unix) => Pin::new(unix).poll_write_vectored(cx, slices),
        });
        Poll::Ready(this.count(written))
    }

    fn is_write_vectored(&self) -> bool {
        true // both kinds do
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(())) // nothing is held back
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.get_mut().kind {
            Kind::Tcp(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Kind::Unix(unix) => Pin::new(unix).poll_shutdown(cx),
        }
    }
}
