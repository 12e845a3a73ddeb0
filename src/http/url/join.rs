//! Joining a path to a client's base URL, the step every request takes.

use std::sync::Arc;

use super::parts::Parts;
use super::quote::{PATH, UNRESERVED, escape_at, unquote};
use super::{Form, Origin, Style, Url, UrlError};

/// A client's base URL, prepared once.
///
/// Joining is Locust's: plain concatenation, unless the path is an absolute URL itself. Cloning shares the origin.
#[derive(Debug, Clone)]
pub struct Base {
    style: Style,
    text: Arc<str>,
    /// Absent if the base is such that nothing can be told about a joined URL before it is parsed.
    plain: Option<Plain>,
}

/// A base that is an origin and a plain path.
#[derive(Debug, Clone)]
struct Plain {
    origin: Arc<Origin>,
    /// Empty, or a path that changes nothing and is changed by nothing.
    path: Box<str>,
}

impl Base {
    /// Any text will do: what is wrong with it shows when a path is joined, as it does on Locust.
    pub fn new(style: Style, text: &str) -> Self {
        Self { style, text: text.into(), plain: Plain::new(style, text) }
    }

    pub fn text(&self) -> &str {
        &self.text
    }

    /// The URL of `path` on this base.
    pub fn join(&self, path: &str) -> Result<Url, UrlError> {
        self.join_with(path, "")
    }

    /// As [`Self::join`], with an encoded query to append.
    pub fn join_with(&self, path: &str, params: &str) -> Result<Url, UrlError> {
        if let Some(url) = self.plain.as_ref().and_then(|plain| plain.join(self.style, path, params)) {
            return Ok(url);
        }
        if is_absolute(path) {
            return Url::prepare(self.style, path, params);
        }
        Url::prepare(self.style, &[&*self.text, path].concat(), params)
    }
}

/// A base URL's user and password, decoded, and the base without them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Credentials {
    pub user: String,
    pub password: String,
    pub base: String,
}

impl Credentials {
    /// Locust takes credentials out of a base only if it names a user and a password.
    pub fn of(base: &str) -> Option<Self> {
        let mut parts = Parts::parse(base).ok()?;
        let (userinfo, host) = parts.netloc.rsplit_once('@')?;
        let (user, password) =
            userinfo.split_once(':').filter(|(user, password)| !user.is_empty() && !password.is_empty())?;
        let (user, password) = (unquote(user), unquote(password));
        parts.netloc = host.to_owned();
        Some(Self { user, password, base: parts.text() })
    }
}

impl Plain {
    fn new(style: Style, text: &str) -> Option<Self> {
        let url = Url::prepare(style, text, "").ok()?;
        let authority = text.find("://").filter(|_| is_absolute(text))? + 3;
        let path = &text[authority + text[authority..].find(['/', '?', '#', '\\']).unwrap_or(text.len() - authority)..];
        // An escape in the host (an address's zone) can change what escapes in the path mean.
        let plain = !url.origin.prefix.contains('%') && is_plain(style, path, Place::Path) && !path.contains('?');
        plain.then(|| Self { origin: url.origin, path: path.into() })
    }

    fn join(&self, style: Style, path: &str, params: &str) -> Option<Url> {
        let joins = path.starts_with('/') || (self.path.ends_with('/') && !is_absolute(path));
        // geventhttpclient refuses a doubled slash at the start: the long way tells.
        let doubled = style == Style::Gevent && (path.starts_with("//") || &*self.path == "/" && path.starts_with('/'));
        if !joins || doubled || !is_plain(style, path, Place::Path) {
            return None;
        }
        let tail: Box<str> =
            if self.path.is_empty() && params.is_empty() { path.into() } else { self.concat(style, path, params)? };
        Some(Url { origin: Arc::clone(&self.origin), end: tail.len() as u32, tail, form: Form::Plain })
    }

    fn concat(&self, style: Style, path: &str, params: &str) -> Option<Box<str>> {
        let delimiter = match params {
            "" => "",
            _ if !is_plain(style, params, Place::Query) => return None,
            _ if path.contains('?') => "&",
            _ => "?",
        };
        Some([&*self.path, path, delimiter, params].concat().into())
    }
}

/// What URLs of Unix sockets start with. Ours: Locust's clients know none.
pub(super) const UNIX: &str = "http+unix://";

/// Locust's test for a URL that is not relative to the base.
pub fn is_absolute(text: &str) -> bool {
    let starts = |prefix: &str| text.get(..prefix.len()).is_some_and(|head| head.eq_ignore_ascii_case(prefix));
    starts("http://") || starts("https://") || starts(UNIX)
}

/// What a byte means to [`is_plain`].
#[derive(Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
enum Class {
    Plain,
    Dot,
    Escape,
    Query,
    Parameter,
    Other,
}

static CLASSES: [Class; 256] = {
    let mut table = [Class::Other; 256];
    let mut byte = 0u8;
    while byte < 128 {
        table[byte as usize] = match byte {
            b'.' => Class::Dot,
            b'%' => Class::Escape,
            b'?' => Class::Query,
            b';' => Class::Parameter,
            b if PATH.has(b) => Class::Plain,
            _ => Class::Other,
        };
        byte += 1;
    }
    table
};

/// Where a text starts: in a path, at a segment, or in the query.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Path,
    Query,
}

/// Whether neither client would change anything in a text. `false` only costs time.
fn is_plain(style: Style, text: &str, place: Place) -> bool {
    let bytes = text.as_bytes();
    let mut in_query = place == Place::Query;
    let mut segment_start = true;
    let mut i = 0;
    while let Some(&byte) = bytes.get(i) {
        match CLASSES[usize::from(byte)] {
            Class::Plain => {}
            // `.` and `..` are resolved; the names that merely start so are few.
            Class::Dot if in_query || !segment_start || starts_a_name(bytes, i) => {}
            Class::Escape if is_settled(bytes, i) => i += 2,
            // An empty query would be dropped with its delimiter.
            Class::Query if !in_query && i + 1 == bytes.len() => return false,
            Class::Query => in_query = true,
            // geventhttpclient drops a `;` that nothing follows.
            Class::Parameter if style == Style::Requests || in_query => {}
            _ => return false,
        }
        segment_start = byte == b'/';
        i += 1;
    }
    true
}

fn starts_a_name(bytes: &[u8], dot: usize) -> bool {
    !matches!(bytes.get(dot + 1), None | Some(b'.' | b'/' | b'?'))
}

/// Whether the escape at `at` is in upper case and of a character that stays escaped.
fn is_settled(bytes: &[u8], at: usize) -> bool {
    let upper = |i: usize| bytes.get(i).is_some_and(|b| matches!(b, b'0'..=b'9' | b'A'..=b'F'));
    let unreserved = || escape_at(bytes, at).is_none_or(|value| UNRESERVED.has(value));
    upper(at + 1) && upper(at + 2) && !unreserved()
}
