//! What is in the data of the messages that a master reads itself.

use std::sync::Arc;

use rmpv::Value;

use super::nodes::{Beat, Users};
use crate::cluster::message::field;
use crate::cluster::report::MOST_CLASSES;

/// How long a name may be, in bytes: as long as the longest that a connection can have.
pub const MOST_NAME: usize = 255;

/// What Python takes for false, as which a worker of times long past says what version it has.
pub fn is_falsy(value: &Value) -> bool {
    match value {
        Value::Nil => true,
        Value::Boolean(is_true) => !is_true,
        Value::Integer(_) | Value::F32(_) | Value::F64(_) => value.as_f64() == Some(0.0),
        Value::String(text) => text.as_bytes().is_empty(),
        Value::Binary(bytes) => bytes.is_empty(),
        Value::Array(items) => items.is_empty(),
        Value::Map(pairs) => pairs.is_empty(),
        Value::Ext(..) => false,
    }
}

/// A heartbeat; `None` where it lacks what Locust's master would need.
pub fn beat(data: &Value) -> Option<Beat<'_>> {
    let ours = field(data, crate::cluster::report::KEY);
    Some(Beat {
        state: field(data, "state")?.as_str().filter(|state| state.len() <= MOST_NAME)?,
        cpu: field(data, "current_cpu_usage")?.as_f64()?,
        memory: field(data, "current_memory_usage").and_then(Value::as_u64),
        is_ours: ours.is_some(),
        busy: ours.and_then(|ours| field(ours, "busy")).and_then(Value::as_f64).unwrap_or(0.0),
    })
}

/// How many users of each class run.
pub fn users(data: &Value) -> Option<Users> {
    let counts = field(data, "user_classes_count")?.as_map().filter(|counts| counts.len() <= MOST_CLASSES)?;
    counts.iter().map(|(name, count)| Some((Arc::from(name.as_str()?), count.as_u64()?))).collect()
}

/// Message and traceback of an exception.
pub fn exception(data: &Value) -> Option<(&str, &str)> {
    Some((field(data, "msg")?.as_str()?, field(data, "traceback")?.as_str()?))
}

/// A map with these keys.
pub fn map<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::Map(pairs.into_iter().map(|(key, value)| (key.into(), value)).collect())
}
