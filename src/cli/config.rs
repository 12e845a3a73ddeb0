//! What stands behind the command line: environment variables. Configuration files will be a layer here, between
//! the defaults and the environment; until then one that sets anything is refused, not ignored.

use std::path::Path;

use super::UsageError;
use super::args::{Kind, OPTIONS, USER_CLASSES, USER_CLASSES_ENV};
use super::parse::{Given, Layer};
use crate::stats::python_repr;

/// Where environment variables are looked up.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How a file's text is looked up: `None` where there is no such file.
pub type Files<'a> = &'a dyn Fn(&Path) -> Option<String>;

/// Refuse the files that Locust reads without being told to, where they set an option.
pub fn refuse_default_files(env: Env<'_>, files: Files<'_>) -> Result<(), UsageError> {
    let sets = |path: &Path, sets_options: fn(&str) -> bool| files(path).is_some_and(|text| sets_options(&text));
    let refused = if env("HOME").is_some_and(|home| sets(&Path::new(&home).join(".locust.conf"), conf_sets_options)) {
        ("`~/.locust.conf`", "move the file away")
    } else if sets(Path::new("locust.conf"), conf_sets_options) {
        ("`./locust.conf`", "move the file away")
    } else if sets(Path::new("pyproject.toml"), pyproject_sets_options) {
        ("`[tool.locust]` in `./pyproject.toml`", "take the table out")
    } else {
        return Ok(());
    };
    let ((what, instead), version) = (refused, env!("CARGO_PKG_VERSION"));
    Err(UsageError(format!(
        "{what} is not read yet by gregaria {version}; give its options on the command line or as `LOCUST_…` \
         environment variables, and {instead}"
    )))
}

/// Whether there is more than comments, rules and section names, which Locust takes for comments, too.
fn conf_sets_options(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim);
    lines.any(|line| !line.is_empty() && !line.starts_with(['#', ';', '[']) && !line.starts_with("---"))
}

/// Whether there is a line in a table `tool.locust`. Not a whole reader of TOML for a file that is only refused: a
/// table written another way (`locust = {…}` within `[tool]`) is not seen.
fn pyproject_sets_options(text: &str) -> bool {
    let mut lines = text.lines().map(str::trim).skip_while(|line| !opens_tool_locust(line)).skip(1);
    let mut table = lines.by_ref().take_while(|line| !line.starts_with('['));
    table.any(|line| !line.is_empty() && !line.starts_with('#'))
}

fn opens_tool_locust(line: &str) -> bool {
    let name: String = line.chars().filter(|c| !c.is_whitespace() && !matches!(c, '"' | '\'')).collect();
    name.split('#').next() == Some("[tool.locust]")
}

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

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said where `path` is the only file there is.
    fn said_of(path: &str, text: &str) -> Result<(), String> {
        let home = |name: &str| (name == "HOME").then(|| "/home/me".to_owned());
        let files = |asked: &Path| (asked == Path::new(path)).then(|| text.to_owned());
        refuse_default_files(&home, &files).map_err(|error| error.0)
    }

    #[test]
    fn a_file_that_sets_something_is_refused_by_name() {
        let said = [
            said_of("/home/me/.locust.conf", "users = 5"),
            said_of("locust.conf", "# ours\n\nheadless"),
            said_of("pyproject.toml", "[project]\nname = \"x\"\n[ tool.\"locust\" ] # ours\n\nusers = 5\n[tool.ruff]"),
        ];
        insta::assert_snapshot!(said.map(Result::unwrap_err).join("\n").replace(env!("CARGO_PKG_VERSION"), "VERSION"), @r"
        `~/.locust.conf` is not read yet by gregaria VERSION; give its options on the command line or as `LOCUST_…` environment variables, and move the file away
        `./locust.conf` is not read yet by gregaria VERSION; give its options on the command line or as `LOCUST_…` environment variables, and move the file away
        `[tool.locust]` in `./pyproject.toml` is not read yet by gregaria VERSION; give its options on the command line or as `LOCUST_…` environment variables, and take the table out
        ");
    }

    #[test]
    fn a_file_that_sets_nothing_is_no_reason_to_stop() {
        for text in ["", "\n# users = 5\n  ; users = 5\n[locust]\n--- \n"] {
            assert_eq!(said_of("locust.conf", text), Ok(()), "{text}");
        }
        for text in ["", "users = 5", "[tool.locusts]\na = 1", "[tool.locust]\n# users = 5\n\n[tool.ruff]\nusers = 5"] {
            assert_eq!(said_of("pyproject.toml", text), Ok(()), "{text}");
        }
    }
}
