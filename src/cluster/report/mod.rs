//! What workers tell their master of their statistics: written from a table that is emptied, merged into another.
//!
//! The data of a `stats` message is Locust's to the key. Towards a master of ours it has one key more, [`KEY`], which
//! Locust passes over: who reports, how often, and by what clock ([`Stamp`]), and, in place of Locust's, the entries with
//! their whole histograms and phases ([`compact`]). So the percentiles of a fleet of ours are those of all its samples in
//! one histogram, and a report that is lost or comes twice is noticed. Where somebody listens to reports, entries are
//! Locust's for as long as he looks at them (`_cluster/reports.py`).
//!
//! A report is merged whole or not at all: it is read first ([`read::Report`]), which takes references into its bytes
//! and builds no tree, and then added to rows under the table's lock.

mod bytes;
pub mod clock;
pub mod compact;
mod ledger;
pub mod read;
mod reporter;
mod reports;
mod stamp;
mod write;

#[cfg(test)]
mod tests;

pub use bytes::Malformed;
pub use ledger::{Figures, Gone};
pub use read::MOST_CLASSES;
pub use reporter::{Master, Reporter};
pub use reports::{Merged, Reports};
pub use stamp::Stamp;
pub use write::{ENTRY, rounded};

/// What ours know each other by: in the data of reports, heartbeats, their answers and `ack`.
pub const KEY: &str = "gregaria";
