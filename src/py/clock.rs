//! Wall-clock time of monotonic instants.

use std::sync::LazyLock;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

/// Both clocks read at once, the first time one is asked for. A later jump of the wall clock moves no time stamp: within
/// a run they stay in order.
static ANCHOR: LazyLock<(Instant, f64)> = LazyLock::new(|| {
    let epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    (Instant::now(), epoch.as_secs_f64())
});

/// Seconds of the Unix epoch at `instant`.
pub fn epoch_seconds(instant: Instant) -> f64 {
    let (anchor, epoch) = *ANCHOR;
    match instant.checked_duration_since(anchor) {
        Some(after) => epoch + after.as_secs_f64(),
        None => epoch - anchor.duration_since(instant).as_secs_f64(),
    }
}

pub fn now() -> f64 {
    epoch_seconds(Instant::now())
}
