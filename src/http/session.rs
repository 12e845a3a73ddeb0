//! What outlives a request (cookies), and what follows a response (redirects).

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use super::cookies::{Cookie, Jar};
use super::io::{Hop, Outcome};
use super::redirect::{self, Redirect, Step, next_step};
use super::request::push_line;
use super::transport::Transport;
use super::url::{Origin, Style};
use super::{Failure, Method, Request, Response, Stamps};

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// Whose connections: one session's, or those of all that share a pool.
pub fn new_id() -> u64 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

/// One user's client as the I/O threads know it.
#[derive(Debug)]
pub struct Session {
    id: AtomicU64,
    ignores_cookies: AtomicBool,
    /// Some cookie was set that is not fit for a header.
    has_unfit_cookies: AtomicBool,
    jar: Mutex<Jar>,
}

impl Default for Session {
    fn default() -> Self {
        Self {
            id: AtomicU64::new(new_id()),
            ignores_cookies: AtomicBool::new(false),
            has_unfit_cookies: AtomicBool::new(false),
            jar: Mutex::default(),
        }
    }
}

impl Session {
    /// Whose connections it uses: its own, until it joins a pool.
    pub fn id(&self) -> u64 {
        self.id.load(Ordering::Relaxed)
    }

    /// Use the connections of a pool from now on. Only the main thread asks for the id, so no ordering matters.
    pub fn join(&self, pool: u64) {
        self.id.store(pool, Ordering::Relaxed);
    }

    /// Whether cookies have to be looked at before they are sent. No server can set an unfit one.
    pub fn has_unfit_cookies(&self) -> bool {
        self.has_unfit_cookies.load(Ordering::Relaxed)
    }

    /// Keep a cookie that the locustfile made.
    pub fn set_cookie(&self, cookie: Cookie) {
        let texts = [Some(&cookie.name), cookie.value.as_ref()];
        if texts.into_iter().flatten().any(|text| is_unfit(text)) {
            self.has_unfit_cookies.store(true, Ordering::Relaxed);
        }
        self.jar().insert(cookie);
    }

    /// Send no cookies and keep none.
    pub fn ignore_cookies(&self, ignores: bool) {
        self.ignores_cookies.store(ignores, Ordering::Relaxed);
    }

    /// The cookies. Not to be held across an await or a park.
    pub fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().expect("nothing panics under this lock")
    }

    /// The Cookie header of a request: the session's cookies, and those given for this request alone.
    pub fn cookie_header(&self, request: &Request) -> Option<String> {
        if self.sends_none_with(request) {
            return None;
        }
        let host = request.headers.host();
        if request.cookies.is_empty() {
            return self.jar().header(&request.url, host);
        }
        self.merged_jar(request).header(&request.url, host)
    }

    fn sends_none_with(&self, request: &Request) -> bool {
        request.headers.has_cookie || request.bare || self.ignores_cookies.load(Ordering::Relaxed)
    }

    fn merged_jar(&self, request: &Request) -> Jar {
        self.jar().merged_with(&request.cookies)
    }

    fn keep_cookies(&self, request: &Request, response: &Response) {
        if response.has_cookies && !request.bare && !self.ignores_cookies.load(Ordering::Relaxed) {
            self.store_cookies(request, response);
        }
    }

    /// Keep the cookies that a response has set, whoever asked for it.
    pub fn store_cookies(&self, request: &Request, response: &Response) {
        if response.has_cookies {
            store(&mut self.jar(), request, response);
        }
    }
}

fn store(jar: &mut Jar, request: &Request, response: &Response) {
    let headers = response.headers();
    let values = headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).map(|(_, value)| *value);
    jar.store(&request.url, request.headers.host(), values);
}

/// The jar of a request that brought cookies of its own, for as long as it is redirected.
///
/// As requests has it: with the first request its own cookies come before the session's, and behind a redirect the
/// session's, which have changed meanwhile, come before them.
struct OwnJar(Option<Jar>);

impl OwnJar {
    fn new(session: &Session, request: &Request) -> Self {
        Self((!request.cookies.is_empty()).then(|| session.merged_jar(request)))
    }

    fn header(&self, session: &Session, request: &Request) -> Option<String> {
        match &self.0 {
            None => session.cookie_header(request),
            Some(_) if session.sends_none_with(request) => None,
            Some(jar) => jar.header(&request.url, request.headers.host()),
        }
    }

    fn follow(&mut self, session: &Session, request: &Request, response: &Response) {
        if let Some(jar) = &mut self.0 {
            store(jar, request, response);
            jar.update(session.jar().list());
        }
    }
}

/// Whether text cannot stand in a header's line: it ends the line, or has no bytes there.
pub fn is_unfit(text: &str) -> bool {
    text.chars().any(|c| matches!(c, '\r' | '\n') || c > '\u{ff}')
}

/// Send a request, and what its responses redirect to. `before`: how far it got until something was asked of the caller.
pub async fn execute<T: Transport>(
    transport: &mut T,
    session: &Session,
    request: &Request,
    before: Option<Outcome>,
) -> Outcome {
    let (mut stamps, mut hops, mut sent) = match before {
        Some(outcome) => (outcome.stamps, outcome.hops, outcome.cookies),
        None => (Stamps::at(Instant::now()), Vec::new(), Vec::new()),
    };
    let mut own_jar = OwnJar::new(session, request);
    let mut left = request.settings.retries;
    // A further attempt begins where the last one broke off, and may be redirected as often.
    let mut led_here = 0;
    let result = loop {
        let current = hops.last().map_or(request, |hop| &hop.next);
        let cookies = own_jar.header(session, current);
        if session.has_unfit_cookies() && cookies.as_deref().is_some_and(is_unfit) {
            // The caller has looked at those of his own URL, not at those for where it leads.
            break Err(Failure::Protocol("it leads to where a cookie of the session cannot be sent"));
        }
        let answer = transport.send(current, cookies.as_deref(), &mut stamps).await;
        if let Some(cookies) = cookies {
            sent.push((hops.len(), cookies));
        }
        match answer {
            Err(failure) if left.limit == 0 || !can_be_retried(current, &failure) => break Err(failure),
            Err(_) => {
                left.limit -= 1;
                led_here = hops.len();
                if let Err(cancelled) = transport.pause(left.pause).await {
                    break Err(cancelled);
                }
            }
            Ok(response) => {
                session.keep_cookies(current, &response);
                own_jar.follow(session, current, &response);
                match follow(current, &response, request.url.origin(), hops.len() - led_here) {
                    Ok(None) => break Ok(response),
                    Ok(Some(next)) => hops.push(Hop { response, next }),
                    Err(failure) => break Err(failure),
                }
                stamps.redirected(Instant::now());
            }
        }
    };
    stamps.finish(Instant::now());
    let is_shown = result.is_err() && request.url.style() == Style::Gevent;
    let partial = if is_shown { transport.take_partial().map(Box::new) } else { None };
    Outcome { result, stamps, hops, cookies: sent, partial }
}

/// Nothing came in time, or the system gave up on the connection: the next attempt may fare better.
fn can_be_retried(request: &Request, failure: &Failure) -> bool {
    request.method.is_idempotent() && failure.is_temporary()
}

/// The request that a response leads to, if it does and the caller wants to be led.
fn follow(request: &Request, response: &Response, first: &Origin, followed: usize) -> Result<Option<Request>, Failure> {
    let Some(limit) = request.settings.redirects else { return Ok(None) };
    let Some(status) = redirecting_status(request, response.status) else { return Ok(None) };
    let hop = redirect::Hop {
        method: request.method.as_str(),
        status,
        location: response.header("location"),
        url: &request.url,
        first,
        followed,
        max_redirects: limit as usize,
    };
    match next_step(&hop) {
        Ok(Step::Done) => Ok(None),
        Ok(Step::TooMany) => Err(Failure::TooManyRedirects(limit)),
        Ok(Step::Follow(redirect)) => Ok(Some(redirected(request, redirect))),
        Err(error) => Err(Failure::RedirectTarget(error)),
    }
}

/// The status as what it redirects, if it does. One that only the locustfile takes for a redirect is a temporary one.
fn redirecting_status(request: &Request, status: u16) -> Option<u16> {
    let is_one = redirect::is_redirect(status, Some(&[]));
    match &request.settings.statuses {
        None => is_one.then_some(status),
        Some(own) => {
            let leads_on = own.redirecting.contains(&status) && own.valid.contains(&status);
            leads_on.then_some(if is_one { status } else { 307 })
        }
    }
}

fn redirected(request: &Request, redirect: Redirect<'_>) -> Request {
    let mut next = request.clone();
    next.method = Method::new(redirect.method);
    next.headers.retain(|name| !redirect.drops(name));
    if redirect.drops_body {
        next.body = None;
        next.upload = None;
        if says_no_body(redirect.url.style(), redirect.method) {
            push_line(&mut next.headers.trailing, b"Content-Length", b"0");
        }
    }
    next.url = redirect.url;
    next
}

/// urllib3 tells a server that no body comes where the method lets it expect one.
fn says_no_body(style: Style, method: &str) -> bool {
    style == Style::Requests && !matches!(method, "GET" | "HEAD" | "DELETE" | "OPTIONS" | "TRACE" | "CONNECT")
}
