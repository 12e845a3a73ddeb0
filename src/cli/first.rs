//! What must be known before a locustfile is read. The locustfile may declare options, so all others are tolerated.

use super::args::{OPTIONS, Spec};
use super::config::{self, Settable, Sources, Takes};
use super::{UsageError, Value, values};
use crate::stats::python_repr;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FirstPass {
    pub help: bool,
    pub version: bool,
    pub worker: bool,
    /// `None`: nobody says.
    pub locustfile: Option<String>,
    /// As it was given: what is wrong with it is said when all options are known, for it may be the locustfile's own.
    pub seed: Option<String>,
    /// Whom a worker asks for its locustfile.
    pub master_host: String,
    pub master_port: i64,
    /// What the two encrypt their messages with.
    pub cluster_key: Option<String>,
}

impl Default for FirstPass {
    fn default() -> Self {
        let (help, version, worker, locustfile, seed, cluster_key) = Default::default();
        let (mut master_host, mut master_port) = Default::default();
        for option in known() {
            match (option.dest, option.default()) {
                ("master_host", Value::Text(host)) => master_host = host,
                ("master_port", Value::Int(port)) => master_port = port,
                _ => {}
            }
        }
        Self { help, version, worker, locustfile, seed, master_host, master_port, cluster_key }
    }
}

/// The options that the first pass knows; abbreviations are among these only.
const FIRST: [&str; 10] = [
    "help",
    "locustfile",
    "config",
    "version",
    "worker",
    "master",
    "master_host",
    "master_port",
    "cluster_key",
    "random_seed",
];

pub fn first_pass(arguments: &[String], sources: &Sources<'_>) -> Result<FirstPass, UsageError> {
    // Nobody asks for help in a file: that is said as of any other word after it.
    let settable: Vec<Settable> =
        known().filter(|option| !matches!(option.dest, "help" | "version")).map(Settable::from).collect();
    let arguments = config::written_out(arguments, &settable, sources)?;
    let mut pass = FirstPass::default();
    let mut words = arguments.iter().take_while(|argument| *argument != "--").peekable();
    while let Some(word) = words.next() {
        let Some((option, attached)) = find(word)? else { continue };
        let text = match attached {
            Some(text) if !option.takes_value() => {
                return Err(UsageError::argument(option, &format!("ignored explicit argument {}", python_repr(&text))));
            }
            None if option.takes_value() => words
                .next_if(|next| !looks_like_option(next))
                .ok_or_else(|| UsageError::argument(option, "expected one argument"))?
                .clone(),
            attached => attached.unwrap_or_default(),
        };
        pass.take(option, text)?;
    }
    Ok(pass)
}

impl FirstPass {
    fn take(&mut self, option: &Spec, text: String) -> Result<(), UsageError> {
        match option.dest {
            "help" => self.help = true,
            "version" => self.version = true,
            "worker" => self.worker = true,
            "locustfile" => self.locustfile = Some(text),
            "random_seed" => self.seed = Some(text),
            "master_host" => self.master_host = text,
            "cluster_key" => self.cluster_key = Some(text),
            _ => {
                let value = values::value(option, &text).map_err(|error| UsageError::argument(option, &error.0))?;
                if let Value::Int(port) = value {
                    self.master_port = port;
                }
            }
        }
        Ok(())
    }
}

impl From<&Spec> for Settable {
    fn from(option: &Spec) -> Self {
        Self {
            names: option.names.iter().map(ToString::to_string).collect(),
            takes: if option.takes_value() { Takes::One } else { Takes::Nothing },
            env: option.env.map(String::from),
            rivals: Vec::new(),
        }
    }
}

fn known() -> impl Iterator<Item = &'static Spec> {
    OPTIONS.iter().filter(|option| FIRST.contains(&option.dest))
}

/// The option that a word names, in full or by an unambiguous beginning, and the value attached to it.
fn find(word: &str) -> Result<Option<(&'static Spec, Option<String>)>, UsageError> {
    if !looks_like_option(word) {
        return Ok(None);
    }
    if !word.starts_with("--") {
        return Ok(find_short(word));
    }
    let (name, value) = word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value.to_owned())));
    let candidates: Vec<&Spec> = known().filter(|option| option.long().starts_with(name)).collect();
    let exact = candidates.iter().copied().find(|option| option.long() == name);
    // Locust has no option of ours: it is written in full, or not meant.
    let theirs: Vec<&Spec> = candidates.into_iter().filter(|option| !option.is_ours).collect();
    match (exact, theirs.as_slice()) {
        (Some(option), _) => Ok(Some((option, value))),
        (None, [option]) => Ok(Some((*option, value))),
        (None, []) => Ok(None),
        (None, several) => {
            let names: Vec<&str> = several.iter().map(|option| option.long()).collect();
            Err(UsageError(format!("ambiguous option: {word} could match {}", names.join(", "))))
        }
    }
}

/// `-f`, `-fx.py` or `-f=x.py`.
fn find_short(word: &str) -> Option<(&'static Spec, Option<String>)> {
    let mut letters = word[1..].chars();
    let letter = letters.next()?;
    let option = known().find(|option| option.short() == Some(letter))?;
    let rest = letters.as_str();
    let value = rest.strip_prefix('=').unwrap_or(rest);
    Some((option, (!rest.is_empty()).then(|| value.to_owned())))
}

/// A dash begins an option, unless a number follows, or there is a space before any `=`.
fn looks_like_option(word: &str) -> bool {
    let is_number = word.len() > 1 && word[1..].bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let name = word.split('=').next().unwrap_or_default();
    word.len() > 1 && word.starts_with('-') && !is_number && !name.contains(' ')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(line: &str, variables: &[(&str, &str)]) -> Result<FirstPass, String> {
        let words: Vec<String> = line.split_whitespace().map(String::from).collect();
        let env = |name: &str| variables.iter().find(|(known, _)| *known == name).map(|(_, text)| (*text).to_owned());
        let files = |_: &std::path::Path| Err(std::io::Error::from_raw_os_error(2));
        first_pass(&words, &Sources { env: &env, files: &files, default_files: &[], file_options: &[] })
            .map_err(|error| error.0)
    }

    #[test]
    fn what_it_does_not_know_it_tolerates() {
        let expected = FirstPass { locustfile: Some("shop.py".into()), ..FirstPass::default() };
        assert_eq!(with("--mine 3 -fshop.py -u x", &[]).unwrap(), expected);
        assert_eq!(with("-T a b --locust=shop.py -- --help", &[]).unwrap(), expected);
        assert!(with("--bogus --vers", &[]).unwrap().version);
        assert_eq!(with("--seed=7 --other", &[]).unwrap().seed, Some("7".into()));
        assert_eq!(with("--see 7", &[]).unwrap().seed, None);
    }

    #[test]
    fn what_it_knows_it_checks() {
        let lines = ["-f", "--mast", "--mast=3", "--master-port x", "--worker=1", "--master-host"];
        let said: Vec<String> = lines.map(|line| with(line, &[]).unwrap_err()).into();
        insta::assert_snapshot!(said.join("\n"), @r"
        argument -f/--locustfile: expected one argument
        ambiguous option: --mast could match --master, --master-host, --master-port
        ambiguous option: --mast=3 could match --master, --master-host, --master-port
        argument --master-port: invalid int value: 'x'
        argument --worker: ignored explicit argument '1'
        argument --master-host: expected one argument
        ");
    }

    #[test]
    fn the_environment_names_the_locustfile_too() {
        let variables = [("LOCUST_LOCUSTFILE", "a.py"), ("LOCUST_MODE_WORKER", "true"), ("LOCUST_SEED", "3")];
        let pass = with("", &variables).unwrap();
        assert_eq!((pass.locustfile.as_deref(), pass.worker, pass.seed.as_deref()), (Some("a.py"), true, Some("3")));
        assert_eq!(with("-f b.py", &variables).unwrap().locustfile.as_deref(), Some("b.py"));
        assert_eq!(with("", &[]).unwrap(), FirstPass::default());
        let pass = with("--master-port 7 --cluster-key=k", &[("LOCUST_MASTER_NODE_HOST", "lead")]).unwrap();
        assert_eq!((pass.master_host.as_str(), pass.master_port, pass.cluster_key), ("lead", 7, Some("k".into())));
    }
}
