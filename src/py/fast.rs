//! What `FastHttpSession` does differently with its arguments.

use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::arguments::Arguments;
use super::prepare::not_yet;

/// geventhttpclient takes any keyword: it puts what it does not know into a POST's form, and else into the query.
/// `timeout`, `verify` and their like are among them, as a user of Locust's `FastHttpUser` has it.
pub fn take_others<'py>(method: &str, arguments: &mut Arguments<'py>) -> PyResult<()> {
    let unknown = [
        ("cookies", arguments.cookies.take()),
        ("timeout", arguments.timeout.take()),
        ("proxies", arguments.proxies.take()),
        ("hooks", arguments.hooks.take()),
        ("verify", arguments.verify.take()),
        ("cert", arguments.cert.take()),
    ];
    let mut others: Vec<_> = unknown.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
    // What steers the client itself is no data. No retries is what it does anyway.
    for (name, value) in &arguments.others {
        match name.as_str() {
            "max_retries" if value.is_truthy()? => return Err(not_yet(name, "a value")),
            "max_redirects" => return Err(not_yet(name, "a value for one request")),
            _ => {}
        }
    }
    arguments.others.retain(|(name, _)| name != "max_retries");
    others.append(&mut arguments.others);
    let Some((_, first)) = others.first() else { return Ok(()) };
    let py = first.py();
    if method == "POST" && arguments.data.is_none() && arguments.json.is_some() {
        return Ok(()); // the JSON is the payload then, and nothing can be put into it
    }
    let place = if method == "POST" { &mut arguments.data } else { &mut arguments.params };
    let merged = match place.as_ref() {
        None => PyDict::new(py),
        Some(given) => match given.cast::<PyDict>() {
            Ok(given) => given.copy()?,
            Err(_) => return Ok(()),
        },
    };
    for (name, value) in others {
        merged.set_item(name, value)?;
    }
    *place = Some(merged.into_any());
    Ok(())
}
