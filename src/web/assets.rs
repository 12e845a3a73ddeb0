//! What npm made of `webui/`: the pages, and the files beside them. A front end of the user's own comes first.

use std::collections::hash_map::DefaultHasher;
use std::fs;
use std::hash::{Hash as _, Hasher as _};
use std::path::{Component, Path};
use std::sync::LazyLock;
use std::time::SystemTime;

use bytes::Bytes;

use super::answer::Asked;
use super::files::File;
use super::ready::{Ready, text};
use super::shared::Shared;

/// Name and content; `build.rs` lists what lies in `webui/dist`.
static FILES: &[(&str, &[u8])] = include!(concat!(env!("OUT_DIR"), "/page.rs"));

/// When what is embedded was changed last, as far as a browser must know: it asks by tag.
static STARTED: LazyLock<SystemTime> = LazyLock::new(SystemTime::now);

/// A page, `index` or `auth`, with `data` in it: JSON that is safe in HTML. `None` where there is no page of that name.
pub fn page(name: &str, data: &str) -> Option<String> {
    let (file, gap) = match name {
        "index" => ("index.html", "{{ template_args | tojson }}"),
        "auth" => ("login.html", "{{ auth_args | tojson }}"),
        _ => return None,
    };
    Some(std::str::from_utf8(find(file)?).ok()?.replacen(gap, data, 1))
}

pub fn answer(name: &str, shared: &Shared, asked: &Asked) -> Ready {
    let own = shared.settings().build_path.as_deref().and_then(|folder| read(folder, name));
    match own.or_else(|| embedded(name)) {
        Some(file) => file.answer(&asked.headers),
        None => text(404, "There is no such file."),
    }
}

fn find(name: &str) -> Option<&'static [u8]> {
    FILES.iter().find(|(known, _)| *known == name).map(|(_, content)| *content)
}

/// Its name tells one build from another, so a browser need never ask again.
fn embedded(name: &str) -> Option<File> {
    let content = find(&format!("assets/{name}"))?;
    Some(file(name, content.into(), *STARTED, "public, max-age=31536000, immutable"))
}

/// Only what lies in the folder.
fn read(folder: &Path, name: &str) -> Option<File> {
    let path = Path::new(name);
    if !path.components().all(|part| matches!(part, Component::Normal(_))) {
        return None;
    }
    let path = folder.join("assets").join(path);
    let modified = fs::metadata(&path).ok()?.modified().unwrap_or(*STARTED);
    Some(file(name, fs::read(path).ok()?.into(), modified, "no-cache"))
}

fn file(name: &str, content: Bytes, modified: SystemTime, cache_control: &'static str) -> File {
    let mut hasher = DefaultHasher::new();
    content.hash(&mut hasher);
    let base_name = name.rsplit('/').next().unwrap_or(name);
    File {
        content_type: kind(name),
        disposition: format!("inline; filename={base_name}"),
        cache_control,
        modified,
        tag: format!("\"{:x}-{:016x}\"", content.len(), hasher.finish()),
        content,
    }
}

fn kind(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "js" | "mjs" => "application/javascript; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "html" => "text/html; charset=utf-8",
        "json" | "map" => "application/json",
        "txt" => "text/plain; charset=utf-8",
        "svg" => "image/svg+xml; charset=utf-8",
        "png" => "image/png",
        "jpg" | "jpeg" => "image/jpeg",
        "ico" => "image/vnd.microsoft.icon",
        "woff2" => "font/woff2",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_has_its_data_in_it() {
        let index = page("index", r#"{"state": "ready"}"#).unwrap();
        assert!(index.contains(r#">{"state": "ready"}</script>"#) && !index.contains("{{"), "{index}");
        assert_eq!(page("report", ""), None);
    }

    #[test]
    fn nothing_outside_of_the_folder_is_read() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("assets")).unwrap();
        fs::write(folder.path().join("secret"), "x").unwrap();
        fs::write(folder.path().join("assets/a.js"), "1").unwrap();
        assert_eq!(read(folder.path(), "a.js").unwrap().content, "1");
        for name in ["../secret", "/etc/hostname", "x/../../secret", ".", ""] {
            assert!(read(folder.path(), name).is_none(), "{name}");
        }
    }
}
