//! What stands behind the command line: environment variables. Configuration files will be a layer here, between
//! the defaults and the environment.

use super::UsageError;
use super::args::{Kind, OPTIONS, USER_CLASSES, USER_CLASSES_ENV};
use super::parse::{Given, Layer};
use crate::stats::python_repr;

/// Where environment variables are looked up.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// What environment variables say of the options that were not typed.
pub fn environment(typed: &Layer, env: Env<'_>) -> Result<Layer, UsageError> {
    let mut layer = Layer::new();
    for option in OPTIONS.iter().filter(|option| !typed.contains_key(option.dest)) {
        let Some((name, text)) = option.env.and_then(|name| Some((name, env(name)?))) else { continue };
        let given = match option.kind {
            Kind::List => Some(Given::List(list(&text))),
            _ if option.takes_value() => Some(Given::Text(text)),
            _ => flag(name, &text)?.then_some(Given::Set),
        };
        layer.extend(given.map(|given| (option.dest, given)));
    }
    if let Some(classes) = env(USER_CLASSES_ENV).filter(|_| !typed.contains_key(USER_CLASSES)) {
        layer.insert(USER_CLASSES, Given::List(classes.split_whitespace().map(String::from).collect()));
    }
    Ok(layer)
}

fn flag(name: &str, text: &str) -> Result<bool, UsageError> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => {
            let text = python_repr(text);
            Err(UsageError(format!(
                "Unexpected value for {name}: {text}. Expecting 'true', 'false', 'yes', 'no', 'on', 'off', '1' or '0'"
            )))
        }
    }
}

/// `[a, b]` is two, anything else is one.
fn list(text: &str) -> Vec<String> {
    match text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(items) => items.split(',').map(|item| item.trim().to_owned()).collect(),
        None => vec![text.to_owned()],
    }
}
