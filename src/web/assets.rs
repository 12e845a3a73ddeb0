//! What npm made of `webui/`: the page, and the files beside it.

/// Name and content; `build.rs` lists what lies in `webui/dist`.
static ASSETS: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// What the pages have in place of their data.
const GAP: &str = "GREGARIA-DATA";

/// A page, `index` or `auth`, with this data in it; `None` where there is none of that name.
pub fn page(name: &str, data: &str) -> Option<String> {
    let page = match name {
        "index" => include_str!(concat!(env!("OUT_DIR"), "/index.html")),
        "auth" => include_str!(concat!(env!("OUT_DIR"), "/auth.html")),
        _ => return None,
    };
    Some(page.replacen(GAP, data, 1))
}

/// A file of `assets/`.
pub fn find(name: &str) -> Option<&'static [u8]> {
    ASSETS.iter().find(|(known, _)| *known == name).map(|(_, content)| *content)
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
