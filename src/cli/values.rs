//! What the text of an option stands for, and what is wrong with one that stands for nothing.

use super::args::{Kind, LOG_LEVELS, OPTIONS, Spec, USER_CLASSES};
use super::{Options, UsageError, Value};
use crate::stats::python_repr;
use crate::verdict::Check;

/// Every option as it is when nobody sets it.
pub fn defaults() -> Options {
    let classes = (USER_CLASSES, Value::List(Vec::new()));
    settable().map(|option| (option.dest, option.default())).chain([classes]).collect()
}

/// All but those that are answered at once.
fn settable() -> impl Iterator<Item = &'static Spec> {
    OPTIONS.iter().filter(|option| !matches!(option.dest, "help" | "version"))
}

/// The value of `option` when it is given `text`. What is wrong is said as argparse says it, for scripts look for that.
pub fn value(option: &Spec, text: &str) -> Result<Value, UsageError> {
    let value = match option.kind {
        Kind::Int => int(text).map(Value::Int),
        Kind::Positive => positive(option, text).map(Value::Int),
        Kind::Rate => rate(text).map(Value::Float),
        Kind::TimeSpan => time_span(text).map(Value::Int),
        Kind::LogLevel => log_level(text).map(Value::Text),
        Kind::Seed => seed(text),
        Kind::Each => check(text),
        Kind::Flag | Kind::Text | Kind::List | Kind::EachText | Kind::Removed { .. } => Ok(Value::Text(text.into())),
    };
    value.map_err(UsageError)
}

/// One that cannot be understood shall not be found out at the end of a run.
fn check(text: &str) -> Result<Value, String> {
    Check::parse(text).map(|_| Value::Text(text.into())).map_err(|mistake| mistake.to_string())
}

fn int(text: &str) -> Result<i64, String> {
    text.trim().replace('_', "").parse().map_err(|_| format!("invalid int value: {}", python_repr(text)))
}

fn positive(option: &Spec, text: &str) -> Result<i64, String> {
    let number = int(text)?;
    if number < 1 {
        return Err(format!("Invalid {} argument ({number}), must be a positive number", option.long()));
    }
    Ok(number)
}

fn rate(text: &str) -> Result<f64, String> {
    let number: f64 = text.trim().parse().map_err(|_| format!("invalid float value: {}", python_repr(text)))?;
    match number {
        _ if !number.is_finite() => Err("must be a finite number".into()),
        _ if number <= 0.0 => Err("must be > 0".into()),
        _ => Ok(number),
    }
}

fn seed(text: &str) -> Result<Value, String> {
    match text.trim() {
        "auto" => Ok(Value::Text("auto".into())),
        digits => digits.parse().ok().filter(|number| *number >= 0).map(Value::Int).ok_or_else(|| {
            format!("expected a whole number from 0 to {}, or `auto`, not {}", i64::MAX, python_repr(text))
        }),
    }
}

/// Digits alone are seconds; else hours, minutes and seconds, each at most once and in this order.
fn time_span(text: &str) -> Result<i64, String> {
    let invalid = || "Invalid time span format. Valid formats: 20, 20s, 3m, 2h, 1h20m, 3h30m10s, etc.".to_owned();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        return text.parse().map_err(|_| invalid());
    }
    let (mut rest, mut seconds) = (text, 0);
    for (unit, size) in [('h', 3600), ('m', 60), ('s', 1)] {
        let Some((digits, after)) = rest.split_once(unit) else { continue };
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        seconds += digits.parse::<i64>().map_err(|_| invalid())?.checked_mul(size).ok_or_else(invalid)?;
        rest = after;
    }
    if text.is_empty() || !rest.is_empty() { Err(invalid()) } else { Ok(seconds) }
}

fn log_level(text: &str) -> Result<String, String> {
    let level = text.to_uppercase();
    if LOG_LEVELS.contains(&level.as_str()) {
        return Ok(level);
    }
    let known: Vec<String> = LOG_LEVELS.into_iter().map(python_repr).collect();
    Err(format!("invalid choice: {} (choose from {})", python_repr(&level), known.join(", ")))
}

#[cfg(test)]
mod tests {
    use super::super::args::named;
    use super::*;

    fn said(option: &str, text: &str) -> String {
        match value(named(option).unwrap(), text) {
            Ok(value) => format!("{value:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn defaults_are_locusts() {
        insta::assert_debug_snapshot!("defaults", defaults());
    }

    #[test]
    fn texts_stand_for_what_they_stand_for_in_locust() {
        let given = [
            ("-u", "5 1_0 x 1.5 -1"),
            ("-r", "2 2.5 1e3 0 -1 inf nan 1e400 x"),
            ("-t", "20 20s 3m 2h 1h20m 3h30m10s 0 1h30 1m1h 1.5h 1H -5"),
            ("-L", "debug INFO trace"),
            ("--expect-workers", "1 0 -3 x"),
            ("--seed", "7 auto -1 x 1.5 9223372036854775808"),
            ("-H", "http://host"),
        ];
        let one = |option: &str, text: &str| format!("{option} {text}\n  -> {}", said(option, text));
        let said: Vec<String> =
            given.iter().flat_map(|(option, texts)| texts.split(' ').map(|text| one(option, text))).collect();
        insta::assert_snapshot!("texts", said.join("\n"));
    }

    #[test]
    fn nothing_is_no_number_and_no_time() {
        for option in ["-u", "-r", "-t", "--seed"] {
            assert!(value(named(option).unwrap(), "").is_err(), "{option}");
        }
    }
}
