//! What outlives a request (cookies), and what follows a response (redirects).

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::time::Instant;

use super::cookies::Jar;
use super::io::{Hop, Outcome};
use super::redirect::{self, Redirect, Step, next_step};
use super::transport::Transport;
use super::url::Origin;
use super::{Failure, Method, Request, Response, Stamps};

static NEXT_ID: AtomicU64 = AtomicU64::new(0);

/// One user's client as the I/O threads know it.
#[derive(Debug)]
pub struct Session {
    id: u64,
    jar: Mutex<Jar>,
}

impl Default for Session {
    fn default() -> Self {
        Self { id: NEXT_ID.fetch_add(1, Ordering::Relaxed), jar: Mutex::default() }
    }
}

impl Session {
    pub fn id(&self) -> u64 {
        self.id
    }

    /// The cookies. Not to be held across an await or a park.
    pub fn jar(&self) -> MutexGuard<'_, Jar> {
        self.jar.lock().expect("nothing panics under this lock")
    }

    /// The Cookie header of a request: the session's cookies, and those given for this request alone.
    fn cookie_header(&self, request: &Request) -> Option<String> {
        if request.headers.has_cookie || request.bare {
            return None;
        }
        let host = request.headers.host();
        if request.cookies.is_empty() {
            return self.jar().header(&request.url, host);
        }
        let own: Vec<_> = request.cookies.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        self.jar().header_with(&request.url, host, &own)
    }

    fn keep_cookies(&self, request: &Request, response: &Response) {
        if !response.has_cookies || request.bare {
            return;
        }
        let headers = response.headers();
        let values =
            headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).map(|(_, value)| *value);
        self.jar().store(&request.url, request.headers.host(), values);
    }
}

/// Send a request, and what its responses redirect to. `before`: how far it got until something was asked of the caller.
pub async fn execute<T: Transport>(
    transport: &mut T,
    session: &Session,
    request: &Request,
    before: Option<Outcome>,
) -> Outcome {
    let (mut stamps, mut hops) = match before {
        Some(outcome) => (outcome.stamps, outcome.hops),
        None => (Stamps::at(Instant::now()), Vec::new()),
    };
    let result = loop {
        let current = hops.last().map_or(request, |hop| &hop.next);
        let cookies = session.cookie_header(current);
        match transport.send(current, cookies.as_deref(), &mut stamps).await {
            Err(failure) => break Err(failure),
            Ok(response) => {
                session.keep_cookies(current, &response);
                match follow(current, &response, request.url.origin(), hops.len()) {
                    Ok(None) => break Ok(response),
                    Ok(Some(next)) => hops.push(Hop { response, next }),
                    Err(failure) => break Err(failure),
                }
                stamps.redirected(Instant::now());
            }
        }
    };
    stamps.finish(Instant::now());
    Outcome { result, stamps, hops }
}

/// The request that a response leads to, if it does and the caller wants to be led.
fn follow(request: &Request, response: &Response, first: &Origin, followed: usize) -> Result<Option<Request>, Failure> {
    let Some(limit) = request.settings.redirects else { return Ok(None) };
    if !redirect::is_redirect(response.status, Some(&[])) {
        return Ok(None);
    }
    let hop = redirect::Hop {
        method: request.method.as_str(),
        status: response.status,
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

fn redirected(request: &Request, redirect: Redirect<'_>) -> Request {
    let mut next = request.clone();
    next.method = Method::new(redirect.method);
    next.headers.retain(|name| !redirect.drops(name));
    if redirect.drops_body {
        next.body = None;
        next.upload = None;
    }
    next.url = redirect.url;
    next
}
