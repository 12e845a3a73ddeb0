//! Commands from the main thread to one I/O thread.

use crossbeam_queue::SegQueue;
use tokio::sync::Notify;

use super::Command;
use crate::bridge::Announcement;

#[derive(Debug, Default)]
pub struct Inbox {
    queue: SegQueue<Command>,
    announcement: Announcement,
    bell: Notify,
}

impl Inbox {
    /// Queue a command. Waking a runtime is a system call, so only the first command since it last looked makes it.
    pub fn send(&self, command: Command) {
        self.queue.push(command);
        if self.announcement.announce() {
            self.bell.notify_one();
        }
    }

    /// Wait until something was sent.
    pub async fn rung(&self) {
        self.bell.notified().await;
    }

    pub fn start_drain(&self) {
        self.announcement.take();
    }

    pub fn pop(&self) -> Option<Command> {
        self.queue.pop()
    }
}
