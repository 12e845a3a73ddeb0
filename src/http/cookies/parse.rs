//! `Set-Cookie`, as Python's parser for Netscape cookies reads it.

use std::fmt::Write as _;

use super::{Cookie, Site, date};

/// What one header said, before it is known whether it may be said here.
pub(super) struct Said {
    cookie: Cookie,
    version: i64,
    domain: Option<String>,
    path: Option<String>,
    port: Ports,
}

/// Where a cookie goes as to ports.
enum Ports {
    Any,
    /// The attribute stood there alone.
    OfThisRequest,
    Named(String),
}

/// Python's parser raises on this header.
pub(super) struct ParserFails;

impl Said {
    /// Nothing for a header that sets nothing.
    pub(super) fn parse(header: &str, now: i64) -> Result<Option<Self>, ParserFails> {
        let mut pairs = header.split(';').map(pair);
        let Some((name, value)) = pairs.next().filter(|(name, _)| !name.is_empty()) else {
            return Ok(None);
        };
        let cookie = Cookie { name: name.into(), value: value.map(Into::into), ..Cookie::default() };
        let mut said = Self { cookie, version: 0, domain: None, path: None, port: Ports::Any };
        let mut seen: Vec<&'static str> = Vec::new();
        let mut rest: Vec<(&str, Option<&str>)> = Vec::new();
        for (name, value) in pairs.filter(|(name, _)| !name.is_empty()) {
            let Some(known) = known(name) else {
                rest.retain(|(own, _)| *own != name);
                rest.push((name, value));
                continue;
            };
            // The first of its kind counts, but `Max-Age` counts more than `Expires`.
            let first = !seen.contains(&known);
            if !first {
                continue;
            }
            match said.attribute(known, value, now) {
                Verdict::Kept => seen.push(if known == "max-age" { "expires" } else { known }),
                Verdict::Ignored => {}
                Verdict::Bad => return Ok(None),
                Verdict::Fatal => return Err(ParserFails),
            }
        }
        said.cookie.rest = rest_text(&rest);
        Ok(Some(said))
    }

    fn attribute(&mut self, name: &str, value: Option<&str>, now: i64) -> Verdict {
        match (name, value) {
            ("secure", value) => self.cookie.secure = value != Some(""),
            ("discard", value) => self.cookie.discard = value != Some(""),
            ("expires", value) => match value.and_then(|value| date::parse(strip_quotes(value))) {
                Some(time) => self.cookie.expires = Some(time),
                None => return Verdict::Ignored,
            },
            ("max-age", None) => return Verdict::Fatal,
            ("max-age", Some(value)) => {
                let Some(seconds) = python_int(value) else {
                    return Verdict::Bad;
                };
                self.cookie.expires = Some(now.saturating_add(seconds));
            }
            ("port", None) => self.port = Ports::OfThisRequest,
            ("port", Some(ports)) => self.port = Ports::Named(ports.split_whitespace().collect()),
            ("comment" | "commenturl", _) => {}
            (_, None) => return Verdict::Bad,
            ("domain", Some(value)) => self.domain = Some(value.to_lowercase()),
            ("path", Some(value)) => self.path = Some(value.to_owned()),
            // One that is no number is none that is known.
            (_, Some(value)) => self.version = python_int(strip_quotes(value)).unwrap_or(-1),
        }
        Verdict::Kept
    }

    /// The cookie, with what was not said taken from where it was said.
    pub(super) fn cookie(self, site: &Site) -> Option<Cookie> {
        // Version 1 is RFC 2109's, which is treated as none; later ones are switched off.
        if !(0..=1).contains(&self.version) {
            return None;
        }
        let mut cookie = self.cookie;
        let path = self.path.filter(|path| !path.is_empty());
        cookie.path_specified = path.is_some();
        cookie.path = path.map_or_else(|| default_path(&site.path, self.version), |path| escape_path(&path)).into();
        cookie.domain_specified = self.domain.is_some();
        cookie.domain_initial_dot = self.domain.as_deref().is_some_and(|domain| domain.starts_with('.'));
        cookie.domain = match self.domain {
            None => site.host().into(),
            Some(domain) if domain.starts_with('.') => domain.into(),
            Some(domain) => format!(".{domain}").into(),
        };
        cookie.port_specified = matches!(self.port, Ports::Named(_));
        cookie.port = match self.port {
            Ports::Any => None,
            Ports::OfThisRequest => site.port.as_deref().map(Into::into),
            Ports::Named(ports) => Some(ports.into()),
        };
        cookie.discard |= cookie.expires.is_none();
        Some(cookie)
    }
}

/// What became of an attribute.
enum Verdict {
    Kept,
    Ignored,
    /// The cookie is dropped.
    Bad,
    /// Python's parser raises.
    Fatal,
}

fn known(name: &str) -> Option<&'static str> {
    const KNOWN: [&str; 10] =
        ["expires", "domain", "path", "secure", "version", "port", "max-age", "discard", "comment", "commenturl"];
    KNOWN.into_iter().find(|known| name.to_lowercase() == **known)
}

fn pair(text: &str) -> (&str, Option<&str>) {
    match text.split_once('=') {
        Some((name, value)) => (strip(name), Some(strip(value))),
        None => (strip(text), None),
    }
}

fn strip(text: &str) -> &str {
    text.trim_matches(crate::http::text::is_space)
}

fn strip_quotes(text: &str) -> &str {
    let text = text.strip_prefix('"').unwrap_or(text);
    text.strip_suffix('"').unwrap_or(text)
}

fn rest_text(rest: &[(&str, Option<&str>)]) -> Box<str> {
    let words = rest.iter().map(|(name, value)| value.map_or_else(|| (*name).to_owned(), |v| format!("{name}={v}")));
    words.collect::<Vec<_>>().join("; ").into()
}

/// `int()` of a text; what no clock reaches is cut to what it can.
fn python_int(text: &str) -> Option<i64> {
    let text = strip(text);
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let sound = digits.split('_').all(|run| !run.is_empty() && run.bytes().all(|b| b.is_ascii_digit()));
    sound.then(|| {
        let fallback = if text.starts_with('-') { i64::MIN } else { i64::MAX };
        text.replace('_', "").parse().unwrap_or(fallback)
    })
}

/// The directory that a request went to.
fn default_path(path: &str, version: i64) -> String {
    let slash = path.rfind('/').unwrap_or(0);
    let directory = if version == 0 { &path[..slash] } else { &path[..=slash] };
    if directory.is_empty() { "/".to_owned() } else { directory.to_owned() }
}

/// A path with what a URL may not hold escaped, and its escapes in upper case.
pub(super) fn escape_path(path: &str) -> String {
    let mut out = String::with_capacity(path.len());
    for &byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"_.-~%/;:@&=+$,!*'()".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a `String` cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
    upper_escapes(&out)
}

fn upper_escapes(path: &str) -> String {
    let bytes = path.as_bytes();
    let is_escape = |at: usize| {
        bytes[at] == b'%' && bytes.len() > at + 2 && bytes[at + 1..at + 3].iter().all(u8::is_ascii_hexdigit)
    };
    let inside = |i: usize| (1..=2).any(|back| i >= back && is_escape(i - back));
    let upper = |i: usize| {
        if inside(i) { bytes[i].to_ascii_uppercase() } else { bytes[i] }
    };
    (0..bytes.len()).map(|i| char::from(upper(i))).collect()
}
