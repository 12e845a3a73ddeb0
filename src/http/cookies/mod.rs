//! A session's cookies, by the rules of Python's `http.cookiejar`, which both of Locust's clients use.
//!
//! Those are older and looser than RFC 6265, and a drop-in has to share them: a cookie without a domain also goes
//! to subdomains, a host without a dot is called `host.local`, a `Domain` may name any part of it that holds a dot,
//! cookies leave in the order they came, longer paths first. The `cookie_store` crate follows the RFC, keeps no
//! order, and wants its own parsed URL for every request: it is not used here.
//!
//! Text is ISO-8859-1 in both directions, as in Python: [`crate::http::text`] converts.

use std::time::{SystemTime, UNIX_EPOCH};

mod date;
mod parse;
#[cfg(test)]
mod tests;

use super::url::{Scheme, Url};

/// One cookie, with the fields that Python's `Cookie` shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are Python's")]
pub struct Cookie {
    pub name: Box<str>,
    /// Absent where the server sent a name alone.
    pub value: Option<Box<str>>,
    /// With a leading dot if the server named it; empty for a cookie that goes everywhere.
    pub domain: Box<str>,
    pub path: Box<str>,
    /// Ports, with commas between, that it goes to alone.
    pub port: Option<Box<str>>,
    /// Seconds of the epoch; absent for a cookie of this session.
    pub expires: Option<i64>,
    pub secure: bool,
    pub domain_specified: bool,
    /// Whether the server itself wrote the leading dot.
    pub domain_initial_dot: bool,
    pub path_specified: bool,
    pub port_specified: bool,
    pub discard: bool,
    /// What else the server said (`HttpOnly`, `SameSite=Lax`), as it said it.
    pub rest: Box<str>,
}

impl Cookie {
    /// A cookie as requests' `create_cookie` makes it: without a domain it goes to every host.
    pub fn new(name: &str, value: &str, domain: &str, path: &str) -> Self {
        Self {
            name: name.into(),
            value: Some(value.into()),
            domain: domain.into(),
            path: path.into(),
            domain_specified: !domain.is_empty(),
            domain_initial_dot: domain.starts_with('.'),
            path_specified: !path.is_empty(),
            discard: true,
            rest: "HttpOnly".into(),
            ..Self::default()
        }
    }

    fn is_at(&self, domain: &str, path: &str, name: &str) -> bool {
        (&*self.domain, &*self.path, &*self.name) == (domain, path, name)
    }

    fn goes_to(&self, site: &Site, now: i64) -> bool {
        site.is_in(&self.domain)
            && site.is_under(&self.path)
            && (site.secure || !self.secure)
            && self.expires.is_none_or(|expires| expires > now)
            && self.port.as_deref().is_none_or(|ports| ports.split(',').any(|port| port == site.port()))
    }
}

/// The cookies of one session. Empty, as most stay, it takes no heap.
#[derive(Debug, Clone, Default)]
pub struct Jar {
    cookies: Vec<Cookie>,
    version: u64,
}

impl Jar {
    pub const fn new() -> Self {
        Self { cookies: Vec::new(), version: 0 }
    }

    /// Counts the changes, so that a copy elsewhere knows when it is old.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// In the order in which Python's jar lists them: by domain, path and name, each in the order they came.
    pub fn list(&self) -> &[Cookie] {
        &self.cookies
    }

    /// The `Cookie` header of a request to `url`, if any cookie goes there.
    ///
    /// `host` is the request's own `Host` header, if it was given one: cookies then go by that name. A request that
    /// brings a `Cookie` header of its own keeps that one, and this is not asked.
    pub fn header(&self, url: &Url, host: Option<&str>) -> Option<String> {
        if self.cookies.is_empty() {
            return None;
        }
        self.header_at(&Site::new(url, host), now())
    }

    /// The cookies of both, `others` in the place of those they replace.
    #[must_use]
    pub fn merged_with(&self, others: &[Cookie]) -> Self {
        let mut merged = self.clone();
        merged.update(others);
        merged
    }

    /// Put these in, each in the place of the one it replaces.
    pub fn update(&mut self, others: &[Cookie]) {
        for cookie in others {
            self.insert(cookie.clone());
        }
    }

    fn header_at(&self, site: &Site, now: i64) -> Option<String> {
        let mut going: Vec<&Cookie> = self.cookies.iter().filter(|cookie| cookie.goes_to(site, now)).collect();
        going.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.chars().count()));
        let mut header = String::new();
        for cookie in &going {
            if !header.is_empty() {
                header.push_str("; ");
            }
            header.push_str(&cookie.name);
            if let Some(value) = &cookie.value {
                header.push('=');
                header.push_str(value);
            }
        }
        (!going.is_empty()).then_some(header)
    }

    /// Keep what a response from `url` set; `host` as for [`Self::header`].
    pub fn store<'a>(&mut self, url: &Url, host: Option<&str>, set_cookie: impl IntoIterator<Item = &'a [u8]>) {
        let mut headers = set_cookie.into_iter().peekable();
        if headers.peek().is_some() {
            self.store_at(&Site::new(url, host), headers, now());
        }
    }

    fn store_at<'a>(&mut self, site: &Site, headers: impl Iterator<Item = &'a [u8]>, now: i64) {
        let texts = headers.map(super::text::from_latin1);
        let Ok(said) = texts.map(|text| parse::Said::parse(&text, now)).collect::<Result<Vec<_>, _>>() else {
            // One that Python's parser trips over takes the others of its response with it.
            return;
        };
        // All are read before one is kept: a cookie that expires another cannot reach those of its own response.
        let mut kept = Vec::new();
        for cookie in said.into_iter().flatten().filter_map(|said| said.cookie(site)) {
            if cookie.expires.is_some_and(|expires| expires <= now) {
                self.clear(Some(&cookie.domain), Some(&cookie.path), Some(&cookie.name));
            } else if site.may_set(&cookie) {
                kept.push(cookie);
            }
        }
        for cookie in kept {
            self.insert(cookie);
        }
    }

    /// Set a cookie as `session.cookies.set` does.
    pub fn set(&mut self, name: &str, value: &str, domain: &str, path: &str) {
        self.insert(Cookie::new(name, value, domain, path));
    }

    /// Put a cookie in, in the place of the one it replaces.
    pub fn insert(&mut self, mut cookie: Cookie) {
        if let Some(value) = cookie.value.as_deref().filter(|value| value.starts_with('"') && value.ends_with('"')) {
            cookie.value = Some(value.replace("\\\"", "").into());
        }
        let found = self.cookies.iter_mut().find(|old| old.is_at(&cookie.domain, &cookie.path, &cookie.name));
        match found {
            Some(old) if *old == cookie => return,
            Some(old) => *old = cookie,
            None => {
                let after = |same: &dyn Fn(&Cookie) -> bool| self.cookies.iter().rposition(same).map(|at| at + 1);
                let place = after(&|old| old.domain == cookie.domain && old.path == cookie.path)
                    .or_else(|| after(&|old| old.domain == cookie.domain))
                    .unwrap_or(self.cookies.len());
                self.cookies.insert(place, cookie);
            }
        }
        self.version += 1;
    }

    /// Drop every cookie that has these, `None` being any. Whether there was one comes back.
    pub fn clear(&mut self, domain: Option<&str>, path: Option<&str>, name: Option<&str>) -> bool {
        let is = |wanted: Option<&str>, own: &str| wanted.is_none_or(|wanted| wanted == own);
        let before = self.cookies.len();
        self.cookies.retain(|cookie| !(is(domain, &cookie.domain) && is(path, &cookie.path) && is(name, &cookie.name)));
        let found = self.cookies.len() < before;
        if found {
            self.version += 1;
        }
        if self.cookies.is_empty() {
            self.cookies = Vec::new();
        }
        found
    }
}

fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs().cast_signed())
}

/// What Python puts behind a name that has no dot.
const LOCAL: &str = ".local";

/// Where a request goes, as far as cookies care.
struct Site {
    /// Lower case, with a dot in front, `.local` behind a name that has no dot.
    dotted_host: String,
    path: String,
    /// Absent where Python cannot tell it: at an IPv6 address.
    port: Option<String>,
    secure: bool,
}

impl Site {
    fn new(url: &Url, host: Option<&str>) -> Self {
        let authority = host.unwrap_or(url.authority_for_host_header());
        let name = match authority.rsplit_once(':') {
            Some((name, port)) if !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => authority,
        };
        let local = if name.contains('.') { "" } else { LOCAL };
        let target = url.target();
        let path = target.split_once('?').map_or(&*target, |(path, _)| path);
        Self {
            dotted_host: format!(".{}{local}", name.to_lowercase()),
            path: parse::escape_path(path),
            port: (!url.host().contains(':')).then(|| url.explicit_port().unwrap_or(80).to_string()),
            secure: url.scheme() == Scheme::Https,
        }
    }

    fn host(&self) -> &str {
        &self.dotted_host[1..]
    }

    fn port(&self) -> &str {
        self.port.as_deref().unwrap_or("80")
    }

    fn is_in(&self, domain: &str) -> bool {
        match self.dotted_host.strip_suffix(domain) {
            Some(rest) => domain.is_empty() || domain.starts_with('.') || rest.ends_with('.'),
            None => false,
        }
    }

    fn is_under(&self, path: &str) -> bool {
        self.path.strip_prefix(path).is_some_and(|rest| rest.is_empty() || path.ends_with('/') || rest.starts_with('/'))
    }

    /// Whether a server here may set this cookie.
    fn may_set(&self, cookie: &Cookie) -> bool {
        (!cookie.domain_specified || self.may_name(&cookie.domain)) && self.may_ask_for_port(cookie)
    }

    fn may_name(&self, domain: &str) -> bool {
        let undotted = domain.strip_prefix('.').unwrap_or(domain);
        let local = self.host().strip_suffix(LOCAL);
        let inside = self.dotted_host.ends_with(domain) || local.is_some_and(|host| host.ends_with(undotted));
        (undotted.contains('.') || local.is_some()) && (inside || self.host().starts_with('.'))
    }

    fn may_ask_for_port(&self, cookie: &Cookie) -> bool {
        let Some(ports) = cookie.port.as_deref().filter(|_| cookie.port_specified) else {
            return true;
        };
        // A port that is no number before the right one spoils the list.
        let mut until = ports.split(',').take_while(|port| port.trim().parse::<i64>().is_ok());
        until.any(|port| port == self.port())
    }
}
