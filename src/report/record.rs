//! The record of a run: what a report shows beside the statistics themselves, as one JSON object.
//!
//! ```text
//! {
//!   "format": 1,
//!   "verdict": "passed" | "failed" | null        null: there were no checks
//!   "checks": [{
//!     "entry": "GET /api/orders" | null,         null: the whole run
//!     "condition": "p99 < 1s over 30s",          as it was written
//!     "operator": "<", "limit": 1000.0,          in the unit: "ms", "share" (0 to 1), "count" or "per_second"
//!     "unit": "ms", "window_s": 30.0 | null,     null: over the whole run
//!     "measured": 812.5 | null,                  null: there was nothing to measure
//!     "shown": "812.5ms", "passed": true,
//!     "remark": ""                               e.g. "never requested"
//!   }],
//!   "words": [{"rule": "errors", "weight": "bad" | "warning" | "note", "text": "One sentence, or a few."}],
//!   "knee": {
//!     "found": true, "method": "…",              what it is and where it is from
//!     "points": [{"users", "rps", "avg_ms", "p50_ms", "p95_ms", "p99_ms"}],   ascending by users
//!     "users", "rps", "p50_ms", "p95_ms", "gain_beyond"                       only if found
//!     "reason": "…"                              only if not found
//!   },
//!   "timeline": {                                docs/timeline.md
//!     "format": 1, "start": 1767225600.0,        seconds of the Unix epoch
//!     "interval_s": 1.0, "counted_from_s": 0.0,  from when on the statistics count (--reset-stats)
//!     "ends_s": [], "users": [], "target_users": [], "lag_p99_ms": [], "lag_max_ms": [],          a value for each interval
//!     "saturated": [[12.0, 15.0]],               from and to, in seconds since the start
//!     "total": {"requests", "failures", "avg_ms", "p50_ms", "p95_ms", "p99_ms", "max_ms"},   columns as well
//!     "entries": {"ends_s": [], "rows": [{"method", "name", "requests", … as in total}]}     fewer intervals
//!   },
//!   "workers": [{"id", "index", "state", "is_ours", "requests", "failures", "lag_ms", "clock"}],   of a master
//!   "options": {"num_users": 10, …},             as parsed; secret ones are left out
//!   "seed": 42 | null
//! }
//! ```
//!
//! Times that were not measured, as in an interval without a response, are `null`.

use serde_json::{Map, Value, json};

use crate::stats::Timeline;
use crate::verdict::{Knee, Outcome, Word};

/// What the record is made of.
#[derive(Debug)]
pub struct Parts<'a> {
    pub outcomes: &'a [Outcome],
    pub words: &'a [Word],
    pub knee: &'a Knee,
    pub timeline: &'a Timeline,
    pub options: Map<String, Value>,
    pub seed: Option<u64>,
}

pub fn run_record(parts: Parts<'_>) -> Value {
    let verdict = match parts.outcomes {
        [] => None,
        outcomes if outcomes.iter().all(|outcome| outcome.passed) => Some("passed"),
        _ => Some("failed"),
    };
    json!({
        "format": 1,
        "verdict": verdict,
        "checks": parts.outcomes.iter().map(Outcome::to_json).collect::<Vec<_>>(),
        "words": parts.words.iter().map(Word::to_json).collect::<Vec<_>>(),
        "knee": parts.knee.to_json(),
        "timeline": parts.timeline.to_json(),
        "options": parts.options,
        "seed": parts.seed,
    })
}
