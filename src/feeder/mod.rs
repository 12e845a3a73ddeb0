//! Rows for users, each handed out once: over all users of a process, and over all workers of a fleet.
//!
//! Who owns the data has a [`Ledger`]: what is still to be handed out, and what each worker holds. A worker has a
//! [`Stock`]: rows that it was sent ahead, for its users to take without asking anybody. Both are told of messages and
//! say what to send. They send nothing themselves, so that losing, doubling and delaying messages is tested without a
//! network.
//!
//! What makes it exact: a stream of rows has one order, which worker and owner count alike. A request says how many
//! rows of the stream its worker keeps and how many it has given to users. What it does not keep goes back and is
//! handed to somebody else; what a lost worker kept and had not told of is handed to nobody, and is *in doubt*.

mod block;
pub mod file;
mod ledger;
mod shuffle;
mod source;
mod stock;
#[cfg(test)]
mod tests;

pub use block::{pack, unpack};
pub use ledger::{Answer, Doubt, Ledger, Outgoing};
pub use shuffle::{Shuffled, order};
pub use source::{Given, Source, Tickets};
pub use stock::{Request, Stock};

/// One row, and where it stands in its data: numbered from 1 on, in the `pass`th time that the data are gone through.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row<C> {
    pub number: u64,
    pub pass: u64,
    pub content: C,
}

/// Why data cannot be read (on), as a sentence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Broken(pub String);

/// What a row has to say.
pub trait Content: Clone {
    /// About how much of a message it takes.
    fn bytes(&self) -> usize {
        0
    }
}
