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
        is(always)
            || (self.drops_body && is(of_body))
            || (self.drops_authorization && is(&["authorization"]))
    }
}

/// Where a response leads. A redirect that cannot be followed is the error of the request.
pub fn next_step<'a>(hop: &Hop<'a>) -> Result<Step<'a>, UrlError> {
    let Some(location) = hop
        .location
        .filter(|location| !location.is_empty() && is_redirect(hop.status, hop.location))
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
    let location =
        std::str::from_utf8(location).map_err(|error| not_utf8(location, error.valid_up_to()))?;
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
    let reason = if matches!(byte, 0xc2..=0xf4) {
        "invalid continuation byte"
    } else {
        "invalid start byte"
    };
    UrlError::Malformed(format!(
        "'utf-8' codec can't decode byte {byte:#04x} in position {at}: {reason}"
    ))
}

/// The same origin, or the step from plain HTTP to TLS on one host's default ports.
fn keeps_authorization(from: &Origin, to: &Origin) -> bool {
    let upgrade = |origin: &Origin| origin.port() == origin.scheme().default_port();
    from == to
        || (from.host() == to.host()
            && !from.is_secure()
            && to.is_secure()
            && upgrade(from)
            && upgrade(to))
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
        method: if drops_body && hop.method != "HEAD" {
            "GET"
        } else {
            hop.method
        },
        drops_body,
        drops_authorization: **url.origin() != *hop.first,
        url,
    }))
}
