//! Who may not ask. A page of another site must not start a load test in the name of whoever looks at it.

use std::net::IpAddr;

use hyper::Method;
use hyper::header::{HOST, HeaderMap, HeaderName, HeaderValue, ORIGIN, USER_AGENT};
use hyper::http::request::Parts;

use super::shared::Settings;

const CROSS_SITE: &str = "This request changes the test and comes from a page of another site, so it is refused.";
const UNKNOWN_HOST: &str = "This host name is none that the page is known by: start locust with `--web-allowed-host NAME` \
                            to have it served under that name.";

/// What is no text is nobody's name.
const UNREADABLE: &str = "not.readable";

/// What tells from where a request comes.
#[derive(Debug, Default)]
pub struct Asker<'a> {
    pub changes: bool,
    pub host: Option<&'a str>,
    pub origin: Option<&'a str>,
    pub fetch_site: Option<&'a str>,
}

impl<'a> Asker<'a> {
    pub fn of(parts: &'a Parts) -> Self {
        let header = |name: HeaderName| parts.headers.get(name).map(|value| value.to_str().unwrap_or(UNREADABLE));
        // HTTP/1.1 has it in the request line where a proxy is meant.
        let host = header(HOST).or_else(|| parts.uri.authority().map(hyper::http::uri::Authority::as_str));
        Self {
            changes: !matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS),
            host,
            origin: header(ORIGIN),
            fetch_site: header(HeaderName::from_static("sec-fetch-site")),
        }
    }
}

/// Why the request is refused, if it is.
pub fn refusal(asker: &Asker<'_>, settings: &Settings) -> Option<&'static str> {
    if !settings.takes_every_host && !asker.host.is_none_or(|host| is_known(host, settings)) {
        return Some(UNKNOWN_HOST);
    }
    (asker.changes && is_cross_site(asker)).then_some(CROSS_SITE)
}

/// No browser lets a page choose these headers. Who sends neither is no browser.
fn is_cross_site(asker: &Asker<'_>) -> bool {
    if matches!(asker.fetch_site, Some("cross-site" | "same-site")) {
        return true;
    }
    // Scheme and default port aside: a proxy in front may speak TLS for us.
    asker.origin.is_some_and(|origin| {
        let theirs = origin.split_once("://").map(|(_, host)| host);
        theirs.zip(asker.host).is_none_or(|(theirs, ours)| !same_host(theirs, ours))
    })
}

fn same_host(theirs: &str, ours: &str) -> bool {
    let plain = |host: &str| {
        let host = host.to_ascii_lowercase();
        let end = host.strip_suffix(":80").or_else(|| host.strip_suffix(":443")).map(str::len);
        host[..end.unwrap_or(host.len())].to_owned()
    };
    plain(theirs) == plain(ours)
}

/// A name that a stranger can have point to this machine is none of these: so a page under such a name, which the browser
/// takes for that stranger's, gets no answer from here.
fn is_known(host: &str, settings: &Settings) -> bool {
    // `.local` has `.cluster.local` in it.
    const LOCAL: [&str; 4] = [".localhost", ".local", ".internal", ".svc"];
    let name = without_port(host).trim_end_matches('.').to_ascii_lowercase();
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(&name);
    address.parse::<IpAddr>().is_ok()
        || !name.contains('.')
        || LOCAL.iter().any(|suffix| name.ends_with(suffix))
        || settings.hosts.iter().any(|known| known.trim_end_matches('.').eq_ignore_ascii_case(&name))
}

fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) && !name.ends_with(':') => name,
        _ => host,
    }
}

/// What Locust took as a GET up to 2.46 is taken from programs that were written then; from a browser, which follows any
/// link, it is not.
pub fn is_old_program(parts: &Parts, path: Option<&str>) -> bool {
    let says = |name: &HeaderName| name.as_str().starts_with("sec-fetch-") || name == ORIGIN;
    let agent = parts.headers.get(USER_AGENT).map_or(&b""[..], HeaderValue::as_bytes);
    parts.method == Method::GET
        && matches!(path, Some("/stop" | "/stats/reset"))
        && !parts.headers.keys().any(says)
        && !agent.starts_with(b"Mozilla")
}

/// What browsers are to keep to with every answer. Whoever answers may say otherwise.
pub fn headers(headers: &mut HeaderMap) {
    let defaults = [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "same-origin"),
        ("content-security-policy", "frame-ancestors 'none'"),
    ];
    for (name, value) in defaults {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings() -> Settings {
        Settings { hosts: vec!["load.example.com".into()], ..Settings::default() }
    }

    #[test]
    fn names_that_anybody_can_point_here_are_refused() {
        let refused = |host| refusal(&Asker { host: Some(host), ..Asker::default() }, &settings()).is_some();
        for host in [
            "127.0.0.1:8089",
            "[::1]:8089",
            "[::1]",
            "10.0.0.5",
            "localhost:8089",
            "app.localhost",
            "runner",
            "runner:80",
            "master.locust.svc.cluster.local",
            "LOAD.example.com:8089",
            "load.example.com.",
            "box.local",
            "a.internal",
        ] {
            assert!(!refused(host), "{host}");
        }
        for host in [
            "evil.example",
            "load.example.com.evil.example",
            "127.0.0.1.nip.io",
            "example.com",
            "1.2.3.4.5",
            UNREADABLE,
        ] {
            assert!(refused(host), "{host}");
        }
        assert!(refusal(&Asker::default(), &settings()).is_none());
        let all = Settings { takes_every_host: true, ..settings() };
        assert!(refusal(&Asker { host: Some("evil.example"), ..Asker::default() }, &all).is_none());
    }

    #[test]
    fn a_page_of_another_site_changes_nothing() {
        let refused = |changes, origin, fetch_site| {
            let asker = Asker { changes, host: Some("localhost:8089"), origin, fetch_site };
            refusal(&asker, &settings()).is_some()
        };
        assert!(!refused(true, None, None));
        assert!(!refused(true, Some("http://localhost:8089"), Some("same-origin")));
        assert!(!refused(true, Some("https://LOCALHOST:8089"), None));
        for origin in ["http://evil.example", "http://localhost:8080", "null", "http://localhost:8089.evil.example"] {
            assert!(refused(true, Some(origin), None), "{origin}");
        }
        assert!(refused(true, None, Some("cross-site")) && refused(true, None, Some("same-site")));
        assert!(!refused(false, Some("http://evil.example"), Some("cross-site")));
        assert!(same_host("load.example.com", "load.example.com:443") && !same_host("a:8080", "a:80"));
    }

    #[test]
    fn a_get_that_stops_is_taken_from_programs_alone() {
        let taken = |path, headers: &[(&str, &str)]| {
            let mut request = hyper::Request::get(path);
            for (name, value) in headers {
                request = request.header(*name, *value);
            }
            is_old_program(&request.body(()).unwrap().into_parts().0, Some(path))
        };
        assert!(taken("/stop", &[("user-agent", "python-requests/2.32")]) && taken("/stats/reset", &[]));
        assert!(!taken("/swarm", &[]));
        for header in [("origin", "http://a"), ("sec-fetch-mode", "navigate"), ("user-agent", "Mozilla/5.0")] {
            assert!(!taken("/stop", &[header]), "{header:?}");
        }
    }
}
