//! The verdict as people and pipelines read it: a table, a `JUnit` file, a summary in Markdown.

use std::fmt::Write as _;

use crate::verdict::{Outcome, Word};

/// The lines of the table of checks; none without checks.
pub fn check_table(outcomes: &[Outcome]) -> Vec<String> {
    if outcomes.is_empty() {
        return Vec::new();
    }
    let width =
        |text: &dyn Fn(&Outcome) -> usize, least: usize| outcomes.iter().map(text).max().unwrap_or(0).max(least);
    let subject = width(&|outcome| outcome.subject().chars().count(), 5).min(60);
    let condition = width(&|outcome| outcome.condition.text.chars().count(), 5).min(60);
    let shown = width(&|outcome| outcome.shown().chars().count(), 8);
    let rule = format!("------|{}|{}|{}|", "-".repeat(subject + 2), "-".repeat(condition + 2), "-".repeat(shown + 1));
    let mut lines = vec![
        "Checks".to_owned(),
        format!("{:5} | {:subject$} | {:condition$} | {:>shown$} |", "", "Entry", "Check", "Measured"),
        rule.clone(),
    ];
    for outcome in outcomes {
        let verdict = if outcome.passed { "ok" } else { "FAIL" };
        let line = format!(
            "{verdict:5} | {:subject$} | {:condition$} | {:>shown$} | {}",
            outcome.subject(),
            outcome.condition.text,
            outcome.shown(),
            outcome.remark
        );
        lines.push(line.trim_end().to_owned());
    }
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    lines.push(rule);
    lines.push(match failed {
        0 if outcomes.len() == 1 => "The check passed".into(),
        0 => format!("All {} passed", counted(outcomes.len())),
        failed => format!("{failed} of {} failed", counted(outcomes.len())),
    });
    lines.push(String::new());
    lines
}

fn counted(checks: usize) -> String {
    if checks == 1 { "1 check".into() } else { format!("{checks} checks") }
}

/// The words, broken at about this many columns.
pub fn word_lines(words: &[Word], columns: usize) -> Vec<String> {
    if words.is_empty() {
        return Vec::new();
    }
    let mut lines = vec!["In words".to_owned()];
    for word in words {
        let mut line = String::from("-");
        for part in word.text.split_whitespace() {
            if line.chars().count() + 1 + part.chars().count() > columns {
                lines.push(std::mem::replace(&mut line, String::from(" ")));
            }
            line.push(' ');
            line.push_str(part);
        }
        lines.push(line);
    }
    lines.push(String::new());
    lines
}

/// A `JUnit` file with one test case for each condition, in the form that Jenkins, GitLab and GitHub's actions read.
pub fn junit(outcomes: &[Outcome], seconds: f64, utc: &str) -> String {
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    let counts = format!("tests=\"{}\" failures=\"{failed}\" errors=\"0\" skipped=\"0\"", outcomes.len());
    let mut xml = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"checks\" {counts} time=\"{seconds:.3}\">\n  \
         <testsuite name=\"checks\" {counts} time=\"{seconds:.3}\" timestamp=\"{}\">\n",
        utc.trim_end_matches('Z')
    );
    for outcome in outcomes {
        let case = format!(
            "    <testcase classname=\"{}\" name=\"{}\" time=\"0\"",
            escaped(outcome.subject()),
            escaped(&outcome.condition.text)
        );
        let message = match (&outcome.measured, outcome.remark.as_str()) {
            (Some(_), "") => format!("was {}", outcome.shown()),
            (Some(_), remark) => format!("was {} ({remark})", outcome.shown()),
            (None, remark) => remark.to_owned(),
        };
        let _ = if outcome.passed {
            writeln!(xml, "{case}/>")
        } else {
            let (message, text) = (escaped(&message), escaped(&outcome.condition.text));
            writeln!(
                xml,
                "{case}>\n      <failure message=\"{message}\" type=\"check\">{text}: {message}</failure>\n    </testcase>"
            )
        };
    }
    xml.push_str("  </testsuite>\n</testsuites>\n");
    xml
}

/// What XML 1.0 cannot hold becomes a question mark.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\r' | '\t' => escaped.push(' '),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => escaped.push('?'),
            c => escaped.push(c),
        }
    }
    escaped
}

/// For the summary page of a pipeline, as GitHub's `$GITHUB_STEP_SUMMARY` takes it.
pub fn markdown(outcomes: &[Outcome], words: &[Word]) -> String {
    let failed = outcomes.iter().filter(|outcome| !outcome.passed).count();
    let title = match failed {
        0 if outcomes.len() == 1 => "✅ Load test: the check passed".into(),
        0 => format!("✅ Load test: all {} passed", counted(outcomes.len())),
        failed => format!("❌ Load test: {failed} of {} failed", counted(outcomes.len())),
    };
    let mut text = format!("### {title}\n\n| | Entry | Check | Measured | |\n|---|---|---|---:|---|\n");
    for outcome in outcomes {
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | {} |",
            if outcome.passed { "✅" } else { "❌" },
            code(outcome.subject()),
            code(&outcome.condition.text),
            outcome.shown(),
            outcome.remark
        );
    }
    text.push('\n');
    for word in words {
        let _ = writeln!(text, "- {}", word.text.replace('<', "&lt;").replace('|', "\\|"));
    }
    text.push('\n');
    text
}

/// A cell of code: neither a bar nor a backtick ends it early.
fn code(text: &str) -> String {
    let text: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let fence = if text.contains('`') { "``" } else { "`" };
    let space = if text.contains('`') { " " } else { "" };
    format!("{fence}{space}{}{space}{fence}", text.replace('|', "\\|"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::console::tests::small_run;
    use crate::stats::Timeline;
    use crate::verdict::words::{Weight, Word};
    use crate::verdict::{Check, Judge};

    fn outcomes() -> Vec<Outcome> {
        let checks = ["p95 < 1us, failures >= 0, rps > 1000000", "GET /a&b: avg < 1s", "/a|`b`: p50 < 1s over 30s"];
        let judge = Judge::new(checks.iter().map(|check| Check::parse(check).unwrap()).collect());
        judge.outcomes(&small_run(), &Timeline::new(0.0, 0.0, 1.0))
    }

    #[test]
    fn the_table_says_what_failed() {
        insta::assert_snapshot!(check_table(&outcomes()).join("\n"));
        assert!(check_table(&[]).is_empty());
    }

    #[test]
    fn junit_is_as_pipelines_read_it() {
        insta::assert_snapshot!(junit(&outcomes(), 12.5, "2026-01-31T09:05:10Z"));
    }

    #[test]
    fn a_summary_is_markdown() {
        let word = Word { rule: "x", weight: Weight::Note, text: "One <sentence>.".into() };
        insta::assert_snapshot!(markdown(&outcomes(), &[word]));
    }

    #[test]
    fn words_are_broken_between_words() {
        let word = Word { rule: "x", weight: Weight::Note, text: "one two three four five".into() };
        assert_eq!(word_lines(&[word], 12), ["In words", "- one two", "  three four", "  five", ""]);
        assert!(word_lines(&[], 12).is_empty());
    }
}
