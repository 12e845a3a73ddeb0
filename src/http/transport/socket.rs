//! A TCP connection that knows what became of the bytes written to it.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, Interest, ReadBuf};
use tokio::net::TcpStream;

#[derive(Debug)]
pub struct Socket {
    tcp: TcpStream,
    written: u64,
}

impl Socket {
    pub fn new(tcp: TcpStream) -> Self {
        Self { tcp, written: 0 }
    }

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
        loop {
            if self.unacknowledged() != Some(written) {
                return false;
            }
            match self.tcp.take_error() {
                Ok(Some(error)) => return error.kind() == io::ErrorKind::BrokenPipe,
                Ok(None) => {}
                Err(_) => return false,
            }
            if self.tcp.ready(Interest::ERROR).await.is_err() {
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
        // SAFETY: tcp(7): the call writes one int, as the getter has it, and changes nothing.
        let bytes = unsafe { ioctl(&self.tcp, Getter::<UNACKNOWLEDGED, libc::c_int>::new()) };
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
        Pin::new(&mut self.get_mut().tcp).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Socket {
    fn poll_write(self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.tcp).poll_write(cx, bytes));
        Poll::Ready(this.count(written))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        slices: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        let written = ready!(Pin::new(&mut this.tcp).poll_write_vectored(cx, slices));
        Poll::Ready(this.count(written))
    }

    fn is_write_vectored(&self) -> bool {
        self.tcp.is_write_vectored()
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().tcp).poll_shutdown(cx)
    }
}
