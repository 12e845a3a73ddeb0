//! What stands behind the command line: environment variables and configuration files, written out as if it had been typed.
//!
//! From strong to weak: what was typed, the environment, the file that `--config` names, `./pyproject.toml`,
//! `./locust.conf`, `~/.locust.conf`. What a stronger source has settled a weaker one does not touch, and a flag that is
//! switched off is settled, too. Nothing here knows what an option means: a locustfile's own are treated alike.

mod conf;
mod toml;

use std::path::{Path, PathBuf};

use super::UsageError;
use crate::stats::python_repr;

/// The files that are read without being asked for, from weak to strong.
pub const DEFAULT_FILES: [&str; 3] = ["~/.locust.conf", "locust.conf", "pyproject.toml"];

/// Where environment variables are looked up.
pub type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How a file's text is read.
pub type Files<'a> = &'a dyn Fn(&Path) -> std::io::Result<String>;

/// How an option is written when a source sets it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// It is there, or it is not.
    Nothing,
    /// `--x` and `--no-x`.
    BothWays,
    /// As often as it is there.
    Count,
    One,
    /// A value, or none.
    Perhaps,
    /// Several values after one name.
    Several,
    /// A value each time it is there.
    Repeated,
}

/// An option that a source may set.
#[derive(Debug, Clone)]
pub struct Settable {
    pub names: Vec<String>,
    pub takes: Takes,
    pub env: Option<String>,
    /// The names of others that exclude it: when a stronger source has set one, a weaker one's setting is no mistake.
    pub rivals: Vec<String>,
}

/// What a source says of one option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Setting {
    Text(String),
    List(Vec<String>),
}

/// Where settings come from.
pub struct Sources<'a> {
    pub env: Env<'a>,
    pub files: Files<'a>,
    /// From weak to strong. Those that are not there are passed over.
    pub default_files: &'a [String],
    /// The options that name a file: `--config`.
    pub file_options: &'a [String],
}

/// The arguments with all that the environment and the files add to them.
pub fn written_out(
    arguments: &[String],
    options: &[Settable],
    sources: &Sources<'_>,
) -> Result<Vec<String>, UsageError> {
    let mut words = Words { arguments: arguments.to_vec(), settled: Vec::new() };
    words.add(options, environment(options, sources.env))?;
    for path in files(&words.arguments, sources) {
        words.add(options, settings_of(&path, sources)?)?;
    }
    Ok(words.arguments)
}

/// One setting: the words of messages for where it stands, the option if it is one that is known, and what it is set to.
type Named<'a> = (String, Option<&'a Settable>, Setting);

struct Words {
    arguments: Vec<String>,
    /// Names that a source has settled, be it without a word.
    settled: Vec<String>,
}

impl Words {
    /// Add one source's settings to what stronger ones have said.
    fn add(&mut self, options: &[Settable], settings: Vec<(String, Setting)>) -> Result<(), UsageError> {
        let mut added = Vec::new();
        let mut names_here = Vec::new();
        for (key, option, setting) in settings.into_iter().map(|(key, setting)| known(options, key, setting)) {
            let names = option.map_or_else(|| vec![as_option(&key)], |option| option.names.clone());
            let rivals = option.map_or(&[][..], |option| &option.rivals);
            if !names.iter().chain(rivals).any(|name| self.has(name)) {
                added.extend(typed(&key, option, setting)?);
                names_here.extend(names);
            }
        }
        self.settled.extend(names_here);
        let place = self.place();
        self.arguments.splice(place..place, added);
        Ok(())
    }

    fn has(&self, name: &String) -> bool {
        let typed = |word: &String| word.split_once('=').map_or(word.as_str(), |(name, _)| name) == name.as_str();
        self.settled.contains(name) || self.arguments.iter().any(typed)
    }

    /// Before the first option, so that an option with several values swallows no user class, and what is typed comes
    /// last and wins.
    fn place(&self) -> usize {
        self.arguments.iter().position(|word| word.starts_with('-')).unwrap_or(self.arguments.len())
    }
}

fn known(options: &[Settable], key: String, setting: Setting) -> Named<'_> {
    let is_named = |option: &&Settable| {
        let long = || option.names.iter().filter(|name| name.starts_with("--"));
        option.env.as_ref() == Some(&key) || long().any(|name| *name == key || name[2..] == key)
    };
    let option = options.iter().find(is_named);
    (key, option, setting)
}

/// A key that no option has, as an option: it is refused with the others that nobody knows.
fn as_option(key: &str) -> String {
    format!("--{}", key.trim_matches('-'))
}

fn environment(options: &[Settable], env: Env<'_>) -> Vec<(String, Setting)> {
    let set = |option: &Settable| {
        let name = option.env.clone().filter(|_| !option.names.is_empty())?;
        let text = env(&name)?;
        let setting = match option.takes {
            Takes::Several | Takes::Repeated => conf::setting(&text),
            _ => Setting::Text(text),
        };
        Some((name, setting))
    };
    options.iter().filter_map(set).collect()
}

/// From strong to weak.
fn files(arguments: &[String], sources: &Sources<'_>) -> Vec<PathBuf> {
    let named = named_files(arguments, sources.file_options).into_iter().rev().map(|name| expanded(&name, sources.env));
    let defaults = sources.default_files.iter().rev().map(|name| expanded(name, sources.env));
    named.chain(defaults.filter(|path| path.is_file())).collect()
}

/// What each of the options that name a file names last.
fn named_files(arguments: &[String], options: &[String]) -> Vec<String> {
    let end = arguments.iter().position(|word| word == "--").unwrap_or(arguments.len());
    let value = |option: &String, index: usize| match arguments[index].strip_prefix(option.as_str())? {
        "" => arguments.get(index + 1).filter(|next| !next.starts_with('-')).cloned(),
        attached => attached.strip_prefix('=').map(String::from),
    };
    options.iter().filter_map(|option| (0..end).rev().find_map(|index| value(option, index))).collect()
}

fn expanded(name: &str, env: Env<'_>) -> PathBuf {
    match (name.strip_prefix("~/"), env("HOME")) {
        (Some(rest), Some(home)) => Path::new(&home).join(rest),
        _ => PathBuf::from(name),
    }
}

fn settings_of(path: &Path, sources: &Sources<'_>) -> Result<Vec<(String, Setting)>, UsageError> {
    let shown = path.display();
    let text = (sources.files)(path).map_err(|error| {
        UsageError(format!("Unable to open config file: {shown}. Error: {}", as_python(&error, path)))
    })?;
    let is_toml = path.extension().is_some_and(|extension| extension == "toml");
    if is_toml { toml::settings(&text) } else { conf::settings(&text, path) }
}

/// `[Errno 2] No such file or directory: 'x'`
fn as_python(error: &std::io::Error, path: &Path) -> String {
    let said = error.to_string();
    match error.raw_os_error() {
        Some(number) => {
            let said = said.split(" (os error").next().unwrap_or_default();
            format!("[Errno {number}] {said}: {}", python_repr(&path.to_string_lossy()))
        }
        None => said,
    }
}

/// A setting as it would be typed.
fn typed(key: &str, option: Option<&Settable>, setting: Setting) -> Result<Vec<String>, UsageError> {
    let Some(option) = option else {
        let values = match setting {
            Setting::Text(text) => vec![text],
            Setting::List(items) => items,
        };
        return Ok(values.into_iter().map(|value| format!("{}={value}", as_option(key))).collect());
    };
    let name = option.names.last().map_or("", String::as_str);
    let with_name = |value: String| format!("{name}={value}");
    match (option.takes, setting) {
        (Takes::Nothing, Setting::Text(text)) => Ok(flag(key, &text)?.then(|| name.to_owned()).into_iter().collect()),
        (Takes::BothWays, Setting::Text(text)) => Ok(vec![either_way(option, flag(key, &text)?)]),
        (Takes::Count, Setting::Text(text)) => match text.parse::<u16>() {
            Ok(times) => Ok(vec![name.to_owned(); times.into()]),
            Err(_) => Ok(flag(key, &text)?.then(|| name.to_owned()).into_iter().collect()),
        },
        (Takes::Several | Takes::Perhaps, Setting::Text(text)) if text.is_empty() => Ok(Vec::new()),
        (Takes::Repeated, Setting::List(items)) => Ok(items.into_iter().map(with_name).collect()),
        (Takes::Several, Setting::List(items)) => Ok(std::iter::once(name.to_owned()).chain(items).collect()),
        (_, Setting::Text(text)) => Ok(vec![with_name(text)]),
        (_, Setting::List(items)) => Err(UsageError(format!(
            "{key} can't be set to a list '[{}]' unless its action type is changed to 'append' or nargs is set to '*', '+', or > 1",
            items.iter().map(|item| python_repr(item)).collect::<Vec<_>>().join(", ")
        ))),
    }
}

fn either_way(option: &Settable, is_on: bool) -> String {
    let is_no = |name: &&String| name.starts_with("--no-");
    let name = option.names.iter().rfind(|name| is_no(name) != is_on).or(option.names.last());
    name.cloned().unwrap_or_default()
}

fn flag(key: &str, text: &str) -> Result<bool, UsageError> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => Err(UsageError(format!(
            "Unexpected value for {key}: '{text}'. Expecting 'true', 'false', 'yes', 'no', 'on', 'off', '1' or '0'"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;

    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(String::from).collect()
    }

    fn option(names: &str, takes: Takes, env: &str) -> Settable {
        Settable {
            names: words(names),
            takes,
            env: Some(env.to_owned()).filter(|env| !env.is_empty()),
            rivals: Vec::new(),
        }
    }

    /// The arguments written out, with these variables and files; `Err` is what is said.
    fn written(line: &str, sources: &[(&str, &str)]) -> Result<String, String> {
        let options = [
            option("-u --users", Takes::One, "USERS"),
            option("--headless", Takes::Nothing, "HEADLESS"),
            option("-T --tags", Takes::Several, "TAGS"),
            option("--add", Takes::Repeated, "ADD"),
            option("--cache --no-cache", Takes::BothWays, "CACHE"),
            option("-v", Takes::Count, "LOUD"),
            option("--maybe", Takes::Perhaps, "MAYBE"),
        ];
        let given: HashMap<&str, &str> = sources.iter().copied().collect();
        let env = |name: &str| given.get(name).map(|text| (*text).to_owned());
        let files = |path: &Path| env(&path.to_string_lossy()).ok_or_else(|| std::io::Error::from_raw_os_error(2));
        let sources = Sources { env: &env, files: &files, default_files: &[], file_options: &["--config".to_owned()] };
        written_out(&words(line), &options, &sources).map(|words| words.join(" ")).map_err(|error| error.0)
    }

    #[test]
    fn the_environment_comes_before_what_is_typed() {
        let variables = [("USERS", "7"), ("TAGS", "[a, b]"), ("HEADLESS", "yes")];
        assert_eq!(written("A", &variables).unwrap(), "A --users=7 --headless --tags a b");
        assert_eq!(written("A -u 3 -- B", &variables).unwrap(), "A --headless --tags a b -u 3 -- B");
        assert_eq!(written("-- B", &variables).unwrap(), "--users=7 --headless --tags a b -- B");
        assert_eq!(written("--user 3", &variables[..1]).unwrap(), "--users=7 --user 3");
    }

    #[test]
    fn every_kind_of_option_is_written_its_own_way() {
        let said: Vec<String> = [
            ("ADD", "[a, b]"),
            ("ADD", "a"),
            ("ADD", ""),
            ("MAYBE", ""),
            ("MAYBE", "x"),
            ("CACHE", "off"),
            ("CACHE", "on"),
            ("LOUD", "3"),
            ("LOUD", "yes"),
            ("LOUD", "x"),
            ("HEADLESS", "no"),
            ("HEADLESS", ""),
            ("TAGS", "a b"),
            ("USERS", "[1, 2]"),
            ("USERS", ""),
        ]
        .into_iter()
        .map(|(name, text)| format!("{name}={text}: {:?}", written("", &[(name, text)])))
        .collect();
        insta::assert_snapshot!(said.join("\n"));
    }

    #[test]
    fn a_file_says_what_is_not_said_yet() {
        let file = ("my.conf", "users = 5\nheadless\ntags = [a, b]\nmine = 3\nu = [1, 2]\n");
        let expected = "--users=5 --headless --tags a b --mine=3 --u=1 --u=2 --config my.conf";
        assert_eq!(written("--config my.conf", &[file]).unwrap(), expected);
        let switched_off = [file, ("HEADLESS", "no"), ("USERS", "7")];
        let expected = "--tags a b --mine=3 --u=1 --u=2 --users=7 --config=my.conf";
        assert_eq!(written("--config=my.conf", &switched_off).unwrap(), expected);
        let said = written("--config nowhere", &[]).unwrap_err();
        assert_eq!(said, "Unable to open config file: nowhere. Error: [Errno 2] No such file or directory: 'nowhere'");
    }
}
