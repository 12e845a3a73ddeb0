//! A request, prepared: what the session sends, and what a response can tell of how it came about.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::cookies::Cookie;
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
    /// Cookies for this request and what it is redirected to, beside the session's.
    pub cookies: Vec<Cookie>,
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
        let has = |wanted: &[u8]| self.pairs().any(|(name, _)| name.eq_ignore_ascii_case(wanted));
        (self.has_host, self.has_cookie) = (has(b"host"), has(b"cookie"));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::transport::probe;
    use crate::http::url::{Style, Url};
    use proptest::collection::vec;
    use proptest::prelude::*;

    type Pairs = Vec<(String, String)>;

    /// Names that meet each other again in other spellings, with values that may look like lines.
    fn fields() -> impl Strategy<Value = Pairs> {
        vec(("[aA]|[xX]-[bB]|[hH]ost|[cC]ookie|Accept", "[!-~]?([ -~:é]{0,8}[!-~])?"), 0..5)
    }

    fn encoded(fields: &Pairs) -> Vec<u8> {
        let mut out = Vec::new();
        fields.iter().for_each(|(name, value)| push_line(&mut out, name.as_bytes(), value.as_bytes()));
        out
    }

    fn has(fields: &Pairs, wanted: &str) -> bool {
        fields.iter().any(|(name, _)| name.eq_ignore_ascii_case(wanted))
    }

    proptest! {
        #[test]
        fn lines_are_what_a_list_of_pairs_is(
            (shared, own, trailing) in (fields(), fields(), fields()),
            removed in "[aA]|[xX]-[bB]|HOST|cookie|none",
        ) {
            let mut all: Pairs = [&shared, &own, &trailing].into_iter().flatten().cloned().collect();
            let mut lines = HeaderLines {
                shared: encoded(&shared).into(),
                own: encoded(&own),
                trailing: encoded(&trailing),
                has_host: has(&all, "host"),
                has_cookie: has(&all, "cookie"),
            };
            for name in ["", &*removed] {
                lines.remove(name);
                all.retain(|(own, _)| !own.eq_ignore_ascii_case(name));
                let pairs: Vec<_> = all.iter().map(|(name, value)| (name.as_bytes(), value.as_bytes())).collect();
                prop_assert_eq!(lines.pairs().collect::<Vec<_>>(), pairs);
                prop_assert_eq!((lines.has_host, lines.has_cookie), (has(&all, "host"), has(&all, "cookie")));
            }
        }

        #[test]
        fn a_head_has_a_line_for_each_pair_and_exactly_one_host(fields in fields(), cookies in prop::option::of("[a-z]=[a-z]")) {
            let mut request = probe::request("GET", Url::prepare(Style::Requests, "http://h/a b", "").unwrap());
            request.headers.own = encoded(&fields);
            request.headers.has_host = has(&fields, "host");
            let mut head = Vec::new();
            request.encode_head(cookies.as_deref(), &mut head);
            let mut headers = [httparse::EMPTY_HEADER; 20];
            let mut parsed = httparse::Request::new(&mut headers);
            prop_assert_eq!(parsed.parse(&head), Ok(httparse::Status::Complete(head.len())));
            let own = usize::from(!request.headers.has_host) + usize::from(cookies.is_some());
            prop_assert_eq!(parsed.headers.len(), fields.len() + own);
            prop_assert!(parsed.headers.iter().any(|header| header.name.eq_ignore_ascii_case("host")));
        }
    }
}
