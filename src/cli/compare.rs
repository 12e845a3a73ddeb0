//! `gregaria compare base.json new.json`: from words to an exit code.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::{Parser, ValueEnum};

use crate::report::comparison;
use crate::verdict::compare::{Comparison, Conclusion, RunFile, Settings, compare};

/// Say what changed between two runs, and how sure one can be of it.
///
/// The files are what `locust --json-file` wrote; those of Locust itself have no time slices, so less can be said of them.
/// The exit code is 0 where nothing became worse, 3 where something did, and 2 where the comparison was impossible.
#[derive(Clone, Debug, Parser)]
#[command(name = "gregaria compare", version, max_term_width = 120)]
pub struct Options {
    /// The file of the run that is the measure
    pub base: PathBuf,

    /// The file of the run that is judged
    pub new: PathBuf,

    /// The smallest change of a response time that matters, in percent
    #[arg(long, default_value_t = 5.0, value_name = "PERCENT", value_parser = percent)]
    pub threshold: f64,

    /// What to print
    #[arg(long, value_enum, default_value_t = Format::Table)]
    pub format: Format,

    /// Write a page with the comparison to this file as well
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    Table,
    Json,
}

const WORSE: i32 = 3;
const IMPOSSIBLE: i32 = 2;

/// Compare, print, and give the exit code.
pub fn command(words: impl IntoIterator<Item = OsString>) -> i32 {
    let words = std::iter::once("gregaria compare".into()).chain(words);
    let options = match Options::try_parse_from(words) {
        Ok(options) => options,
        Err(error) => {
            let is_mistake = error.use_stderr();
            return if error.print().is_err() || is_mistake { IMPOSSIBLE } else { 0 };
        }
    };
    match carry_out(&options) {
        Ok(comparison) if comparison.count(Conclusion::Worse) > 0 => WORSE,
        Ok(_) => 0,
        Err(sentence) => {
            let _ = writeln!(io::stderr(), "gregaria compare: {sentence}"); // nobody is left to tell if this fails
            IMPOSSIBLE
        }
    }
}

fn carry_out(options: &Options) -> Result<Comparison, String> {
    let (base, new) = (read(&options.base)?, read(&options.new)?);
    let settings = Settings { threshold: options.threshold / 100.0, ..Settings::default() };
    let comparison = compare(&base, &new, settings);
    if let Some(path) = &options.html {
        let page = comparison::html(&comparison, &name(&options.base), &name(&options.new));
        std::fs::write(path, page).map_err(|error| format!("cannot write `{}`: {error}", path.display()))?;
    }
    let text = match options.format {
        Format::Table => comparison::table(&comparison),
        Format::Json => comparison::json(&comparison),
    };
    // A reader that has read enough, as `head` does, is no failure.
    let _ = writeln!(io::stdout(), "{}", text.trim_end());
    Ok(comparison)
}

fn read(path: &Path) -> Result<RunFile, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read `{}`: {error}", path.display()))?;
    RunFile::parse(&text).map_err(|what| format!("cannot use `{}`: {what}", path.display()))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

fn percent(text: &str) -> Result<f64, String> {
    let percent: f64 = text.trim_end_matches('%').parse().map_err(|_| "not a number".to_owned())?;
    if percent > 0.0 && percent < 1000.0 { Ok(percent) } else { Err("a percentage above 0 is expected".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &[&str]) -> i32 {
        command(words.iter().map(OsString::from))
    }

    #[test]
    fn what_cannot_be_compared_ends_with_2() {
        assert_eq!((run(&[]), run(&["/no/such", "/file"]), run(&["a", "b", "--threshold", "-1"])), (2, 2, 2));
    }

    #[test]
    fn worse_ends_with_3_and_better_with_0() {
        let folder = tempfile::tempdir().unwrap();
        let file = |name: &str, time: u32| {
            let path = folder.path().join(name);
            let text = format!(
                r#"[{{"name": "/", "method": "GET", "num_requests": 3000, "num_failures": 0, "start_time": 10.0,
                    "last_request_timestamp": 40.0, "response_times": {{"{time}": 2000, "{}": 1000}}}}]"#,
                time + 1
            );
            std::fs::write(&path, text).unwrap();
            path.display().to_string()
        };
        let (base, slow, page) = (file("base", 10), file("slow", 15), folder.path().join("page.html"));
        assert_eq!(run(&[&base, &slow, "--html", &page.display().to_string()]), 3);
        assert_eq!(run(&[&slow, &base, "--format", "json"]), 0);
        assert!(std::fs::read_to_string(page).unwrap().contains("worse"));
    }
}
