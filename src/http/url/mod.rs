//! URLs as Python's clients read, rewrite and join them.
//!
//! Two clients, two readings ([`Style`]): requests normalises every URL through urllib3 and refuses what is none,
//! geventhttpclient takes it nearly as it stands. Nothing here is WHATWG's reading: a load test must hit the very
//! path, and count it under the very name, that it hits with Locust.
//!
//! Almost every URL of a test is a base and a short plain path, so [`Base::join`] is made for that case: one scan,
//! one allocation. All else takes the long way, whose result is the same.

use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::text::repr;

mod host;
mod join;
mod parts;
mod prepare;
mod quote;
#[cfg(test)]
mod tests;

pub use join::{Base, Credentials, is_absolute};

/// Whose reading of a URL it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Style {
    /// requests, below `HttpUser`.
    Requests,
    /// geventhttpclient, below `FastHttpUser`.
    Gevent,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Scheme {
    Http,
    Https,
    /// HTTP through a Unix socket; the host is its path.
    Unix,
}

impl Scheme {
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Http | Self::Unix => 80,
            Self::Https => 443,
        }
    }
}

/// Why a text is no URL to send to. The words are those of requests.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    #[error("Invalid URL {}: No scheme supplied. Perhaps you meant https://{url}?", repr(url))]
    MissingScheme { url: String },
    #[error("No connection adapters were found for {}", repr(url))]
    OtherScheme { url: String },
    #[error("Invalid URL {}: No host supplied", repr(url))]
    MissingHost { url: String },
    /// A redirect led to a URL without a host.
    #[error("No host specified.")]
    NoHost,
    #[error("URL has an invalid label.")]
    InvalidLabel,
    #[error("Failed to parse: {0}")]
    Unparsable(String),
    /// What `urllib.parse` refuses, with its words; a bare `ValueError` in Python.
    #[error("{0}")]
    Malformed(String),
    /// The same where requests has put an `InvalidURL` around it.
    #[error("{0}")]
    Invalid(String),
    /// geventhttpclient follows no redirect that leaves HTTP.
    #[error("refusing to follow redirect to {} URL", repr(scheme))]
    UnsupportedRedirect { scheme: String },
}

/// The Python exception that an [`UrlError`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UrlErrorKind {
    MissingSchema,
    InvalidSchema,
    InvalidUrl,
    ValueError,
    UnsupportedRedirectScheme,
}

impl UrlError {
    pub const fn kind(&self) -> UrlErrorKind {
        match self {
            Self::MissingScheme { .. } => UrlErrorKind::MissingSchema,
            Self::OtherScheme { .. } => UrlErrorKind::InvalidSchema,
            Self::MissingHost { .. } | Self::NoHost | Self::InvalidLabel | Self::Unparsable(_) | Self::Invalid(_) => {
                UrlErrorKind::InvalidUrl
            }
            Self::Malformed(_) => UrlErrorKind::ValueError,
            Self::UnsupportedRedirect { .. } => UrlErrorKind::UnsupportedRedirectScheme,
        }
    }
}

/// Where a request goes: shared by all URLs joined to one [`Base`]. Two are equal if a connection to one serves the other.
#[derive(Debug)]
pub struct Origin {
    scheme: Scheme,
    style: Style,
    port: u16,
    /// Without brackets, as the resolver takes it; or the path of a socket.
    host: Box<str>,
    host_header: Box<str>,
    /// The URL's text up to its path.
    prefix: Box<str>,
    /// The prefix names a user or a password.
    has_userinfo: bool,
}

impl Origin {
    fn new(style: Style, scheme: Scheme, host: &str, port: u16, prefix: &str) -> Arc<Self> {
        let host_header = host_header(style, scheme, host, port);
        Arc::new(Self {
            scheme,
            style,
            port,
            host: host.into(),
            host_header: host_header.into(),
            prefix: prefix.into(),
            has_userinfo: prefix.contains('@'),
        })
    }

    pub fn scheme(&self) -> Scheme {
        self.scheme
    }

    pub fn is_secure(&self) -> bool {
        self.scheme == Scheme::Https
    }

    pub fn host(&self) -> &str {
        &self.host
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    /// The value of the `Host` header.
    pub fn host_header(&self) -> &str {
        &self.host_header
    }

    fn key(&self) -> (Scheme, &str, u16) {
        (self.scheme, &self.host, self.port)
    }
}

impl PartialEq for Origin {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Origin {}

impl Hash for Origin {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

fn host_header(style: Style, scheme: Scheme, host: &str, port: u16) -> String {
    if scheme == Scheme::Unix {
        return "localhost".to_owned();
    }
    let left_out = match style {
        Style::Requests => port == scheme.default_port(),
        Style::Gevent => matches!(port, 80 | 443),
    };
    let name = match style {
        // http.client leaves the zone of an address out, urllib3 the dot that ends a name.
        Style::Requests if host.contains(':') => host.split('%').next().unwrap_or(host),
        Style::Requests => host.trim_end_matches('.'),
        Style::Gevent => host,
    };
    let name = if name.contains(':') { Cow::Owned(format!("[{name}]")) } else { Cow::Borrowed(name) };
    if left_out { name.into_owned() } else { format!("{name}:{port}") }
}

/// A URL that can be requested. Its text is that of requests' `PreparedRequest.url`.
#[derive(Debug, Clone)]
pub struct Url {
    origin: Arc<Origin>,
    /// Path, query, fragment, the last two with their delimiters.
    tail: Box<str>,
    /// Where the fragment starts in `tail`.
    end: u32,
    form: Form,
}

/// What is known about a URL's tail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Form {
    /// It goes on the wire as it is.
    Plain,
    /// It goes through the client's last encoder first.
    Raw,
    /// As `Raw`, and its first slash is not in the URL: only the request line has it.
    Slashed,
}

impl Url {
    pub fn style(&self) -> Style {
        self.origin.style
    }

    fn new(origin: Arc<Origin>, tail: &str) -> Self {
        let end = memchr::memchr(b'#', tail.as_bytes()).unwrap_or(tail.len());
        let slashed = !tail.starts_with('/');
        let tail: Box<str> = if slashed { format!("/{tail}").into() } else { tail.into() };
        let mut url = Self { origin, tail, end: (end + usize::from(slashed)) as u32, form: Form::Raw };
        if slashed {
            url.form = Form::Slashed;
        } else if matches!(url.target(), Cow::Borrowed(_)) {
            url.form = Form::Plain;
        }
        url
    }

    pub fn scheme(&self) -> Scheme {
        self.origin.scheme
    }

    pub fn host(&self) -> &str {
        &self.origin.host
    }

    pub fn port(&self) -> u16 {
        self.origin.port
    }

    /// The port, if the URL's text names one.
    pub fn explicit_port(&self) -> Option<u16> {
        let authority = self.origin.prefix.rsplit(['@', '/', ']']).next()?;
        authority.split_once(':')?.1.parse().ok()
    }

    pub fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// The value of the `Host` header: a default port is left out.
    pub fn authority_for_host_header(&self) -> &str {
        &self.origin.host_header
    }

    /// Path and query, requests' `path_url`: the name a request has in the statistics unless it is given another.
    pub fn path_and_query(&self) -> &str {
        &self.tail[..self.end as usize]
    }

    pub fn path(&self) -> &str {
        let text = self.path_and_query();
        text.split_once('?').map_or(text, |(path, _)| path)
    }

    pub fn fragment(&self) -> &str {
        self.tail[self.end as usize..].strip_prefix('#').unwrap_or("")
    }

    /// What the request line carries. It differs from [`Self::path_and_query`] where the client encodes once more
    /// on the way out: `?a=[1]`, given to requests as a ready query, is named so and sent as `?a=%5B1%5D`.
    pub fn target(&self) -> Cow<'_, str> {
        let text = self.path_and_query();
        match (self.form, self.origin.style) {
            (Form::Plain, _) => Cow::Borrowed(text),
            (_, Style::Requests) => prepare::encode_target(text),
            (_, Style::Gevent) => {
                let quoted = quote::requote(text);
                if quoted == text { Cow::Borrowed(text) } else { Cow::Owned(quoted) }
            }
        }
    }

    /// User and password written into the URL, decoded, if it has both and they are not both empty.
    pub fn credentials(&self) -> Option<(String, String)> {
        if !self.origin.has_userinfo {
            return None;
        }
        let (_, netloc) = self.origin.prefix.split_once("//")?;
        let (user, password) = netloc.rsplit_once('@')?.0.split_once(':')?;
        (!user.is_empty() || !password.is_empty()).then(|| (quote::unquote(user), quote::unquote(password)))
    }

    fn tail_in_url(&self) -> &str {
        &self.tail[usize::from(self.form == Form::Slashed)..]
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.origin.prefix)?;
        f.write_str(self.tail_in_url())
    }
}

impl PartialEq for Url {
    fn eq(&self, other: &Self) -> bool {
        (&*self.origin.prefix, self.tail_in_url()) == (&*other.origin.prefix, other.tail_in_url())
    }
}

impl Eq for Url {}
