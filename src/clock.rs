//! The wall clock.

use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds of the Unix epoch.
pub fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs_f64()
}
