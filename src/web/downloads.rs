//! The CSV files, made when somebody asks for them.

use std::fs;
use std::time::UNIX_EPOCH;

use super::answer::Asked;
use super::files::File;
use super::ready::{Ready, text};
use super::shared::Shared;
use crate::report::csv::{self, Columns, EXCEPTIONS_HEADER, FAILURES_HEADER, Record, encode};
use crate::sync::held;

pub fn requests(shared: &Shared) -> Ready {
    let columns = Columns { percentiles: shared.percentiles().report, ..Columns::default() };
    let rows = columns.requests(&held(shared.session().table()));
    download(shared, "requests", columns.requests_header(), rows)
}

pub fn failures(shared: &Shared) -> Ready {
    let rows = csv::failures(&held(shared.session().table()));
    download(shared, "failures", FAILURES_HEADER.map(String::from).to_vec(), rows)
}

pub fn exceptions(shared: &Shared) -> Ready {
    let rows = csv::exceptions(&held(shared.session().table()));
    download(shared, "exceptions", EXCEPTIONS_HEADER.map(String::from).to_vec(), rows)
}

/// The history as it is on the disk.
pub fn history(shared: &Shared, asked: &Asked) -> Ready {
    let path = shared.settings().history_file.as_deref();
    let Some((content, modified)) = path.and_then(|path| {
        let modified = fs::metadata(path).and_then(|data| data.modified()).ok()?;
        Some((fs::read(path).ok()?, modified))
    }) else {
        return text(404, "Error: Server was not started with option to generate full history.");
    };
    let age = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
    let file = File {
        content_type: "text/csv; charset=utf-8",
        disposition: format!("attachment; filename={}_requests_full_history.csv", shared.status().download_name),
        cache_control: "no-cache, max-age=0",
        modified,
        tag: format!("\"{age:x}-{:x}\"", content.len()),
        content: content.into(),
    };
    file.answer(&asked.headers)
}

fn download(shared: &Shared, what: &str, header: Record, rows: Vec<Record>) -> Ready {
    let name = format!("attachment;filename={}_{what}.csv", shared.status().download_name);
    let lines = std::iter::once(header).chain(rows);
    Ready::new(200, "text/csv", encode(lines)).with("content-disposition", name)
}
