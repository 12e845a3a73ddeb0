//! Wherever servers send a request, what goes out is one well-formed request, credentials stay at home, and it ends.

#![no_main]

use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use gregaria::http::request::push_line;
use gregaria::http::session::execute;
use gregaria::http::transport::{Stamps, Transport, probe};
use gregaria::http::url::{Origin, Style, Url};
use gregaria::http::{Failure, Request, Response, Session, Settings};
use libfuzzer_sys::fuzz_target;

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "PURGE"];
const STATUSES: [u16; 8] = [301, 302, 303, 307, 308, 300, 304, 200];
const STARTS: [&str; 4] =
    ["http://h/", "https://h:8443/a/b;c?d#e", "http://u:p@example.com/x/../y", "http://[::1]:81?q"];

/// A server that answers each request with the next line: the first byte is the status, the rest where it leads.
struct Guide<'a> {
    lines: Vec<&'a [u8]>,
    first: Arc<Origin>,
    last: Option<Arc<Origin>>,
    sent: usize,
    has_left: bool,
}

impl Transport for Guide<'_> {
    async fn send(&mut self, request: &Request, cookies: Option<&str>, _: &mut Stamps) -> Result<Response, Failure> {
        self.check(request, cookies);
        let line = self.lines.get(self.sent).copied();
        self.sent += 1;
        let (status, location) = line.and_then(<[u8]>::split_first).unwrap_or((&7, b""));
        let status = STATUSES[usize::from(status % 8)];
        let mut head = format!("HTTP/1.1 {status} x\r\nContent-Length: 0\r\nSet-Cookie: hop=1; Path=/\r\n").into_bytes();
        push_line(&mut head, b"Location", location);
        head.extend(b"\r\n");
        // What is no header value does not come out of the exchange either.
        let whole = probe::response([&head[..]], request.method.has_no_response_body(), true)?;
        whole.map(|(response, _)| response).ok_or(Failure::Disconnected)
    }

    async fn pause(&mut self, _: Duration) -> Result<(), Failure> {
        Ok(())
    }
}

impl Guide<'_> {
    fn check(&mut self, request: &Request, cookies: Option<&str>) {
        let mut head = Vec::new();
        request.encode_head(cookies, &mut head);
        let mut headers = [httparse::EMPTY_HEADER; 20];
        let mut parsed = httparse::Request::new(&mut headers);
        let length = parsed.parse(&head).unwrap_or_else(|error| panic!("{error}: {}", head.escape_ascii()));
        assert_eq!(length, httparse::Status::Complete(head.len()), "{}", head.escape_ascii());
        assert_eq!(parsed.method, Some(request.method.as_str()));
        let count = |name: &str| parsed.headers.iter().filter(|header| header.name.eq_ignore_ascii_case(name)).count();
        assert_eq!(count("host"), 1);
        assert_eq!(count("x-own"), 1);
        assert_eq!(count("cookie"), usize::from(cookies.is_some()));
        // Without a body, a method that may have one says so after a redirect that dropped it.
        let length = parsed.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
        assert_eq!(length.is_some_and(|length| length.value != b"0"), request.body.is_some());
        assert!(count("content-length") <= 1);
        // What left its host once does not come back for a second look.
        self.has_left |= request.url.origin().host() != self.first.host();
        assert!(!self.has_left || count("authorization") == 0 || request.url.style() == Style::Gevent && request.url.origin() == &self.first);
        assert!(!self.has_left || count("proxy-authorization") == 0 || request.url.style() == Style::Gevent);
        if request.url.origin().host() != self.first.host() {
            assert_eq!(count("authorization"), 0, "{}", head.escape_ascii());
        }
        let origin = Arc::clone(request.url.origin());
        if self.last.replace(Arc::clone(&origin)).is_some_and(|last| last == origin) {
            assert!(cookies.is_some(), "what the last hop set for its host is sent there again");
        }
    }
}

fn request(method: &'static str, url: Url, limit: u32) -> Request {
    let mut request = probe::request(method, url);
    let headers = &mut request.headers;
    for (name, value) in [("X-Own", "1"), ("Authorization", "Basic x"), ("Proxy-Authorization", "Basic y")] {
        push_line(&mut headers.own, name.as_bytes(), value.as_bytes());
    }
    if matches!(method, "POST" | "PUT" | "PATCH") {
        request.body = Some(Box::from(&b"body"[..]));
        push_line(&mut headers.trailing, b"Content-Length", b"4");
    }
    request.settings = Arc::new(Settings { redirects: Some(limit), ..Settings::clone(&request.settings) });
    request
}

// Flags (style, method, start), limit, then lines.
fuzz_target!(|input: &[u8]| {
    let [flags, limit, lines @ ..] = input else { return };
    let style = if flags & 1 == 1 { Style::Gevent } else { Style::Requests };
    let limit = u32::from(limit % 12);
    let Ok(url) = Url::prepare(style, STARTS[usize::from(flags >> 1 & 3)], "") else { return };
    let first = Arc::clone(url.origin());
    let request = request(METHODS[usize::from(flags >> 3 & 7)], url, limit);
    let lines = lines.split(|byte| *byte == b'\n').collect();
    let mut guide = Guide { lines, first, last: None, sent: 0, has_left: false };
    let session = Session::default();
    let outcome = {
        let mut work = pin!(execute(&mut guide, &session, &request, None));
        match work.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(outcome) => outcome,
            Poll::Pending => panic!("nothing here waits"),
        }
    };
    assert!(guide.sent <= limit as usize + 1);
    assert!(outcome.hops.len() <= limit as usize && outcome.hops.len() < guide.sent.max(1));
    for hop in &outcome.hops {
        assert!(matches!(hop.next.method.as_str(), "GET") || hop.next.method == request.method);
    }
    match outcome.result {
        Ok(_) | Err(Failure::TooManyRedirects(_) | Failure::RedirectTarget(_) | Failure::Protocol(_)) => {}
        Err(other) => panic!("{other:?}"),
    }
});
