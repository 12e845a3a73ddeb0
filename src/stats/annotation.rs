//! What somebody said of a moment: `deploy v2`. Shown where the run is shown over time.

use serde_json::{Value, json};

#[derive(Debug, Clone, PartialEq)]
pub struct Annotation {
    /// Seconds of the Unix epoch.
    pub at: f64,
    pub text: String,
    /// How many users ran then.
    pub users: u64,
    /// How often the table had been emptied: which test it belongs to.
    pub age: u64,
}

impl Annotation {
    /// More would be a log.
    pub const MOST: usize = 10_000;

    pub fn to_json(&self) -> Value {
        json!({"time": (self.at * 1000.0).round() / 1000.0, "text": self.text, "users": self.users})
    }
}
