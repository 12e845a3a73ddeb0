//! The comparison of two runs as a table, as JSON and as a page.

use std::fmt::Write as _;

use serde_json::json;

use crate::stats::timeline::significant;
use crate::verdict::check::Unit;
use crate::verdict::compare::{Change, Compared, Comparison, Conclusion, Figure};

const METHOD: &str = "Block bootstrap over time slices, Welch's test of the logarithms, Holm's adjustment over all figures; \
                      a change is claimed where it is certain (5 %) and large enough to matter.";
const LIMITED: &str = "At least one file has no time slices, so requests were taken for independent, which they seldom \
                       are: certainty is limited. `--json-file` of gregaria writes slices.";

fn unit(figure: Figure) -> Unit {
    match figure {
        Figure::FailRatio => Unit::Share,
        Figure::Quantile(_) => Unit::Milliseconds,
    }
}

/// `+12.3 %`, of shares in points.
fn effect(figure: Figure, value: f64) -> String {
    match figure {
        Figure::FailRatio => format!("{:+.2} pp", value * 100.0),
        Figure::Quantile(_) => format!("{:+.1} %", value * 100.0),
    }
}

fn named(entry: &Compared) -> String {
    format!("{} {}", entry.method, entry.name).trim().to_owned()
}

/// What is said of an entry that only one of the runs has.
fn lonely(entry: &Compared) -> Option<&'static str> {
    match entry.requests {
        (0, _) => Some("only in the new run"),
        (_, 0) => Some("only in the base run"),
        _ if entry.changes.is_empty() => Some("too few requests to compare"),
        _ => None,
    }
}

/// The sentence at the end.
fn summary(comparison: &Comparison) -> String {
    let (worse, better) = (comparison.count(Conclusion::Worse), comparison.count(Conclusion::Better));
    let unclear = comparison.count(Conclusion::Unclear);
    let figures = |count: usize| if count == 1 { "1 figure".to_owned() } else { format!("{count} figures") };
    let changed = match (worse, better) {
        (0, 0) => "No change is claimed.".into(),
        (worse, 0) => format!("{} became worse.", figures(worse)),
        (0, better) => format!("{} became better.", figures(better)),
        (worse, better) => format!("{} became worse, {} better.", figures(worse), figures(better)),
    };
    if unclear == 0 {
        return changed;
    }
    let limit = comparison.settings.threshold * 100.0;
    let are = if unclear == 1 { "is" } else { "are" };
    format!(
        "{changed} {} {are} unclear: a change of {limit} % is neither shown nor ruled out; longer runs tell more.",
        figures(unclear)
    )
}

pub fn table(comparison: &Comparison) -> String {
    let width = comparison.entries.iter().map(|entry| named(entry).chars().count()).max().unwrap_or(5).clamp(5, 60);
    let mut text = format!(
        "{:width$}  {:10} {:>10} {:>10} {:>10}  {:>20} {:>7}  \n",
        "Entry", "Figure", "Base", "New", "Change", "95 % lie within", "p"
    );
    text.push_str(&"-".repeat(width + 83));
    text.push('\n');
    for entry in &comparison.entries {
        let name = named(entry);
        let [base, new] = [entry.rps.0, entry.rps.1].map(|rps| Unit::PerSecond.show(rps));
        let _ =
            writeln!(text, "{name:width$}  {:10} {base:>10} {new:>10}  {}", "rps", lonely(entry).unwrap_or_default());
        for change in &entry.changes {
            let unit = unit(change.figure);
            let (low, high) = (effect(change.figure, change.interval.0), effect(change.figure, change.interval.1));
            let conclusion = match change.conclusion {
                Conclusion::Worse => "WORSE",
                other => other.name(),
            };
            let _ = writeln!(
                text,
                "{:width$}  {:10} {:>10} {:>10} {:>10}  {:>20} {:>7}  {conclusion}",
                "",
                change.figure.name(),
                unit.show(change.base),
                unit.show(change.new),
                effect(change.figure, change.effect),
                format!("{low} … {high}"),
                p_value(change),
            );
        }
    }
    let text: String = text.lines().map(|line| format!("{}\n", line.trim_end())).collect();
    let limited = if comparison.is_limited { format!("{LIMITED}\n") } else { String::new() };
    format!("{text}\n{}\n{limited}", summary(comparison))
}

fn p_value(change: &Change) -> String {
    if change.p_value < 0.001 { "<0.001".into() } else { format!("{:.3}", change.p_value) }
}

pub fn json(comparison: &Comparison) -> String {
    let change = |change: &Change| {
        json!({
            "figure": change.figure.name(),
            "unit": if change.figure == Figure::FailRatio { "share" } else { "ms" },
            "base": significant(change.base, 4),
            "new": significant(change.new, 4),
            "effect": significant(change.effect, 3),
            "interval": [significant(change.interval.0, 3), significant(change.interval.1, 3)],
            "p_value": significant(change.p_value, 2),
            "conclusion": change.conclusion.name(),
        })
    };
    let entry = |entry: &Compared| {
        json!({
            "method": entry.method,
            "name": entry.name,
            "requests": {"base": entry.requests.0, "new": entry.requests.1},
            "rps": {"base": significant(entry.rps.0, 4), "new": significant(entry.rps.1, 4)},
            "slower_share": entry.slower_share.map(|share| significant(share, 3)),
            "changes": entry.changes.iter().map(change).collect::<Vec<_>>(),
        })
    };
    let whole = json!({
        "format": 1,
        "worse": comparison.count(Conclusion::Worse),
        "better": comparison.count(Conclusion::Better),
        "unclear": comparison.count(Conclusion::Unclear),
        "limited": comparison.is_limited,
        "threshold": comparison.settings.threshold,
        "method": METHOD,
        "entries": comparison.entries.iter().map(entry).collect::<Vec<_>>(),
    });
    format!("{whole:#}")
}

/// One file that needs no other, light or dark as the reader has it.
pub fn html(comparison: &Comparison, base: &str, new: &str) -> String {
    let mut rows = String::new();
    for entry in &comparison.entries {
        let [before, after] = [entry.rps.0, entry.rps.1].map(|rps| Unit::PerSecond.show(rps));
        let span = entry.changes.len() + 1;
        let slower = match (lonely(entry), entry.slower_share) {
            (Some(lonely), _) => lonely.to_owned(),
            (None, Some(share)) => format!("{:.0} % of pairs slower", share * 100.0),
            (None, None) => String::new(),
        };
        let _ = write!(
            rows,
            "<tbody><tr><th scope=\"rowgroup\" rowspan=\"{span}\">{}</th><td>rps</td><td>{before}</td><td>{after}</td>\
             <td></td><td>{slower}</td><td></td><td></td></tr>",
            escaped(&named(entry))
        );
        for change in &entry.changes {
            let unit = unit(change.figure);
            let name = change.conclusion.name();
            let _ = write!(
                rows,
                "<tr class=\"{name}\"><td>{}</td><td>{}</td><td>{}</td><td>{}</td><td>{} … {}</td><td>{}</td>\
                 <td><b>{name}</b></td></tr>",
                change.figure.name(),
                unit.show(change.base),
                unit.show(change.new),
                effect(change.figure, change.effect),
                effect(change.figure, change.interval.0),
                effect(change.figure, change.interval.1),
                escaped(&p_value(change)),
            );
        }
        rows.push_str("</tbody>");
    }
    let limited =
        if comparison.is_limited { format!("<p><strong>{}</strong></p>", escaped(LIMITED)) } else { String::new() };
    format!(
        "<!doctype html>\n<html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">\
         <title>{base} and {new} compared</title><style>{STYLE}</style>\
         <main><h1>{new} <small>compared with</small> {base}</h1><p>{}</p>{limited}\
         <table><thead><tr><th>Entry</th><th>Figure</th><th>Base</th><th>New</th><th>Change</th><th>95 % lie within</th>\
         <th>p</th><th>Conclusion</th></tr></thead>{rows}</table><p class=\"method\">{}</p></main></html>\n",
        escaped(&summary(comparison)),
        escaped(METHOD),
        base = escaped(base),
        new = escaped(new),
    )
}

const STYLE: &str = ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;margin:2rem}main{max-width:70rem;\
    margin:auto}h1{font-size:1.5rem}h1 small{font-weight:normal}table{border-collapse:collapse;width:100%}th,td{padding:.3rem \
    .6rem;text-align:left;vertical-align:top}td{font-variant-numeric:tabular-nums}tbody{border-top:1px solid #8888}\
    .worse b{color:light-dark(#b00020,#ff8a80)}.better b{color:light-dark(#00642e,#69db7c)}.same b,.unclear b\
    {font-weight:normal}.method{font-size:.85rem}@media print{body{margin:0}}";

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::compare::{RunFile, Settings, compare};

    fn comparison() -> Comparison {
        let file = |name: &str, times: [u32; 3], failures: u32| {
            let [a, b, c] = times;
            let text = format!(
                r#"[{{"name": "/a<b", "method": "GET", "num_requests": 3000, "num_failures": {failures}, "start_time": 10.0,
                    "last_request_timestamp": 40.0, "response_times": {{"{a}": 1000, "{b}": 1000, "{c}": 1000}}}},
                   {{"name": "{name}", "method": "", "num_requests": 3, "num_failures": 0, "start_time": 10.0,
                    "last_request_timestamp": 40.0, "response_times": {{"1": 3}}}}]"#
            );
            RunFile::parse(&text).unwrap()
        };
        compare(&file("gone", [10, 11, 12], 0), &file("come", [12, 14, 13], 90), Settings::default())
    }

    #[test]
    fn the_table_is_read_from_left_to_right() {
        insta::assert_snapshot!(table(&comparison()));
    }

    #[test]
    fn json_has_every_figure() {
        insta::assert_snapshot!(json(&comparison()));
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let page = html(&comparison(), "base.json", "new<1>.json");
        assert!(page.contains("GET /a&lt;b") && page.contains("new&lt;1&gt;.json") && !page.contains("http"));
    }
}
