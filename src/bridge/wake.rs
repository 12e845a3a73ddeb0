//! A file descriptor that another thread makes readable, and an event loop watches.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

/// On Linux an eventfd; elsewhere a pipe. Neither end ever blocks.
#[derive(Debug)]
pub struct WakeFd {
    reader: OwnedFd,
    #[cfg(not(target_os = "linux"))]
    writer: OwnedFd,
}

impl WakeFd {
    #[cfg(target_os = "linux")]
    pub fn new() -> io::Result<Self> {
        use rustix::event::{EventfdFlags, eventfd};
        Ok(Self { reader: eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)? })
    }

    #[cfg(not(target_os = "linux"))]
    pub fn new() -> io::Result<Self> {
        let (reader, writer) = rustix::pipe::pipe()?;
        for end in [&reader, &writer] {
            rustix::io::ioctl_fionbio(end, true)?;
            rustix::io::ioctl_fioclex(end)?;
        }
        Ok(Self { reader, writer })
    }

    pub fn raw(&self) -> RawFd {
        self.reader.as_raw_fd()
    }

    /// Make it readable. A full pipe is as good as one more byte: the reader will wake either way.
    pub fn wake(&self) {
        #[cfg(target_os = "linux")]
        let writer = &self.reader;
        #[cfg(not(target_os = "linux"))]
        let writer = &self.writer;
        let _ = rustix::io::write(writer, &1u64.to_ne_bytes());
    }

    /// Make it unreadable until the next [`Self::wake`].
    pub fn clear(&self) {
        let mut bytes = [0; 512];
        while rustix::io::read(&self.reader, &mut bytes).is_ok_and(|n| n == bytes.len()) {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn readable(fd: &WakeFd) -> bool {
        use rustix::event::{PollFd, PollFlags, Timespec, poll};
        let mut fds = [PollFd::new(&fd.reader, PollFlags::IN)];
        poll(&mut fds, Some(&Timespec { tv_sec: 0, tv_nsec: 0 })).unwrap() == 1
    }

    #[test]
    fn is_readable_exactly_between_wake_and_clear() {
        let fd = WakeFd::new().unwrap();
        assert!(!readable(&fd));
        fd.wake();
        fd.wake();
        assert!(readable(&fd));
        fd.clear();
        assert!(!readable(&fd));
    }
}
