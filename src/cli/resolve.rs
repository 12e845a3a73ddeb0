//! Precedence and checks: the command line before the environment before the defaults, every text made what it
//! stands for, and whatever is not there yet refused by name.

use super::args::{self, Kind, LOG_LEVELS, OPTIONS, Spec, USER_CLASSES};
use super::parse::{Given, typed};
use super::{Options, UsageError, Value, config};
use crate::stats::python_repr;

/// Options whose feature is still to come, and what to do until then.
const NOT_BUILT: [(&str, &str); 9] = [
    ("config", "give the options on the command line or as environment variables"),
    ("config_users", "set the attributes in the locustfile"),
    ("autostart", "use `--headless`"),
    ("class_picker", "name the user classes on the command line"),
    ("master", "run without it: one process uses all cores for sending and receiving"),
    ("worker", "run without it: one process uses all cores for sending and receiving"),
    ("processes", "run without it: one process uses all cores for sending and receiving"),
    ("html_file", "use `--csv`"),
    ("equal_weights", "set the weights in the locustfile"),
];

/// The options of a run, from what was typed and the environment.
pub fn resolve(arguments: &[String], env: config::Env<'_>) -> Result<Options, UsageError> {
    let mut given = typed(arguments)?;
    given.extend(config::environment(&given, env)?);
    let mut options = defaults();
    for option in settable() {
        if let Some(given) = given.remove(option.dest) {
            options.insert(option.dest, convert(option, given)?);
        }
    }
    if let Some(Given::List(classes)) = given.remove(USER_CLASSES) {
        options.insert(USER_CLASSES, Value::List(classes));
    }
    Ok(options)
}

/// Every option as it is when nobody sets it.
pub fn defaults() -> Options {
    let classes = (USER_CLASSES, Value::List(Vec::new()));
    settable().map(|option| (option.dest, option.default())).chain([classes]).collect()
}

/// All but those that are answered at once.
fn settable() -> impl Iterator<Item = &'static Spec> {
    OPTIONS.iter().filter(|option| !matches!(option.dest, "help" | "version"))
}

/// Refuse a run that cannot be, by the destinations of the options that are set.
pub fn check(set: &[String]) -> Result<(), UsageError> {
    let is_set = |dest: &str| set.iter().any(|other| other == dest);
    if is_set("stats_history_enabled") && !is_set("csv_prefix") {
        return Err(UsageError("'--csv-full-history' requires '--csv'.".into()));
    }
    if let Some((dest, instead)) =
        NOT_BUILT.into_iter().chain([("otel", "leave it out")]).find(|(dest, _)| is_set(dest))
    {
        let name = args::with_dest(dest).long();
        return Err(UsageError(format!(
            "`{name}` is not there yet in gregaria {}; {instead}",
            env!("CARGO_PKG_VERSION")
        )));
    }
    let shows_only = ["list_commands", "show_task_ratio", "show_task_ratio_json"].into_iter().any(is_set);
    if !shows_only && (!is_set("headless") || is_set("headful")) {
        let version = env!("CARGO_PKG_VERSION");
        return Err(UsageError(format!(
            "the web UI is not there yet in gregaria {version}; add `--headless` (with `-u`, `-r` and `-t`)"
        )));
    }
    Ok(())
}

fn convert(option: &Spec, given: Given) -> Result<Value, UsageError> {
    let text = match given {
        Given::List(items) => return Ok(Value::List(items)),
        Given::Set => return removed(option).map_or(Ok(Value::Flag(true)), Err),
        Given::Text(text) => text,
    };
    let value = match option.kind {
        Kind::Int => int(&text).map(Value::Int),
        Kind::Positive => positive(option, &text).map(Value::Int),
        Kind::Rate => rate(&text).map(Value::Float),
        Kind::TimeSpan => time_span(&text).map(Value::Int),
        Kind::LogLevel => log_level(&text).map(Value::Text),
        Kind::Seed => seed(&text),
        _ => return removed(option).map_or(Ok(Value::Text(text)), Err),
    };
    value.map_err(|what| UsageError::argument(option, &what))
}

fn removed(option: &Spec) -> Option<UsageError> {
    match option.kind {
        Kind::Removed { instead, .. } => Some(UsageError::argument(option, instead)),
        _ => None,
    }
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
    use super::super::parse::{self, FirstPass};
    use super::*;

    fn words(line: &str) -> Vec<String> {
        line.split_whitespace().map(String::from).collect()
    }

    fn parsed(line: &str) -> Options {
        resolve(&words(&format!("--headless {line}")), &|_| None).unwrap()
    }

    fn mistake(line: &str) -> String {
        resolve(&words(line), &|_| None).and_then(|options| check(&set(options))).unwrap_err().to_string()
    }

    fn set(options: Options) -> Vec<String> {
        let defaults = defaults();
        options.into_iter().filter(|(dest, value)| defaults[dest] != *value).map(|(dest, _)| dest.into()).collect()
    }

    fn with_env(line: &str, name: &'static str, value: &'static str) -> Result<Options, UsageError> {
        resolve(&words(line), &|asked| (asked == name).then(|| value.to_owned()))
    }

    #[test]
    fn every_form_of_an_option_is_understood() {
        for line in ["-u 5", "-u5", "--users 5", "--users=5", "--user 5", "-u 1 -u 5"] {
            assert_eq!(parsed(line)["num_users"], Value::Int(5), "{line}");
        }
        let options = parsed("-r 2.5 -t 1h20m -s 10 -L debug -T a b -E c --csv out --csv-full-history -- A B");
        assert_eq!((&options["spawn_rate"], &options["run_time"]), (&Value::Float(2.5), &Value::Int(4800)));
        assert_eq!((&options["loglevel"], &options["stop_timeout"]), (&Value::Text("DEBUG".into()), &Value::Int(10)));
        assert_eq!(
            (&options["tags"], &options["user_classes"]),
            (&Value::List(words("a b")), &Value::List(words("A B")))
        );
    }

    #[test]
    fn defaults_are_locusts() {
        let options = parsed("");
        insta::assert_debug_snapshot!("defaults", options);
    }

    #[test]
    fn mistakes_are_worded_as_locust_words_them() {
        let lines = [
            "--bogus",
            "--bogus x --other",
            "--headles=1 --what",
            "--head",
            "-u x",
            "-r 0",
            "-r inf",
            "-r x",
            "-L TRACE",
            "-L",
            "--headless=1",
            "--users",
            "--users=",
            "-t 1h30",
            "-t 1m1h",
            "-s 1.5h",
            "--expect-workers 0",
            "--seed -1",
            "--seed x",
            "--seed=",
            "--seed 1.5",
            "--seed 9223372036854775808",
            "--slave",
            "--web-auth a:b",
            "--legacy-ui",
            "--csv-full-history",
            "-x",
            "-uZ",
            "--processes -1",
            "--html a",
            "--list --otel",
            "--worker",
            "",
            "--headless --headful",
        ];
        let said: Vec<String> = lines.into_iter().map(|line| format!("{line}\n  -> {}", mistake(line))).collect();
        insta::assert_snapshot!("mistakes", said.join("\n"));
    }

    #[test]
    fn the_environment_stands_behind_the_command_line() {
        assert_eq!(with_env("--headless", "LOCUST_USERS", "7").unwrap()["num_users"], Value::Int(7));
        assert_eq!(with_env("--headless -u 3", "LOCUST_USERS", "7").unwrap()["num_users"], Value::Int(3));
        assert_eq!(with_env("", "LOCUST_HEADLESS", "Yes").unwrap()["headless"], Value::Flag(true));
        assert_eq!(with_env("--headless", "LOCUST_TAGS", "[a, b]").unwrap()["tags"], Value::List(words("a b")));
        assert_eq!(
            with_env("--headless", "LOCUST_USER_CLASSES", "A B").unwrap()["user_classes"],
            Value::List(words("A B"))
        );
        let said = with_env("", "LOCUST_HEADLESS", "maybe").unwrap_err().to_string();
        assert_eq!(
            said,
            "Unexpected value for LOCUST_HEADLESS: 'maybe'. Expecting 'true', 'false', 'yes', 'no', 'on', 'off', '1' or '0'"
        );
    }

    #[test]
    fn the_first_pass_tolerates_what_it_does_not_know() {
        let first_pass = |line| parse::first_pass(&words(line), &|_| None, &|_| None);
        let pass = first_pass("--mine 3 -fshop.py -u x").unwrap();
        assert_eq!(pass, FirstPass { help: false, version: false, locustfile: "shop.py".into(), seed: None });
        assert!(first_pass("--bogus --vers").unwrap().version);
        assert_eq!(first_pass("-f").unwrap_err().0, "argument -f/--locustfile: expected one argument");
        assert_eq!(first_pass("--seed=7 --other").unwrap().seed, Some("7".into()));
        let ambiguous = first_pass("--mast").unwrap_err().0;
        assert_eq!(ambiguous, "ambiguous option: --mast could match --master, --master-host, --master-port");
    }

    #[test]
    fn configuration_files_stop_a_run_but_not_its_help() {
        let first_pass = |line| parse::first_pass(&words(line), &|_| None, &|_| Some("users = 5".into()));
        assert!(first_pass("--headless").unwrap_err().0.starts_with("`./locust.conf` is not read yet"));
        assert!(first_pass("--help").unwrap().help && first_pass("-V").unwrap().version);
    }
}
