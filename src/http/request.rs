//! A request, prepared: what the session sends, and what a response can tell of how it came about.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::text::to_latin1;
use super::transport::{Proxy, Tls};
use super::upload::Upload;
use super::url::Url;

/// A request method. The common ones cost nothing to carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Method {
    Known(&'static str),
    Other(Box<str>),
}

impl Method {
    pub fn new(name: &str) -> Self {
        const KNOWN: [&str; 7] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS"];
        match KNOWN.into_iter().find(|known| *known == name) {
            Some(known) => Self::Known(known),
            None => Self::Other(name.into()),
        }
    }

    pub fn as_str(&self) -> &str {
        match self {
            Self::Known(name) => name,
            Self::Other(name) => name,
        }
    }

    /// Whether to send it twice does no more than to send it once (RFC 9110, 9.2.2).
    pub fn is_idempotent(&self) -> bool {
        matches!(self.as_str(), "GET" | "HEAD" | "OPTIONS" | "TRACE" | "PUT" | "DELETE")
    }

    pub fn has_no_response_body(&self) -> bool {
        self.as_str() == "HEAD"
    }
}

/// How requests of a session are sent. Shared: a session has one until a request asks for something else.
#[derive(Clone, Debug, PartialEq)]
pub struct Settings {
    pub connect_timeout: Option<Duration>,
    /// The longest silence while something is expected from the server.
    pub read_timeout: Option<Duration>,
    /// How many redirects to follow; `None`: none, a 3xx is the response.
    pub redirects: Option<u32>,
    pub tls: Tls,
    /// How many requests of one session (or of the sessions of one pool) may be under way at once.
    pub max_connections: usize,
    pub at_the_limit: AtTheLimit,
    pub retries: Retries,
    /// What a locustfile has chosen itself, of the statuses that mean something to the client.
    pub statuses: Option<Arc<Statuses>>,
    /// HTTP/2 where the server speaks it; without TLS it is taken to.
    pub http2: bool,
    /// The proxy to go through; with HTTP/1.1 then, whatever is asked for.
    pub proxy: Option<Arc<Proxy>>,
}

/// What becomes of a request when its pool has as many under way as it may.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AtTheLimit {
    Wait,
    /// It gets a connection that is closed when no longer needed: so many, and no more, are kept.
    OpenMore,
}

/// How often a request is sent again that got no answer in time, and after what pause.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Retries {
    pub limit: u32,
    pub pause: Duration,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Statuses {
    /// These count as successes.
    pub valid: Vec<u16>,
    /// With these, where they are valid, a Location is followed.
    pub redirecting: Vec<u16>,
}

/// Header lines, encoded (`Name: value\r\n`), in the order they are sent. Neither Host nor Cookie is among them.
#[derive(Clone, Debug)]
pub struct HeaderLines {
    /// The session's, encoded once.
    pub shared: Arc<[u8]>,
    /// This request's.
    pub own: Vec<u8>,
    /// What follows from the body and from `auth=`: behind the cookies, where `requests` puts them.
    pub trailing: Vec<u8>,
    /// The caller gave a Host header himself: it is among the lines.
    pub has_host: bool,
    /// The caller gave a Cookie header himself: cookies of the session are not sent.
    pub has_cookie: bool,
}

/// Who looks up names.
#[derive(Clone, Debug, Default)]
pub enum Names {
    #[default]
    System,
    /// The caller, who has given these answers so far.
    Caller(Vec<Answer>),
}

/// The addresses of a host, to be used once: the next connection asks again.
#[derive(Clone, Debug)]
pub struct Answer {
    pub host: String,
    pub port: u16,
    pub addresses: Vec<SocketAddr>,
}

impl Answer {
    pub fn is_for(&self, host: &str, port: u16) -> bool {
        self.port == port && self.host == host
    }
}

#[derive(Clone, Debug)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderLines,
    pub body: Option<Box<[u8]>>,
    /// A body that is made while it is being sent, framed as its headers say.
    pub upload: Option<Arc<Upload>>,
    /// Cookies for this request and what it is redirected to, whatever their domain.
    pub cookies: Vec<(String, String)>,
    pub settings: Arc<Settings>,
    /// The response is wanted when its head is in, and its body as it arrives.
    pub stream: bool,
    /// The caller keeps cookies himself: none of the session's are sent, and none are kept.
    pub bare: bool,
    pub names: Names,
}

impl Request {
    pub fn encode_head(&self, cookies: Option<&str>, out: &mut Vec<u8>) {
        out.extend_from_slice(self.method.as_str().as_bytes());
        out.push(b' ');
        out.extend_from_slice(self.url.target().as_bytes());
        out.extend_from_slice(b" HTTP/1.1\r\n");
        if !self.headers.has_host {
            out.extend_from_slice(b"Host: ");
            out.extend_from_slice(self.url.authority_for_host_header().as_bytes());
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(&self.headers.shared);
        out.extend_from_slice(&self.headers.own);
        if let Some(cookies) = cookies {
            out.extend_from_slice(b"Cookie: ");
            // As Python writes headers; a cookie that came from elsewhere and is no ISO-8859-1 goes as it is.
            match to_latin1(cookies) {
                Ok(bytes) => out.extend_from_slice(&bytes),
                Err(_) => out.extend_from_slice(cookies.as_bytes()),
            }
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(&self.headers.trailing);
        out.extend_from_slice(b"\r\n");
    }
}

impl HeaderLines {
    /// Drop every line with this name (any case).
    pub fn remove(&mut self, name: &str) {
        self.retain(|own| !own.eq_ignore_ascii_case(name));
    }

    /// Keep the lines whose names `keep` says yes to.
    pub fn retain(&mut self, keep: impl Fn(&str) -> bool) {
        let keeps = |name: &[u8]| std::str::from_utf8(name).map_or(true, &keep);
        if lines(&self.shared).any(|(name, _)| !keeps(name)) {
            self.shared = kept(&self.shared, keeps).into();
        }
        self.own = kept(&self.own, keeps);
        self.trailing = kept(&self.trailing, keeps);
        let has_cookie = self.pairs().any(|(name, _)| name.eq_ignore_ascii_case(b"cookie"));
        self.has_cookie = has_cookie;
    }

    /// The Host header that the caller gave.
    pub fn host(&self) -> Option<&str> {
        if !self.has_host {
            return None;
        }
        let (_, value) = self.pairs().find(|(name, _)| name.eq_ignore_ascii_case(b"host"))?;
        std::str::from_utf8(value).ok()
    }

    /// All lines as pairs, in the order they are sent.
    pub fn pairs(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        lines(&self.shared).chain(lines(&self.own)).chain(lines(&self.trailing))
    }
}

fn kept(block: &[u8], keeps: impl Fn(&[u8]) -> bool) -> Vec<u8> {
    let mut kept = Vec::with_capacity(block.len());
    for (name, value) in lines(block).filter(|(name, _)| keeps(name)) {
        push_line(&mut kept, name, value);
    }
    kept
}

pub fn push_line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}

fn lines(block: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    block.split_inclusive(|b| *b == b'\n').filter_map(|line| {
        let line = line.strip_suffix(b"\r\n")?;
        // Not a search for both bytes: to set one up costs more than these few do.
        let colon = memchr::memchr_iter(b':', line).find(|at| line.get(at + 1) == Some(&b' '))?;
        Some((&line[..colon], &line[colon + 2..]))
    })
}
