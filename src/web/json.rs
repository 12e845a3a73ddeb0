//! JSON as Locust's server writes it: keys in order, indented by two.

use bytes::Bytes;
use serde_json::Value;

use super::ready::Ready;
use crate::stats::Number;

pub fn pretty(mut value: Value) -> Bytes {
    value.sort_all_objects();
    let mut text = serde_json::to_vec_pretty(&value).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

pub fn ready(value: Value) -> Ready {
    Ready::new(200, "application/json", pretty(value))
}

/// A whole number stays one.
pub fn number(value: Number) -> Value {
    match value {
        Number::Whole(value) => value.into(),
        Number::Exact(value) => value.into(),
    }
}
