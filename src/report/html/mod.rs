//! The HTML report: one page that needs no other file, and what a run measured as two lines of JSON in it.
//!
//! The page is made of `webui/` by `build.rs`. Its first line of data is Locust's, name for name, because scripts read
//! it out of reports with a regular expression; the second is ours.

mod details;

pub use details::{PHASES, details};

/// The page, with a gap for the data.
const PAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/report.html"));
const GAP: &str = "/*GREGARIA-DATA*/";

/// The page of a run. Both are JSON: `template_args` as Locust's reports have them, `run` what only ours know.
/// `theme` is `light` or `dark`, and empty where the reader's system decides.
pub fn page(template_args: &str, run: &str, theme: &str) -> String {
    let [template_args, run] = [template_args, run].map(in_script);
    let data = format!("window.templateArgs = {template_args}\nwindow.theme = \"{theme}\"\nwindow.gregaria = {run}");
    PAGE.replacen(GAP, &data, 1)
}

/// JSON that cannot end the script element it stands in, whatever a locustfile calls its requests. Outside strings
/// JSON has none of these characters.
fn in_script(json: &str) -> String {
    let mut safe = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '<' => safe.push_str("\\u003c"),
            '>' => safe.push_str("\\u003e"),
            '&' => safe.push_str("\\u0026"),
            '\'' => safe.push_str("\\u0027"),
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_has_its_data_on_lines_of_their_own() {
        let page = page(r#"{"a": "</script>&'"}"#, "{}", "dark");
        let line = page.lines().find(|line| line.starts_with("window.templateArgs = ")).unwrap();
        assert_eq!(line, r#"window.templateArgs = {"a": "\u003c/script\u003e\u0026\u0027"}"#);
        assert!(page.contains("\nwindow.theme = \"dark\"\nwindow.gregaria = {}\n"));
        assert!(!page.contains(GAP));
    }

    #[test]
    fn the_page_needs_nothing_else() {
        let sources = ["src=\"", "<link rel=\"stylesheet\"", "@import", "url(http"];
        assert!(sources.iter().all(|source| !PAGE.contains(source)));
        assert!(PAGE.contains("<script type=\"module\">") && PAGE.contains("</html>"));
    }
}
