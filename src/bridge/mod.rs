//! What of the bridge needs no interpreter: the ticket table and the completion queue.
//!
//! `py::hub` puts greenlets behind them. Kept apart so that both are tested as plain data structures, under
//! property tests and loom.

mod announcement;
mod completions;
mod sleepers;
mod tickets;
mod wake;

pub use announcement::Announcement;
pub use completions::Completions;
pub use sleepers::Sleepers;
pub use tickets::{Ticket, Tickets};
pub use wake::WakeFd;
