//! What a socket has to say to people: a wrong key, a peer that speaks something else.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;

use crate::sync::held;

/// The same sentence is not said again within this time: a peer that is refused comes back every second.
const QUIET: Duration = Duration::from_mins(1);
/// How many sentences may wait for their reader. What does not fit is not said: peers of this side cause them.
const MOST_WAITING: usize = 64;

/// One sentence for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    pub text: String,
    /// Trying again cannot help: the two sides are set up differently.
    pub is_final: bool,
}

/// Where sockets leave their notices. Without a reader they are dropped.
#[derive(Debug, Clone, Default)]
pub struct Notices(Option<Arc<Open>>);

#[derive(Debug)]
struct Open {
    sender: mpsc::Sender<Notice>,
    said: Mutex<HashMap<String, Instant>>,
}

impl Notices {
    pub fn channel() -> (Self, mpsc::Receiver<Notice>) {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        (Self(Some(Arc::new(Open { sender, said: Mutex::default() }))), receiver)
    }

    pub(super) fn say(&self, notice: Notice) {
        let Some(open) = &self.0 else { return };
        let now = Instant::now();
        {
            let mut said = held(&open.said);
            said.retain(|_, at| now.duration_since(*at) < QUIET);
            if said.len() >= MOST_WAITING || said.contains_key(&notice.text) {
                return;
            }
            said.insert(notice.text.clone(), now);
        }
        // Full or without a reader: nobody would read it.
        let _ = open.sender.try_send(notice);
    }
}
