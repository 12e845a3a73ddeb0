//! What npm made of `webui/`: the page, and the files beside it.

/// Path and content; `build.rs` lists what npm built.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// A page, `index` or `auth`, with this data in it; `None` where there is none of that name. In place of the data the pages have
/// an expression of Jinja's, so that a locustfile's own Flask route can render them, too.
pub fn page(name: &str, data: &str) -> Option<String> {
    let (file, gap) = match name {
        "index" => ("index.html", "{{ template_args | tojson }}"),
        "auth" => ("login.html", "{{ auth_args | tojson }}"),
        _ => return None,
    };
    Some(std::str::from_utf8(content(file)?).ok()?.replacen(gap, data, 1))
}

/// A file of `assets/`.
pub fn find(name: &str) -> Option<&'static [u8]> {
    content(&format!("assets/{name}"))
}

fn content(path: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == path).map(|(_, content)| *content)
}

pub fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" | "mjs" => "text/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        "ico" => "image/x-icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}
