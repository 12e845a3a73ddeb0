//! Through a proxy: reqwest knows how to talk to each kind of them.
//!
//! HTTP proxies are asked for plain URLs in the absolute form and for others by CONNECT; SOCKS proxies for a connection.
//! A lane has a client of its own for each set of options, and with it one connection per origin, as without a proxy.

use std::error::Error as _;
use std::future::Future;
use std::io;
use std::pin::{Pin, pin};
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use hyper::ext::ReasonPhrase;
use reqwest::Client;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{HOST, TRANSFER_ENCODING};
use tower_layer::Layer;
use tower_service::Service;

use super::http2::header_map;
use super::parts::Collected;
use super::rest::Rest;
use super::{Phase, Stamps, Tls};
use crate::http::failure::ProxyFailure;
use crate::http::io::{Lane, Thread};
use crate::http::{Failure, Request, Settings};
use crate::sync::held;

/// A proxy, as a URL names it: `http`, `https`, `socks4`, `socks4a`, `socks5` and `socks5h`, user and password included.
/// The last two and `socks4a` differ in who looks names up: with an `a` or an `h` the proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proxy {
    url: Box<str>,
}

/// Why a text names no proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoProxy {
    #[error("Please check proxy URL. It is malformed and could be missing the host.")]
    Malformed,
    #[error("the proxy's scheme is none of http, https, socks4, socks4a, socks5 and socks5h")]
    Scheme,
}

impl Proxy {
    /// A URL without a scheme is one of an HTTP proxy.
    pub fn parse(given: &str) -> Result<Self, NoProxy> {
        let text = if given.contains("://") { given.to_owned() } else { format!("http://{given}") };
        let url = url::Url::parse(&text).map_err(|_| NoProxy::Malformed)?;
        if !matches!(url.scheme(), "http" | "https" | "socks4" | "socks4a" | "socks5" | "socks5h") {
            return Err(NoProxy::Scheme);
        }
        if url.host_str().is_none_or(str::is_empty) {
            return Err(NoProxy::Malformed);
        }
        Ok(Self { url: text.into() })
    }
}

/// The clients of one lane.
pub struct Proxied {
    lane: Rc<Lane>,
    thread: Rc<Thread>,
    clients: Vec<Made>,
}

/// A client, and what it was made for.
struct Made {
    proxy: Arc<Proxy>,
    tls: Tls,
    connect_timeout: Option<Duration>,
    client: Client,
    watch: Watch,
}

impl Made {
    fn new(proxy: &Arc<Proxy>, settings: &Settings) -> Result<Self, Failure> {
        let cannot = |error: &reqwest::Error| Failure::Unsendable(last_words(error));
        let watch = Watch::default();
        let config = settings.tls.config().map_err(Failure::Tls)?;
        let mut builder = Client::builder()
            .tls_backend_preconfigured(rustls::ClientConfig::clone(&config))
            .proxy(reqwest::Proxy::all(&*proxy.url).map_err(|error| cannot(&error))?)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .http1_title_case_headers()
            .pool_idle_timeout(None)
            .pool_max_idle_per_host(1)
            .dns_resolver(Arc::new(Resolver))
            .connector_layer(watch.clone());
        if let Some(limit) = settings.connect_timeout {
            builder = builder.connect_timeout(limit);
        }
        let client = builder.build().map_err(|error| cannot(&error))?;
        let (tls, connect_timeout) = (settings.tls.clone(), settings.connect_timeout);
        Ok(Self { proxy: Arc::clone(proxy), tls, connect_timeout, client, watch })
    }

    fn serves(&self, proxy: &Arc<Proxy>, settings: &Settings) -> bool {
        self.proxy == *proxy && self.tls == settings.tls && self.connect_timeout == settings.connect_timeout
    }
}

impl Proxied {
    pub fn new(lane: Rc<Lane>, thread: Rc<Thread>) -> Self {
        Self { lane, thread, clients: Vec::new() }
    }

    fn client(&mut self, proxy: &Arc<Proxy>, settings: &Settings) -> Result<(Client, Watch), Failure> {
        let at = self.clients.iter().position(|made| made.serves(proxy, settings));
        let at = if let Some(at) = at {
            at
        } else {
            self.clients.push(Made::new(proxy, settings)?);
            self.clients.len() - 1
        };
        let made = &self.clients[at];
        Ok((made.client.clone(), made.watch.clone()))
    }

    /// The head of the response, and its body that is still to be read. `body`: the request's.
    pub async fn send(
        &mut self,
        proxy: &Arc<Proxy>,
        request: &Request,
        body: Vec<u8>,
        cookies: Option<&str>,
        stamps: &mut Stamps,
    ) -> Result<(Collected, Rest), Failure> {
        let (client, watch) = self.client(proxy, &request.settings)?;
        let prepared = prepare(request, body, cookies)?;
        watch.reset();
        let asked = Instant::now();
        let answered = self.answer(&watch, request.settings.read_timeout, client.execute(prepared)).await;
        let connecting = watch.now();
        if let Some(began) = connecting.began {
            stamps.enter(Phase::Connect, began);
        }
        match connecting.ended {
            Some(ended) if connecting.succeeded => stamps.opened(ended),
            Some(_) => {}
            None => stamps.phases.reused += u32::from(connecting.began.is_none()),
        }
        // Whether something was written only reqwest knows: on a connection that was open it may have been.
        stamps.was_sent = connecting.began.is_none() || connecting.succeeded;
        let response = answered?.map_err(|error| failure(&error, request))?;
        // When the request was written reqwest does not say: it took microseconds, unless its body is large.
        stamps.exchanged(Some(connecting.ended.unwrap_or(asked)), Some(Instant::now()));
        let reason = match response.extensions().get::<ReasonPhrase>() {
            Some(reason) => reason.as_bytes().to_vec(),
            None => response.status().canonical_reason().unwrap_or_default().as_bytes().to_vec(),
        };
        let version = if response.version() == reqwest::Version::HTTP_10 { "HTTP/1.0" } else { "HTTP/1.1" };
        let collected = Collected::new(version, response.status(), &reason, response.headers())?;
        Ok((collected, Rest::Proxied(response)))
    }

    /// Wait for the head of a response. The limit is for the server's silence, so it counts from when it was reached;
    /// until then reqwest has a limit of its own.
    async fn answer<F: Future>(&self, watch: &Watch, limit: Option<Duration>, work: F) -> Result<F::Output, Failure> {
        let mut work = pin!(work);
        let mut wait = limit;
        loop {
            let waited = self.lane.within(&self.thread, wait, work.as_mut()).await;
            let (Err(Failure::ReadTimeout(_)), Some(limit)) = (&waited, limit) else { return waited };
            let left = match watch.now() {
                Connecting { began: Some(_), ended: None, .. } => Some(limit),
                Connecting { ended: Some(ended), .. } => limit.checked_sub(ended.elapsed()),
                Connecting { began: None, ended: None, .. } => None,
            };
            wait = Some(left.ok_or(Failure::ReadTimeout(limit))?);
        }
    }
}

fn prepare(request: &Request, body: Vec<u8>, cookies: Option<&str>) -> Result<reqwest::Request, Failure> {
    let unsendable = |what: &dyn std::fmt::Display| Failure::Unsendable(what.to_string());
    let method = reqwest::Method::from_bytes(request.method.as_str().as_bytes()).map_err(|error| unsendable(&error))?;
    let url = reqwest::Url::parse(&request.url.to_string()).map_err(|error| unsendable(&error))?;
    let mut prepared = reqwest::Request::new(method, url);
    let mut headers = header_map(request, cookies)?;
    if let Some(host) = request.headers.host() {
        headers.insert(HOST, host.parse().map_err(|error| unsendable(&error))?);
    }
    headers.remove(TRANSFER_ENCODING);
    *prepared.headers_mut() = headers;
    *prepared.version_mut() = reqwest::Version::HTTP_11;
    if !body.is_empty() {
        *prepared.body_mut() = Some(body.into());
    }
    Ok(prepared)
}

/// Why there is no response.
fn failure(error: &reqwest::Error, request: &Request) -> Failure {
    if !error.is_connect() {
        return match broken_off(error) {
            // Only of what is asked for in the absolute form does an HTTP proxy give the answer itself.
            Failure::Disconnected if !request.url.origin().is_secure() => Failure::Proxy(ProxyFailure::Disconnected),
            other => other,
        };
    }
    if error.is_timeout() {
        return Failure::ConnectTimeout(request.settings.connect_timeout.unwrap_or_default());
    }
    if let Some(tls) = cause::<io::Error>(error).and_then(io::Error::get_ref)
        && let Some(tls) = tls.downcast_ref::<rustls::Error>()
    {
        return match tls {
            rustls::Error::InvalidCertificate(_) => Failure::Certificate(tls.to_string()),
            _ => Failure::Tls(tls.to_string()),
        };
    }
    if let Some(Unresolved(host)) = cause(error) {
        return Failure::Proxy(ProxyFailure::Resolve(host.clone()));
    }
    Failure::Proxy(match cause::<io::Error>(error).and_then(io::Error::raw_os_error) {
        Some(code) => ProxyFailure::Connect(io::Error::from_raw_os_error(code)),
        None => ProxyFailure::Refused(refusal(last_words(error))),
    })
}

/// What a proxy answered to CONNECT is told in words alone; those for the one case that users must tell from the others
/// become what the proxy has said.
fn refusal(words: String) -> String {
    if words.contains("proxy authorization required") { "407 Proxy Authentication Required".to_owned() } else { words }
}

/// Looks names up as without a proxy, and leaves an error that can be told from others.
struct Resolver;

#[derive(Debug, thiserror::Error)]
#[error("cannot resolve `{0}`")]
struct Unresolved(String);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            match tokio::net::lookup_host((name.as_str(), 0)).await {
                Ok(addresses) => Ok(Box::new(addresses.collect::<Vec<_>>().into_iter()) as Addrs),
                Err(_) => Err(Unresolved(name.as_str().to_owned()).into()),
            }
        })
    }
}

/// Why a connection that was there gave no response, or not all of it.
pub fn broken_off(error: &reqwest::Error) -> Failure {
    if let Some(error) = cause::<io::Error>(error) {
        return match error.raw_os_error() {
            Some(code) => Failure::Broken(io::Error::from_raw_os_error(code)),
            None if error.kind() == io::ErrorKind::UnexpectedEof => Failure::Disconnected,
            None => Failure::Broken(io::Error::new(error.kind(), error.to_string())),
        };
    }
    match cause::<hyper::Error>(error) {
        Some(error) if error.is_incomplete_message() || error.is_closed() => Failure::Disconnected,
        _ => Failure::Protocol("it is no HTTP/1.1"),
    }
}

/// The innermost of that type among an error's causes.
fn cause<E: std::error::Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut found = None;
    let mut next = error.source();
    while let Some(error) = next {
        found = error.downcast_ref::<E>().or(found);
        next = error.source();
    }
    found
}

fn last_words(error: &reqwest::Error) -> String {
    let mut words = error.to_string();
    let mut next = error.source();
    while let Some(error) = next {
        words = error.to_string();
        next = error.source();
    }
    words
}

/// Sees when a client's connections are opened.
#[derive(Clone, Default)]
struct Watch(Arc<Mutex<Connecting>>);

#[derive(Clone, Copy, Default)]
struct Connecting {
    began: Option<Instant>,
    ended: Option<Instant>,
    succeeded: bool,
}

impl Watch {
    fn now(&self) -> Connecting {
        *self.lock()
    }

    fn reset(&self) {
        *self.lock() = Connecting::default();
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Connecting> {
        held(&self.0)
    }
}

impl<S> Layer<S> for Watch {
    type Service = Watched<S>;

    fn layer(&self, inner: S) -> Watched<S> {
        Watched { inner, watch: self.clone() }
    }
}

/// A connector that is being watched.
#[derive(Clone)]
struct Watched<S> {
    inner: S,
    watch: Watch,
}

impl<S, R> Service<R> for Watched<S>
where
    S: Service<R>,
    S::Future: Send + 'static,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = Pin<Box<dyn Future<Output = Result<S::Response, S::Error>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, target: R) -> Self::Future {
        let watch = self.watch.clone();
        *watch.lock() = Connecting { began: Some(Instant::now()), ..Connecting::default() };
        let connecting = self.inner.call(target);
        Box::pin(async move {
            let connected = connecting.await;
            let mut state = watch.lock();
            (state.ended, state.succeeded) = (Some(Instant::now()), connected.is_ok());
            drop(state);
            connected
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn proxies_are_named_by_urls() {
        for good in ["http://a:1", "a:1", "a", "https://a", "socks5://u:p%40@a:1080", "socks5h://[::1]:9"] {
            assert!(Proxy::parse(good).is_ok(), "{good}");
        }
        for bad in ["http://", "", "http://a:b@:80", "http://127.0.0.1:99999", "socks5://"] {
            assert_eq!(Proxy::parse(bad), Err(NoProxy::Malformed), "{bad}");
        }
        assert_eq!(Proxy::parse("ftp://a:1"), Err(NoProxy::Scheme));
    }
}
