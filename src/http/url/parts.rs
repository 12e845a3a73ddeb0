//! A URL reference in its parts, taken apart and joined as Python's `urllib.parse` does: redirects go through
//! it in both clients, and so does every URL of the fast one.

use super::UrlError;
use crate::http::text::repr;

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Parts {
    /// Lower case, or empty.
    pub scheme: String,
    pub netloc: String,
    pub path: String,
    /// What stands behind the `;` of the last path segment.
    pub params: String,
    pub query: String,
    pub fragment: String,
}

impl Parts {
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        let mut rest = text.trim_start_matches(|c| c <= ' ').replace(['\t', '\r', '\n'], "");
        let mut parts = Self::default();
        if let Some(end) = scheme_end(&rest) {
            parts.scheme = rest[..end].to_ascii_lowercase();
            rest.drain(..=end);
        }
        if let Some(after) = rest.strip_prefix("//") {
            let end = after.find(['/', '?', '#']).unwrap_or(after.len());
            check_brackets(&after[..end])?;
            after[..end].clone_into(&mut parts.netloc);
            rest.drain(..end + 2);
        }
        parts.fragment = cut(&mut rest, '#');
        parts.query = cut(&mut rest, '?');
        if matches!(&*parts.scheme, "" | "http" | "https" | "ftp") {
            let last = rest.rfind('/').unwrap_or(0);
            if let Some(at) = rest[last..].find(';') {
                parts.params = rest.split_off(last + at).split_off(1);
            }
        }
        parts.path = rest;
        Ok(parts)
    }

    /// The text again. An empty query, fragment or parameter loses its delimiter here.
    pub fn text(&self) -> String {
        let mut out = String::new();
        if !self.scheme.is_empty() {
            out = format!("{}:", self.scheme);
        }
        let hierarchical =
            matches!(&*self.scheme, "http" | "https" | "ftp" | "file" | "ws" | "wss") && !self.path.starts_with("//");
        if !self.netloc.is_empty() || hierarchical {
            out.push_str("//");
            out.push_str(&self.netloc);
            if !self.path.is_empty() && !self.path.starts_with('/') {
                out.push('/');
            }
        }
        out.push_str(&self.path);
        for (delimiter, part) in [(';', &self.params), ('?', &self.query), ('#', &self.fragment)] {
            if !part.is_empty() {
                out.push(delimiter);
                out.push_str(part);
            }
        }
        out
    }

    /// Path, parameters and query: what a request line carries.
    pub fn request_text(&self) -> String {
        Self { path: self.path.clone(), params: self.params.clone(), query: self.query.clone(), ..Self::default() }
            .text()
    }

    pub fn is_secure(&self) -> bool {
        self.scheme == "https"
    }

    /// The host in lower case, without brackets; empty if there is none.
    pub fn host(&self) -> String {
        lower(self.host_and_port().0)
    }

    pub fn port(&self) -> Result<Option<u16>, UrlError> {
        let (_, port) = self.host_and_port();
        if port.is_empty() {
            return Ok(None);
        }
        if !port.bytes().all(|b| b.is_ascii_digit()) {
            return Err(UrlError::Malformed(format!("Port could not be cast to integer value as {}", repr(port))));
        }
        let out_of_range = |_| UrlError::Malformed("Port out of range 0-65535".to_owned());
        port.parse().map(Some).map_err(out_of_range)
    }

    fn host_and_port(&self) -> (&str, &str) {
        let host = self.netloc.rsplit_once('@').map_or(&*self.netloc, |(_, host)| host);
        if let Some((_, bracketed)) = host.split_once('[') {
            let (host, rest) = bracketed.split_once(']').unwrap_or((bracketed, ""));
            return (host, rest.split_once(':').map_or("", |(_, port)| port));
        }
        host.split_once(':').unwrap_or((host, ""))
    }

    /// `reference` seen from here, as `urljoin` sees it.
    pub fn join(&self, reference: &Self) -> Self {
        let mut joined = reference.clone();
        if joined.scheme.is_empty() {
            joined.scheme.clone_from(&self.scheme);
        }
        if joined.scheme != self.scheme || !joined.netloc.is_empty() {
            return joined;
        }
        joined.netloc.clone_from(&self.netloc);
        if joined.path.is_empty() && joined.params.is_empty() {
            joined.path.clone_from(&self.path);
            joined.params.clone_from(&self.params);
            if joined.query.is_empty() {
                joined.query.clone_from(&self.query);
            }
        } else {
            joined.path = join_paths(&self.path, &joined.path);
        }
        joined
    }
}

/// A host in lower case, but for the zone of an address.
pub(super) fn lower(host: &str) -> String {
    match host.split_once('%') {
        Some((address, zone)) => format!("{}%{zone}", address.to_lowercase()),
        None => host.to_lowercase(),
    }
}

/// Cut `text` at the first `delimiter`; what stood behind it comes back.
fn cut(text: &mut String, delimiter: char) -> String {
    text.find(delimiter).map_or_else(String::new, |at| text.split_off(at).split_off(1))
}

fn scheme_end(text: &str) -> Option<usize> {
    let end = text.find(':')?;
    let mut bytes = text[..end].bytes();
    let sound = bytes.next()?.is_ascii_alphabetic()
        && bytes.all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-' | b'.'));
    sound.then_some(end)
}

fn check_brackets(netloc: &str) -> Result<(), UrlError> {
    let malformed = |text: String| Err(UrlError::Malformed(text));
    match (netloc.find('['), netloc.contains(']')) {
        (None, false) => Ok(()),
        (Some(open), true) => {
            let rest = &netloc[open + 1..];
            let inner = rest.split(']').next().unwrap_or(rest);
            let address = inner.split('%').next().unwrap_or(inner);
            if address.parse::<std::net::Ipv4Addr>().is_ok() {
                return malformed("An IPv4 address cannot be in brackets".to_owned());
            }
            if address.parse::<std::net::Ipv6Addr>().is_err() {
                return malformed(format!("{} does not appear to be an IPv4 or IPv6 address", repr(inner)));
            }
            Ok(())
        }
        _ => malformed("Invalid IPv6 URL".to_owned()),
    }
}

fn join_paths(base: &str, path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    if !path.starts_with('/') {
        segments.extend(base.split('/'));
        if segments.last().is_some_and(|last| !last.is_empty()) {
            segments.pop();
        }
    }
    let relative = !path.starts_with('/');
    segments.extend(path.split('/'));
    let last = segments.len() - 1;
    let mut kept: Vec<&str> = Vec::with_capacity(segments.len() + 1);
    for (i, segment) in segments.iter().enumerate() {
        match *segment {
            // Doubled slashes survive in an absolute reference only.
            "" if relative && i > 0 && i < last => {}
            "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    if matches!(segments[last], "." | "..") {
        kept.push("");
    }
    let joined = kept.join("/");
    if joined.is_empty() { "/".to_owned() } else { joined }
}
