//! Samples in, tables out: what was requested, how long it took, what failed.
//!
//! A [`Table`] counts where it happens and is read by snapshots; it does not know who reads it, never
//! sleeps and keeps no samples. Console, CSV, web page and wire all derive from the same rows.

mod annotation;
mod bucket;
mod errors;
mod exceptions;
mod histogram;
mod history;
mod lag;
mod per_second;
mod phases;
mod row;
mod table;
pub mod timeline;
mod window;

pub use annotation::Annotation;
pub use bucket::locust_bucket;
pub use errors::{ErrorRecord, ErrorText, Errors, error_key, python_repr, without_address};
pub use exceptions::{ExceptionRecord, Exceptions};
pub use histogram::{HIGHEST_US, Histogram, microseconds};
pub use history::{HistoryPoint, utc};
pub use lag::Lag;
pub use per_second::PerSecond;
pub use phases::PhaseTotals;
pub use row::{Clock, NoWindow, Number, Row, RowParts};
pub use table::{Table, Taken};
pub use timeline::Timeline;

use std::time::Duration;

use crate::http::Phases;

/// One measured request.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sample {
    /// What the server took; `None` where a locustfile reports a request without a time.
    pub response_time_ms: Option<f64>,
    pub response_length: u64,
    /// How long the finished response then waited for Python. Not part of the response time.
    pub generator_lag: Duration,
    /// Where the response time went; `None` where the engine did not send the request.
    pub phases: Option<Phases>,
    /// When it was counted, in seconds of the Unix epoch: its whole seconds are keys that other
    /// machines add to theirs.
    pub at: f64,
}

/// The percentiles that tables and files show unless a locustfile asks for others.
pub const PERCENTILES_TO_REPORT: [f64; 11] = [0.50, 0.66, 0.75, 0.80, 0.90, 0.95, 0.98, 0.99, 0.999, 0.9999, 1.0];
