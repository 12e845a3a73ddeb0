//! The table `[tool.locust]` of a TOML file.

use toml::{Table, Value};

use super::{Setting, UsageError};

/// Its settings; none where there is no such table.
pub fn settings(text: &str) -> Result<Vec<(String, Setting)>, UsageError> {
    let whole: Table = text.parse().map_err(|error: toml::de::Error| {
        let place = error
            .span()
            .map_or(String::new(), |span| format!(" (line {})", 1 + text[..span.start].matches('\n').count()));
        UsageError(format!("Couldn't parse TOML file: {}{place}", error.message()))
    })?;
    let table = whole.get("tool").and_then(|tool| tool.get("locust")).and_then(Value::as_table);
    Ok(table.into_iter().flatten().map(|(key, value)| (key.clone(), setting(value))).collect())
}

fn setting(value: &Value) -> Setting {
    match value {
        Value::Array(items) => Setting::List(items.iter().map(as_text).collect()),
        value => Setting::Text(as_text(value)),
    }
}

/// A number and a word as they stand there; what has parts, as the settings of a user class, as JSON.
fn as_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Boolean(true) => "True".into(),
        Value::Boolean(false) => "False".into(),
        Value::Float(number) => format!("{number:?}"),
        Value::Array(_) | Value::Table(_) => serde_json::to_string(value).unwrap_or_default(),
        Value::Integer(number) => number.to_string(),
        Value::Datetime(time) => time.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_its_own_table_counts() {
        let text = "users = 1\n[tool.locust]\nusers = 3\nspawn-rate = 2.0\nheadless = true\ntags = ['a', 3]\n[tool.ruff]\nusers = 9";
        insta::assert_debug_snapshot!(settings(text).unwrap());
        assert_eq!(settings("[project]\nname = 'x'").unwrap(), []);
        assert_eq!(settings("[tool]\nlocust = {users = 3}").unwrap(), [("users".into(), Setting::Text("3".into()))]);
    }

    #[test]
    fn a_mistake_is_said_with_its_line() {
        assert!(settings("[tool.locust]\nusers = ").unwrap_err().0.starts_with("Couldn't parse TOML file: "));
        assert!(settings("[tool.locust]\nusers = ").unwrap_err().0.ends_with("(line 2)"));
    }
}
