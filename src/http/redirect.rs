//! Whether a response leads on, and as what request: requests' rules and geventhttpclient's.

use super::url::{Origin, Url, UrlError};

pub use super::url::Style as RedirectStyle;

/// Whether a response is a redirect (requests' `is_redirect`): its status says so, and it says where to.
pub fn is_redirect(status: u16, location: Option<&[u8]>) -> bool {
    matches!(status, 301 | 302 | 303 | 307 | 308) && location.is_some()
}

/// A response, seen as a signpost. The client that follows is the one whose style `url` has.
#[derive(Debug, Clone, Copy)]
pub struct Hop<'a> {
    /// In upper case.
    pub method: &'a str,
    pub status: u16,
    /// The header's value. Where it is there more than once, requests has the values with commas between and
    /// geventhttpclient has none.
    pub location: Option<&'a [u8]>,
    /// What was requested.
    pub url: &'a Url,
    /// Where the first request of the chain went.
    pub first: &'a Origin,
    /// How many redirects of the chain were followed already.
    pub followed: usize,
    pub max_redirects: usize,
}

/// What to do with a response.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step<'a> {
    /// Hand it to the user.
    Done,
    Follow(Redirect<'a>),
    /// It leads on, but too many did before.
    TooMany,
}

/// The next request, as it differs from the last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Redirect<'a> {
    pub url: Url,
    pub method: &'a str,
    /// The body stays behind, and the headers that described it.
    pub drops_body: bool,
    /// The credentials of one origin are not shown to another.
    pub drops_authorization: bool,
}

impl Redirect<'_> {
    /// Whether a header of the last request is left out of the next. Cookies are: the jar is asked anew.
    pub fn drops(&self, header: &str) -> bool {
        let is = |names: &[&str]| names.iter().any(|name| header.eq_ignore_ascii_case(name));
        let of_body: &[&str] = match self.url.style() {
            RedirectStyle::Requests => &["content-length", "content-type", "transfer-encoding"],
            RedirectStyle::Gevent => &["content-length", "content-type", "content-encoding"],
        };
        let always: &[&str] = match self.url.style() {
            RedirectStyle::Requests => &["cookie", "proxy-authorization"],
            RedirectStyle::Gevent => &["cookie", "cookie2"],
        };
        is(always) || (self.drops_body && is(of_body)) || (self.drops_authorization && is(&["authorization"]))
    }
}

/// Where a response leads. A redirect that cannot be followed is the error of the request.
pub fn next_step<'a>(hop: &Hop<'a>) -> Result<Step<'a>, UrlError> {
    let Some(location) = hop.location.filter(|location| !location.is_empty() && is_redirect(hop.status, hop.location))
    else {
        return Ok(Step::Done);
    };
    match hop.url.style() {
        RedirectStyle::Requests => next_of_requests(hop, location),
        RedirectStyle::Gevent => next_of_gevent(hop, location),
    }
}

fn next_of_requests<'a>(hop: &Hop<'a>, location: &[u8]) -> Result<Step<'a>, UrlError> {
    // Only now is the text looked at, but a text that is none is an error even at the limit.
    let location = std::str::from_utf8(location).map_err(|error| not_utf8(location, error.valid_up_to()))?;
    if hop.followed >= hop.max_redirects {
        return Ok(Step::TooMany);
    }
    let url = hop.url.resolve(location)?;
    let method = match (hop.status, hop.method) {
        (302 | 303, method) if method != "HEAD" => "GET",
        (301, "POST") => "GET",
        (_, method) => method,
    };
    Ok(Step::Follow(Redirect {
        method,
        // Even where the method stays, as for a PUT that is moved.
        drops_body: !matches!(hop.status, 307 | 308),
        drops_authorization: !keeps_authorization(hop.url.origin(), url.origin()),
        url,
    }))
}

fn not_utf8(location: &[u8], at: usize) -> UrlError {
    let byte = location.get(at).copied().unwrap_or_default();
    let reason = if matches!(byte, 0xc2..=0xf4) { "invalid continuation byte" } else { "invalid start byte" };
    UrlError::Malformed(format!("'utf-8' codec can't decode byte {byte:#04x} in position {at}: {reason}"))
}

/// The same origin, or the step from plain HTTP to TLS on one host's default ports.
fn keeps_authorization(from: &Origin, to: &Origin) -> bool {
    let upgrade = |origin: &Origin| origin.port() == origin.scheme().default_port();
    from == to || (from.host() == to.host() && !from.is_secure() && to.is_secure() && upgrade(from) && upgrade(to))
}

fn next_of_gevent<'a>(hop: &Hop<'a>, location: &[u8]) -> Result<Step<'a>, UrlError> {
    if hop.max_redirects == 0 {
        return Ok(Step::Done);
    }
    let url = hop.url.resolve(&super::text::from_latin1(location))?;
    if hop.followed >= hop.max_redirects {
        return Ok(Step::TooMany);
    }
    let drops_body = matches!(hop.status, 301..=303);
    Ok(Step::Follow(Redirect {
        method: if drops_body && hop.method != "HEAD" { "GET" } else { hop.method },
        drops_body,
        drops_authorization: **url.origin() != *hop.first,
        url,
    }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::RedirectStyle::{Gevent, Requests};
    use super::*;

    fn url(style: RedirectStyle, text: &str) -> Url {
        Url::prepare(style, text, "").unwrap()
    }

    /// Method and what stays of body and credentials after a redirect.
    fn follow(style: RedirectStyle, method: &str, status: u16, from: &str, to: &str) -> (String, bool, bool) {
        let here = url(style, from);
        let hop = Hop {
            method,
            status,
            location: Some(to.as_bytes()),
            url: &here,
            first: here.origin(),
            followed: 0,
            max_redirects: 30,
        };
        match next_step(&hop) {
            Ok(Step::Follow(next)) => {
                (next.method.to_owned(), !next.drops("Content-Type"), !next.drops("authorization"))
            }
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn methods_and_bodies_change_as_each_client_has_it() {
        let table = [
            // Method, status; requests: method, body; geventhttpclient: method, body.
            ("POST", 301, ("GET", false), ("GET", false)),
            ("PUT", 301, ("PUT", false), ("GET", false)),
            ("PUT", 302, ("GET", false), ("GET", false)),
            ("HEAD", 302, ("HEAD", false), ("HEAD", false)),
            ("DELETE", 303, ("GET", false), ("GET", false)),
            ("HEAD", 303, ("HEAD", false), ("HEAD", false)),
            ("POST", 307, ("POST", true), ("POST", true)),
            ("PATCH", 308, ("PATCH", true), ("PATCH", true)),
        ];
        for (method, status, requests, gevent) in table {
            for (style, (expected, body)) in [(Requests, requests), (Gevent, gevent)] {
                let (found, kept, _) = follow(style, method, status, "http://h/", "/b");
                assert_eq!((&*found, kept), (expected, body), "{style:?} {method} {status}");
            }
        }
    }

    #[test]
    fn credentials_stay_with_their_origin() {
        let keeps = |from, to| follow(RedirectStyle::Requests, "GET", 302, from, to).2;
        assert!(keeps("http://h/", "/b"));
        assert!(keeps("http://h/", "http://H:80/b"));
        assert!(keeps("http://h/", "https://h/"));
        assert!(keeps("http://h:80/", "https://h:443/"));
        assert!(!keeps("https://h/", "http://h/"));
        assert!(!keeps("http://h:8080/", "https://h/"));
        assert!(!keeps("http://h/", "https://h:8443/"));
        assert!(!keeps("http://h/", "http://o/"));
        assert!(!follow(RedirectStyle::Gevent, "GET", 302, "http://h/", "https://h/").2);
        assert!(follow(RedirectStyle::Gevent, "GET", 302, "http://h/", "http://h:80/").2);
    }

    #[test]
    fn cookies_never_go_along_and_other_headers_do() {
        let here = url(RedirectStyle::Requests, "http://h/");
        let hop = Hop {
            method: "GET",
            status: 307,
            location: Some(b"/b"),
            url: &here,
            first: here.origin(),
            followed: 0,
            max_redirects: 30,
        };
        let Ok(Step::Follow(next)) = next_step(&hop) else { panic!("it leads on") };
        assert!(next.drops("Cookie") && next.drops("proxy-authorization"));
        assert!(!next.drops("Content-Length") && !next.drops("X-Own"));
    }

    #[test]
    fn a_chain_ends_at_its_limit() {
        let step = |style, location, followed, max_redirects| {
            let here = url(style, "http://h/");
            let first = here.origin();
            let hop = Hop { method: "GET", status: 302, location, url: &here, first, followed, max_redirects };
            next_step(&hop).map(|step| match step {
                Step::Done => "done",
                Step::Follow(_) => "follow",
                Step::TooMany => "too many",
            })
        };
        assert_eq!(step(Requests, Some(b"/b"), 29, 30), Ok("follow"));
        assert_eq!(step(Requests, Some(b"/b"), 30, 30), Ok("too many"));
        assert_eq!(step(Requests, Some(b"/b"), 0, 0), Ok("too many"));
        assert_eq!(step(Gevent, Some(b"/b"), 0, 0), Ok("done"));
        assert_eq!(step(Gevent, Some(b"/b"), 3, 3), Ok("too many"));
        for style in [Requests, Gevent] {
            assert_eq!(step(style, None, 0, 30), Ok("done"));
            assert_eq!(step(style, Some(b""), 0, 30), Ok("done"));
        }
        let words = "'utf-8' codec can't decode byte 0xe9 in position 1: invalid continuation byte";
        assert_eq!(step(Requests, Some(b"/\xe9/"), 0, 30).unwrap_err().to_string(), words);
        assert_eq!(step(Gevent, Some(b"/\xe9/"), 0, 30), Ok("follow"));
    }

    #[test]
    fn a_redirect_needs_its_status_and_a_location() {
        assert!(is_redirect(308, Some(b"")));
        assert!(!is_redirect(304, Some(b"/")));
        assert!(!is_redirect(301, None));
    }

    proptest! {
        /// Whoever they are: `user:password@`, another port, a way up, a scheme, a name with a dot at its end.
        #[test]
        fn credentials_never_reach_another_host(
            location in "(http:|https:|)(//)?(u:p@)?(h|H|o|h\\.o|\\[::1\\]|h%2eo|h\\\\)?(:[0-9]{1,3})?(/\\.\\.|//o|/|\\?x|#y|@o){0,3}",
            secure: bool,
        ) {
            for style in [RedirectStyle::Requests, RedirectStyle::Gevent] {
                let here = url(style, if secure { "https://h/a?b" } else { "http://h/a?b" });
                let hop = Hop {
                    method: "GET",
                    status: 302,
                    location: Some(location.as_bytes()),
                    url: &here,
                    first: here.origin(),
                    followed: 0,
                    max_redirects: 1,
                };
                let Ok(Step::Follow(next)) = next_step(&hop) else { continue };
                let (host, is_secure) = (next.url.host(), next.url.scheme() == super::super::url::Scheme::Https);
                let shows = !next.drops("Authorization");
                prop_assert!(!shows || host == "h" && (is_secure || !secure), "{} leads to {}", location, next.url);
                prop_assert!(next.url.target().bytes().all(|byte| byte.is_ascii_graphic()));
            }
        }

        #[test]
        fn any_location_is_followed_or_refused(location: Vec<u8>, status in 295..312u16) {
            for style in [RedirectStyle::Requests, RedirectStyle::Gevent] {
                let here = url(style, "http://h/a?b");
                let hop = Hop {
                    method: "POST",
                    status,
                    location: Some(&location),
                    url: &here,
                    first: here.origin(),
                    followed: 0,
                    max_redirects: 1,
                };
                if let Ok(step) = next_step(&hop) {
                    let follows = matches!(step, Step::Follow(_));
                    prop_assert_eq!(follows, is_redirect(status, Some(&location)) && !location.is_empty());
                }
            }
        }
    }
}
