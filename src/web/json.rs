//! JSON as Locust's server writes it: keys in order, indented by two.

use std::fmt::Write as _;

use bytes::Bytes;
use serde_json::Value;

use super::ready::Ready;
use crate::stats::Number;

pub fn pretty(mut value: Value) -> Bytes {
    value.sort_all_objects();
    let text = serde_json::to_string_pretty(&value).unwrap_or_default();
    ascii(&text).into()
}

/// What is no ASCII is escaped, as Flask does. Outside strings JSON has none of it.
fn ascii(text: &str) -> String {
    let mut ascii = String::with_capacity(text.len() + 1);
    for character in text.chars() {
        if character.is_ascii() {
            ascii.push(character);
        } else {
            let mut units = [0; 2];
            for unit in character.encode_utf16(&mut units) {
                // Writing to a string cannot fail.
                let _ = write!(ascii, "\\u{unit:04x}");
            }
        }
    }
    ascii.push('\n');
    ascii
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_as_flask_writes_it() {
        let text = pretty(json!({"b": [], "a": {"ä": "😀\n", "none": null}, "c": 1.0}));
        let flasks = "{\n  \"a\": {\n    \"none\": null,\n    \"\\u00e4\": \"\\ud83d\\ude00\\n\"\n  },\n  \"b\": [],\n  \"c\": 1.0\n}\n";
        assert_eq!(std::str::from_utf8(&text).unwrap(), flasks);
    }
}
