//! `locust.conf`: a line an option, `key = value` in a few spellings.

use std::path::Path;

use super::{Setting, UsageError};

/// The settings of a file, each once: the last line of a key counts.
pub fn settings(text: &str, path: &Path) -> Result<Vec<(String, Setting)>, UsageError> {
    let mut settings: Vec<(String, Setting)> = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with(['#', ';', '[']) || line.starts_with("---") {
            continue;
        }
        let (key, value) = key_and_value(line)
            .ok_or_else(|| UsageError(format!("Unexpected line {number} in {}: {line}", path.display())))?;
        match settings.iter_mut().find(|(known, _)| *known == key) {
            Some((_, before)) => *before = setting(value),
            None => settings.push((key.to_owned(), setting(value))),
        }
    }
    Ok(settings)
}

/// `[a, b]` is several, by JSON's rules or split at the commas; anything else is one.
pub fn setting(text: &str) -> Setting {
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(items) => Setting::List(from_json(text).unwrap_or_else(|| split(items))),
        None => Setting::Text(text.to_owned()),
    }
}

fn split(items: &str) -> Vec<String> {
    items.split(',').map(|item| item.trim().to_owned()).collect()
}

fn from_json(text: &str) -> Option<Vec<String>> {
    let items: Vec<serde_json::Value> = serde_json::from_str(text).ok()?;
    Some(items.into_iter().map(as_text).collect())
}

/// As Python would write it, but what is itself of several parts, which stays what it is: settings of a user class.
fn as_text(item: serde_json::Value) -> String {
    match item {
        serde_json::Value::String(text) => text,
        serde_json::Value::Bool(true) => "True".into(),
        serde_json::Value::Bool(false) => "False".into(),
        serde_json::Value::Null => "None".into(),
        other => other.to_string(),
    }
}

/// `key = value`, `key: value`, `key value`, `key =`, `key`; `None` for what is none of these.
fn key_and_value(line: &str) -> Option<(&str, &str)> {
    let end = line.find(|c: char| c.is_whitespace() || ":=;#".contains(c)).unwrap_or(line.len());
    let (key, rest) = line.split_at(end);
    if key.is_empty() {
        return None;
    }
    let after = rest.trim_start();
    match after.strip_prefix([':', '=']) {
        Some(value) => Some((key, unquoted(value.trim_start()))),
        None if rest.is_empty() => Some((key, "true")),
        None if after.len() < rest.len() => Some((key, unquoted(after))),
        None => None,
    }
}

/// Without the quotes around it, and without what is said of it after ` #` or ` ;`.
fn unquoted(text: &str) -> &str {
    let quoted = text.strip_prefix(['\'', '"']).and_then(|inner| {
        let quote = text.chars().next()?;
        let mut closing = inner.match_indices(quote).map(|(at, _)| at);
        closing.find(|at| ends(&inner[at + 1..])).map(|at| &inner[..at])
    });
    quoted.unwrap_or_else(|| {
        let mut starts = text.char_indices().skip(1).map(|(at, _)| at);
        let end = starts.find(|at| ends(&text[*at..])).unwrap_or(text.len());
        &text[..end]
    })
}

/// Whether nothing follows but a comment.
fn ends(rest: &str) -> bool {
    let after = rest.trim_start();
    after.is_empty() || (after.len() < rest.len() && after.starts_with(['#', ';']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_spelling_of_a_line() {
        let lines = [
            "users = 5",
            "users: 5",
            "users 5",
            "--users 5",
            "users=5",
            "headless",
            "host =",
            "host = \"\"",
            "host = 'a b' ; c",
            "host = 'a b",
            "host: a#b",
            "host = a b # c",
            "headless # c",
            "host = # c",
            "tags = [a, b ]",
            "tags = [1, \"b\", true]",
            "tags = []",
            "config-users = [{\"weight\": 1}]",
            "host = it's 'so'",
            "a;b",
            "=x",
            "a = \"b\" c\"",
        ];
        let said = lines.map(|line| match settings(line, Path::new("locust.conf")) {
            Ok(settings) => format!("{line:<35} {:?}", settings[0]),
            Err(error) => format!("{line:<35} {error}"),
        });
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn what_is_no_setting_is_passed_over_and_the_last_one_counts() {
        let text = "\n[locust]\n---\n; users = 1\n#users = 2\n  users = 3\nusers = 4\n";
        assert_eq!(settings(text, Path::new("x")).unwrap(), [("users".into(), Setting::Text("4".into()))]);
    }
}
