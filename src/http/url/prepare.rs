//! From any text to a [`Url`], the long way: what a caller typed ([`Url::prepare`]) and where a server sends us
//! ([`Url::resolve`]).

use std::borrow::Cow;
use std::sync::Arc;

use super::host::{self, invalid_character, split_port};
use super::join::UNIX;
use super::parts::{Parts, lower};
use super::quote::{PATH, QUERY, USERINFO, encode_component, escapes_are_sound, requote, requote_with, unquote};
use super::{Origin, Scheme, Style, Url, UrlError};
use crate::http::text::{is_space, repr};

impl Url {
    /// The URL that `text` names, with `params` (already encoded: [`crate::http::body::urlencode`], or what the
    /// caller gave as text) put behind its query.
    pub fn prepare(style: Style, text: &str, params: &str) -> Result<Self, UrlError> {
        if text.get(..UNIX.len()).is_some_and(|start| start.eq_ignore_ascii_case(UNIX)) {
            return prepare_unix(style, text, params);
        }
        match style {
            Style::Requests => prepare_requests(text, params),
            Style::Gevent => prepare_gevent(text, params),
        }
    }

    /// Where a response from here leads with `location` in its header.
    ///
    /// requests keeps a fragment that the target lacks; neither client normalises an absolute target's path.
    pub fn resolve(&self, location: &str) -> Result<Self, UrlError> {
        match self.origin.style {
            _ if self.scheme() == Scheme::Unix => self.resolve_unix(location),
            Style::Requests => self.resolve_requests(location),
            Style::Gevent => self.resolve_gevent(location),
        }
    }

    /// A server behind a socket calls itself by the Host header it got: who leads to that leads to himself.
    fn resolve_unix(&self, location: &str) -> Result<Self, UrlError> {
        let here = Self { origin: local(self.origin.style), ..self.clone() };
        let there = here.resolve(location)?;
        let stays = there.origin == here.origin;
        Ok(if stays { Self { origin: Arc::clone(&self.origin), ..there } } else { there })
    }

    fn resolve_requests(&self, location: &str) -> Result<Self, UrlError> {
        let here = Parts::parse(&self.to_string())?;
        let mut target = if location.starts_with("//") {
            Parts::parse(&format!("{}:{location}", here.scheme))?
        } else {
            Parts::parse(location)?
        };
        if target.fragment.is_empty() {
            target.fragment.clone_from(&here.fragment);
        }
        let quoted = requote(&target.text());
        if !target.netloc.is_empty() {
            return self.follow(&quoted);
        }
        if quoted.is_empty() {
            return self.follow(&self.to_string());
        }
        let reference = Parts::parse(&quoted)?;
        if !reference.scheme.is_empty() && reference.scheme != here.scheme {
            return self.follow(&quoted);
        }
        self.follow(&here.join(&reference).text())
    }

    /// The URL of exactly this text, which requests sends a redirected request to without preparing it again.
    fn follow(&self, text: &str) -> Result<Self, UrlError> {
        let lower = text.get(..8).unwrap_or(text).to_ascii_lowercase();
        if !lower.starts_with("http://") && !lower.starts_with("https://") {
            return Err(UrlError::OtherScheme { url: text.to_owned() });
        }
        let parts = Parts::parse(text)?;
        let scheme = if parts.is_secure() { Scheme::Https } else { Scheme::Http };
        let port = parts.port().map_err(|error| UrlError::Invalid(error.to_string()))?;
        let host = parts.host();
        if host.is_empty() {
            return Err(UrlError::NoHost);
        }
        let host = if host.contains(':') { host } else { host::normalise(&host)? };
        let port = port.unwrap_or(scheme.default_port());
        let (prefix, tail) = text.split_at(parts.scheme.len() + 3 + parts.netloc.len());
        Ok(Self::new(self.origin_for(scheme, &host, port, prefix), tail))
    }

    fn resolve_gevent(&self, location: &str) -> Result<Self, UrlError> {
        let here = Parts::parse(&self.to_string())?;
        let mut target = Parts::parse(location)?;
        if target.scheme.is_empty() {
            target.scheme.clone_from(&here.scheme);
            if target.netloc.is_empty() {
                target.netloc.clone_from(&here.netloc);
                merge_paths(&here, &mut target);
            }
        }
        target.path = remove_dot_segments(&target.path);
        if !matches!(&*target.scheme, "http" | "https") {
            return Err(UrlError::UnsupportedRedirect { scheme: target.scheme });
        }
        self.gevent_url(&target, &target.text())
    }

    fn gevent_url(&self, parts: &Parts, text: &str) -> Result<Self, UrlError> {
        let (scheme, host, port, prefix) = gevent_origin(parts, text)?;
        gevent_url(self.origin_for(scheme, &host, port, prefix), parts)
    }

    fn origin_for(&self, scheme: Scheme, host: &str, port: u16, prefix: &str) -> Arc<Origin> {
        if *prefix == *self.origin.prefix {
            return Arc::clone(&self.origin);
        }
        Origin::new(self.origin.style, scheme, host, port, prefix)
    }
}

/// `http+unix://%2Frun%2Fserver.sock/path`: the socket's path, encoded, where the host is otherwise.
fn prepare_unix(style: Style, text: &str, params: &str) -> Result<Url, UrlError> {
    let rest = &text[UNIX.len()..];
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let (socket, rest) = (unquote(&rest[..end]), &rest[end..]);
    if socket.is_empty() {
        return Err(UrlError::MissingHost { url: text.to_owned() });
    }
    // Behind the host all is as with any other.
    let url = Url::prepare(style, &format!("{LOCAL}{rest}"), params)?;
    let prefix = &text[..UNIX.len() + end];
    Ok(Url { origin: Origin::new(style, Scheme::Unix, &socket, Scheme::Unix.default_port(), prefix), ..url })
}

const LOCAL: &str = "http://localhost";

fn local(style: Style) -> Arc<Origin> {
    Origin::new(style, Scheme::Http, "localhost", Scheme::Http.default_port(), LOCAL)
}

fn prepare_requests(text: &str, params: &str) -> Result<Url, UrlError> {
    let text = text.trim_start_matches(is_space);
    let starts_as_http = text.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("http"));
    if text.contains(':') && !starts_as_http {
        return Err(UrlError::OtherScheme { url: text.to_owned() });
    }
    let uri = Uri::parse(text)?;
    let Some(scheme) = &uri.scheme else {
        return Err(UrlError::MissingScheme { url: text.to_owned() });
    };
    if uri.host.is_empty() {
        return Err(UrlError::MissingHost { url: text.to_owned() });
    }
    if uri.host.starts_with(['*', '.']) {
        return Err(UrlError::InvalidLabel);
    }
    let port = uri.port.filter(|&port| port != 0);
    let (prefix, tail) = (uri.prefix(scheme, port), uri.tail(params));
    let escapes_count = escapes_are_sound(&prefix) && escapes_are_sound(&tail);
    let prefix = requote_with(&prefix, escapes_count);
    let tail = requote_with(&tail, escapes_count);
    let scheme = match &**scheme {
        "http" => Scheme::Http,
        "https" => Scheme::Https,
        _ => {
            return Err(UrlError::OtherScheme { url: prefix + &tail });
        }
    };
    let port = port.unwrap_or(scheme.default_port());
    let host = connect_host(&uri.host, &prefix)?;
    Ok(Url::new(Origin::new(Style::Requests, scheme, &host, port, &prefix), &tail))
}

/// The host to connect to: what the text says after its last encoding. An address goes without its brackets.
fn connect_host(host: &str, prefix: &str) -> Result<String, UrlError> {
    match host.strip_prefix('[') {
        Some(address) => Ok(lower(address.trim_end_matches(']'))),
        None => host::normalise(&Parts::parse(prefix)?.host()),
    }
}

/// A URL as urllib3's parser gives it: each part encoded, the host normalised.
struct Uri<'a> {
    scheme: Option<String>,
    userinfo: Option<Cow<'a, str>>,
    host: String,
    port: Option<u16>,
    path: String,
    query: Cow<'a, str>,
    fragment: Cow<'a, str>,
}

impl<'a> Uri<'a> {
    fn parse(text: &'a str) -> Result<Self, UrlError> {
        let (scheme, rest) = split_scheme(text);
        let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (authority, path) = split_authority(rest, scheme.is_none() && !text.starts_with('/'));
        let (userinfo, host) = authority.rsplit_once('@').unwrap_or(("", authority));
        let (host, port) = split_host(host)?;
        let port = match port.map(str::parse).transpose() {
            Ok(port) => port,
            Err(_) if scheme.is_none() && !text.starts_with('/') => {
                return Err(UrlError::Unparsable(format!("//{text}")));
            }
            Err(_) => return Err(UrlError::Unparsable(text.to_owned())),
        };
        Ok(Self {
            scheme: scheme.map(str::to_ascii_lowercase),
            userinfo: (!userinfo.is_empty()).then(|| encode_component(userinfo, USERINFO)),
            host: host::normalise(host)?,
            port,
            path: encode_component(&remove_dots(path), PATH).into_owned(),
            query: encode_component(query, QUERY),
            fragment: encode_component(fragment, QUERY),
        })
    }

    fn prefix(&self, scheme: &str, port: Option<u16>) -> String {
        let mut prefix = format!("{scheme}://");
        if let Some(userinfo) = &self.userinfo {
            prefix.push_str(userinfo);
            prefix.push('@');
        }
        prefix.push_str(&self.host);
        if let Some(port) = port {
            prefix.push(':');
            prefix.push_str(itoa::Buffer::new().format(port));
        }
        prefix
    }

    fn tail(&self, params: &str) -> String {
        let mut tail = String::with_capacity(self.path.len() + self.query.len() + params.len() + 3);
        if !self.path.starts_with('/') {
            tail.push('/');
        }
        tail.push_str(&self.path);
        if !self.query.is_empty() || !params.is_empty() {
            tail.push('?');
            tail.push_str(&self.query);
            if !self.query.is_empty() && !params.is_empty() {
                tail.push('&');
            }
            tail.push_str(params);
        }
        if !self.fragment.is_empty() {
            tail.push('#');
            tail.push_str(&self.fragment);
        }
        tail
    }
}

/// The scheme, if the text has one, and what follows its colon.
fn split_scheme(text: &str) -> (Option<&str>, &str) {
    let sound = |scheme: &str| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'-'))
    };
    match text.split_once(':') {
        Some((scheme, rest)) if sound(scheme) => (Some(scheme), rest),
        _ => (None, text),
    }
}

/// The authority (behind `//`, or at the start of a text that has no scheme) and the path.
fn split_authority(text: &str, bare: bool) -> (&str, &str) {
    let Some(rest) = (if bare { Some(text) } else { text.strip_prefix("//") }) else {
        return ("", text);
    };
    rest.split_at(rest.find(['\\', '/']).unwrap_or(rest.len()))
}

fn split_host(text: &str) -> Result<(&str, Option<&str>), UrlError> {
    split_port(text).ok_or_else(|| {
        let unparsable = || UrlError::Unparsable(format!("{} is not a valid host or port", repr(text)));
        invalid_character(text).unwrap_or_else(unparsable)
    })
}

/// Dot segments resolved as urllib3 does it: a path above the root stays at the root.
fn remove_dots(path: &str) -> Cow<'_, str> {
    if !path.contains('.') {
        return Cow::Borrowed(path);
    }
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "." => {}
            ".." => {
                kept.pop();
            }
            other => kept.push(other),
        }
    }
    if path.starts_with('/') && kept.first().is_none_or(|first| !first.is_empty()) {
        kept.insert(0, "");
    }
    if path.ends_with("/.") || path.ends_with("/..") {
        kept.push("");
    }
    Cow::Owned(kept.join("/"))
}

/// urllib3's last word on what a request line carries.
pub(super) fn encode_target(text: &str) -> Cow<'_, str> {
    let (path, query) = text.split_once('?').unwrap_or((text, ""));
    let (path, query) = (encode_component(path, PATH), encode_component(query, QUERY));
    if let (Cow::Borrowed(_), Cow::Borrowed(_)) = (&path, &query) {
        return Cow::Borrowed(text);
    }
    let delimiter = if text.contains('?') { "?" } else { "" };
    let encoded = [&*path, delimiter, &*query].concat();
    if encoded == text { Cow::Borrowed(text) } else { Cow::Owned(encoded) }
}

fn prepare_gevent(text: &str, params: &str) -> Result<Url, UrlError> {
    let mut parts = Parts::parse(text)?;
    let (scheme, host, port, prefix) = gevent_origin(&parts, text)?;
    let origin = Origin::new(Style::Gevent, scheme, &host, port, prefix);
    if !params.is_empty() {
        if !parts.query.is_empty() {
            parts.query.push('&');
        }
        parts.query.push_str(params);
    }
    gevent_url(origin, &parts)
}

/// Scheme, host and port to connect to, and the text of the URL up to its path. Any scheme but `https` is plain
/// HTTP to geventhttpclient, and a text without a host has an empty one, which then cannot be resolved.
fn gevent_origin<'a>(parts: &Parts, text: &'a str) -> Result<(Scheme, String, u16, &'a str), UrlError> {
    let scheme = if parts.is_secure() { Scheme::Https } else { Scheme::Http };
    let port = parts.port()?.filter(|&port| port != 0).unwrap_or(scheme.default_port());
    let host = parts.host();
    let host = if host.is_ascii() {
        host
    } else {
        let labels: Option<Vec<_>> = host.split('.').map(host::international).collect();
        labels.map(|labels| labels.join(".")).unwrap_or(host)
    };
    let start = text.find("//").filter(|_| !parts.netloc.is_empty());
    let end =
        start.map_or(0, |start| start + 2 + text[start + 2..].find(['/', '?', '#']).unwrap_or(text.len() - start - 2));
    Ok((scheme, host, port, &text[..end]))
}

fn gevent_url(origin: Arc<Origin>, parts: &Parts) -> Result<Url, UrlError> {
    let mut tail = parts.request_text();
    if tail.starts_with("//") {
        let reason = "protocol-relative targets are not origin-form";
        return Err(UrlError::Malformed(format!("invalid request URI {}: {reason}", repr(&requote(&tail)))));
    }
    if !parts.fragment.is_empty() {
        tail.push('#');
        tail.push_str(&parts.fragment);
    }
    Ok(Url::new(origin, &tail))
}

/// A relative reference's path, seen from `here`. Dots are still in it.
fn merge_paths(here: &Parts, target: &mut Parts) {
    if target.path.is_empty() && target.params.is_empty() {
        target.path.clone_from(&here.path);
        target.params.clone_from(&here.params);
        if target.query.is_empty() {
            target.query.clone_from(&here.query);
        }
    } else if !target.path.starts_with('/') {
        let directory = here.path.rfind('/').map_or("/", |slash| &here.path[..=slash]);
        target.path.insert_str(0, directory);
    }
}

/// Dot segments resolved as RFC 3986 5.2.4 has it.
fn remove_dot_segments(path: &str) -> String {
    let mut rest = path;
    let mut kept: Vec<&str> = Vec::new();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix("../").or_else(|| rest.strip_prefix("./")) {
            rest = after;
        } else if matches!(rest, "." | "..") {
            rest = "";
        } else if rest.starts_with("/./") {
            rest = &rest[2..];
        } else if rest.starts_with("/../") {
            rest = &rest[3..];
            kept.pop();
        } else if rest == "/." {
            rest = "/";
        } else if rest == "/.." {
            rest = "/";
            kept.pop();
        } else {
            let end = rest.match_indices('/').map(|(at, _)| at).find(|&at| at > 0).unwrap_or(rest.len());
            let (segment, after) = rest.split_at(end);
            kept.push(segment);
            rest = after;
        }
    }
    kept.concat()
}
