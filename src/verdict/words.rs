//! A few sentences on a run.

use serde_json::{Value, json};

/// How much a sentence matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// A check that failed, a target that broke.
    Bad,
    /// What makes the figures mean less than they seem.
    Warning,
    Note,
}

/// A sentence, and the rule that it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word {
    pub rule: &'static str,
    pub weight: Weight,
    pub text: String,
}

impl Word {
    pub fn to_json(&self) -> Value {
        let weight = match self.weight {
            Weight::Bad => "bad",
            Weight::Warning => "warning",
            Weight::Note => "note",
        };
        json!({"rule": self.rule, "weight": weight, "text": self.text})
    }
}
