//! What was typed, option by option, as text. Abbreviations are written out here, and every mistake is worded as
//! argparse words it, because scripts look for that.

use std::collections::BTreeMap;

use clap::error::{ContextKind, ContextValue};

use super::args::{self, Kind, OPTIONS, Spec, USER_CLASSES};
use super::{UsageError, config, suggest};
use crate::stats::python_repr;

/// The texts that an option was given, or that it was given at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Given {
    Set,
    Text(String),
    List(Vec<String>),
}

/// What one source says of the options, by destination.
pub type Layer = BTreeMap<&'static str, Given>;

/// What must be known before the locustfile is read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstPass {
    pub help: bool,
    pub version: bool,
    pub locustfile: String,
    /// As it was typed: what is wrong with it is said when all options are known, for it may be the locustfile's own.
    pub seed: Option<String>,
}

/// The options that the first pass knows; abbreviations are among these only.
const FIRST: [&str; 9] =
    ["help", "locustfile", "config", "version", "worker", "master", "master_host", "master_port", "random_seed"];

/// Find the few options of [`FirstPass`] and tolerate all else: a locustfile may declare more. A run is refused here
/// where a configuration file awaits it, because that could name the locustfile.
pub fn first_pass(
    arguments: &[String],
    env: config::Env<'_>,
    files: config::Files<'_>,
) -> Result<FirstPass, UsageError> {
    let known = || OPTIONS.iter().filter(|option| FIRST.contains(&option.dest));
    let mut pass = FirstPass { help: false, version: false, locustfile: String::new(), seed: None };
    let mut typed = arguments.iter().take_while(|argument| *argument != "--").peekable();
    while let Some(argument) = typed.next() {
        let Some((option, value)) = find(argument, known())? else { continue };
        let value = match value {
            Some(_) if !option.takes_value() => continue,
            None if option.takes_value() => Some(
                typed
                    .next_if(|next| !looks_like_option(next))
                    .cloned()
                    .ok_or_else(|| UsageError::argument(option, "expected one argument"))?,
            ),
            value => value,
        };
        match option.dest {
            "help" => pass.help = true,
            "version" => pass.version = true,
            "locustfile" => pass.locustfile = value.unwrap_or_default(),
            "random_seed" => pass.seed = value,
            _ => {}
        }
    }
    if !pass.help && !pass.version {
        config::refuse_default_files(env, files)?;
    }
    if pass.locustfile.is_empty() {
        pass.locustfile = env("LOCUST_LOCUSTFILE").unwrap_or_else(|| "locustfile.py".into());
    }
    pass.seed = pass.seed.or_else(|| env("LOCUST_SEED"));
    Ok(pass)
}

/// Everything on the command line.
pub fn typed(arguments: &[String]) -> Result<Layer, UsageError> {
    let written_out = write_out(arguments)?;
    let matches = args::command()
        .try_get_matches_from(std::iter::once("locust".to_owned()).chain(written_out))
        .map_err(|error| translate(&error))?;
    let mut layer = Layer::new();
    for option in OPTIONS {
        if matches.value_source(option.dest) == Some(clap::parser::ValueSource::CommandLine) {
            layer.insert(option.dest, given(option, &matches));
        }
    }
    let classes: Vec<String> = matches.get_many(USER_CLASSES).into_iter().flatten().cloned().collect();
    if !classes.is_empty() {
        layer.insert(USER_CLASSES, Given::List(classes));
    }
    Ok(layer)
}

fn given(option: &Spec, matches: &clap::ArgMatches) -> Given {
    match option.kind {
        Kind::List => Given::List(matches.get_many(option.dest).into_iter().flatten().cloned().collect()),
        _ if option.takes_value() => Given::Text(matches.get_one::<String>(option.dest).cloned().unwrap_or_default()),
        _ => Given::Set,
    }
}

/// Replace abbreviations by what they stand for; refuse what is unknown.
fn write_out(arguments: &[String]) -> Result<Vec<String>, UsageError> {
    let (mut written_out, mut unknown) = (Vec::new(), Vec::new());
    let end = arguments.iter().position(|argument| argument == "--").unwrap_or(arguments.len());
    for argument in &arguments[..end] {
        if !looks_like_option(argument) {
            written_out.push(argument.clone());
            continue;
        }
        match find(argument, OPTIONS.iter())? {
            None => unknown.push(argument.as_str()),
            Some((option, Some(value))) if !option.takes_value() => {
                return Err(UsageError::argument(
                    option,
                    &format!("ignored explicit argument {}", python_repr(&value)),
                ));
            }
            Some((option, Some(value))) => written_out.push(format!("{}={value}", option.long())),
            Some((option, None)) => written_out.push(option.long().into()),
        }
    }
    if let Some(first) = unknown.first() {
        let names = OPTIONS.iter().flat_map(|option| option.names).copied();
        let hint = suggest::nearest(first, names).map_or(String::new(), |name| format!("\nDid you mean '{name}'?"));
        return Err(UsageError(format!("unrecognized arguments: {}{hint}", unknown.join(" "))));
    }
    written_out.extend_from_slice(&arguments[end..]);
    Ok(written_out)
}

/// The option that an argument names, in full or by an unambiguous beginning, and the value attached to it.
fn find<'a>(
    argument: &str,
    known: impl Iterator<Item = &'a Spec>,
) -> Result<Option<(&'a Spec, Option<String>)>, UsageError> {
    if !looks_like_option(argument) {
        return Ok(None);
    }
    if !argument.starts_with("--") {
        return Ok(find_short(argument, known));
    }
    let (name, value) =
        argument.split_once('=').map_or((argument, None), |(name, value)| (name, Some(value.to_owned())));
    let candidates: Vec<&Spec> = known.filter(|option| option.long().starts_with(name)).collect();
    let exact = candidates.iter().copied().find(|option| option.long() == name);
    match (exact, candidates.as_slice()) {
        (Some(option), _) => Ok(Some((option, value))),
        (None, [option]) => Ok(Some((*option, value))),
        (None, []) => Ok(None),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|option| option.long()).collect();
            Err(UsageError(format!("ambiguous option: {name} could match {}", names.join(", "))))
        }
    }
}

/// `-u`, `-u5` or `-u=5`.
fn find_short<'a>(argument: &str, mut known: impl Iterator<Item = &'a Spec>) -> Option<(&'a Spec, Option<String>)> {
    let mut letters = argument[1..].chars();
    let letter = letters.next()?;
    let option = known.find(|option| option.short() == Some(letter))?;
    let rest = letters.as_str();
    let value = rest.strip_prefix('=').unwrap_or(rest);
    Some((option, (!rest.is_empty()).then(|| value.to_owned())))
}

/// A dash begins an option, unless a number follows, or there is a space in it.
fn looks_like_option(argument: &str) -> bool {
    argument.len() > 1 && argument.starts_with('-') && argument.parse::<f64>().is_err() && !argument.contains(' ')
}

/// What is left for clap to find wrong: an option without its value.
fn translate(error: &clap::Error) -> UsageError {
    let Some(ContextValue::String(argument)) = error.get(ContextKind::InvalidArg) else {
        return UsageError(error.to_string().trim().to_owned());
    };
    let name = argument.split([' ', '=']).next().unwrap_or_default();
    args::named(name).map_or_else(
        || UsageError(format!("unrecognized arguments: {argument}")),
        |option| UsageError::argument(option, "expected one argument"),
    )
}
