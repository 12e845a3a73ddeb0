//! From a request to its answer: who may ask, who answers, and what every answer says beside it.

use std::borrow::Cow;
use std::convert::Infallible;
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};
use hyper::body::Incoming;
use hyper::header::{HeaderMap, HeaderName, HeaderValue};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use percent_encoding::percent_decode_str;

use super::body::{self, Body};
use super::handover::{self, Answer};
use super::listen::Peer;
use super::ready::{Ready, text};
use super::routes::Route;
use super::safety::{self, Asker};
use super::shared::Shared;
use super::{cors, stream};

/// Forms and files that a locustfile's own routes may take.
const LARGEST_BODY: usize = 64 << 20;

/// What is asked, taken apart.
pub struct Asked {
    pub method: Method,
    /// Decoded, below the base path; `None` where it is not below it.
    pub path: Option<String>,
    pub query: String,
    pub headers: HeaderMap,
}

pub async fn answer(shared: Arc<Shared>, peer: Peer, request: Request<Incoming>) -> Result<Response<Body>, Infallible> {
    let (parts, body) = request.into_parts();
    let (origin, preflight) = (cors::origin(&parts.headers), cors::preflight(&parts));
    let mut response = match safety::refusal(&Asker::of(&parts), shared.settings()) {
        Some(sentence) => text(403, sentence).into_response(),
        None => by_route(&shared, peer, parts, body).await,
    };
    cors::allow(response.headers_mut(), origin, preflight);
    safety::headers(response.headers_mut());
    Ok(response)
}

async fn by_route(shared: &Arc<Shared>, peer: Peer, mut parts: Parts, body: Incoming) -> Response<Body> {
    let asked = Asked::of(&parts, &shared.settings().base);
    if let Some(there) = asked.redirect(shared, &parts, peer) {
        return there;
    }
    if safety::is_old_program(&parts, asked.path.as_deref()) {
        parts.method = Method::POST;
    }
    match asked.path.as_deref().and_then(Route::of) {
        Some(route) if !shared.is_handed_over(&route) => route_answer(shared, route, asked).await,
        known => hand_over(shared, peer, parts, body, known, asked).await,
    }
}

/// Answer without Python.
async fn route_answer(shared: &Arc<Shared>, route: Route, asked: Asked) -> Response<Body> {
    const METHODS: &str = "GET, HEAD, OPTIONS";
    match asked.method.as_str() {
        "OPTIONS" => Ready::new(200, "text/html; charset=utf-8", Bytes::new()).with("allow", METHODS).into_response(),
        "GET" | "HEAD" if route == Route::Stream => stream::open(shared),
        "GET" | "HEAD" if route.reads_disk() => {
            let shared = Arc::clone(shared);
            let read = tokio::task::spawn_blocking(move || route.answer(&shared, &asked)).await;
            read.unwrap_or_else(|_| text(500, "The file could not be read.")).into_response()
        }
        "GET" | "HEAD" => route.answer(shared, &asked).into_response(),
        _ => super::ready::not_allowed().with("allow", METHODS).into_response(),
    }
}

/// Let Python answer, or say that the route is to.
async fn hand_over(
    shared: &Arc<Shared>,
    peer: Peer,
    parts: Parts,
    body: Incoming,
    known: Option<Route>,
    asked: Asked,
) -> Response<Body> {
    let Ok(body) = Limited::new(body, LARGEST_BODY).collect().await else {
        return text(413, "The request did not arrive whole, or is larger than 64 MB.").into_response();
    };
    let request = handover::Asking {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: asked.query.clone(),
        headers: plain(&parts.headers),
        body: body.to_bytes(),
        scheme: peer.scheme(),
        peer: peer.address.ip().to_canonical().to_string(),
    };
    let Some(answered) = shared.handover().push(request) else {
        return text(503, "Too many requests wait for Python: try again.").with("retry-after", "1").into_response();
    };
    match (answered.await, known) {
        (Ok(Answer::Whole { status, headers, body }), _) => with_headers(status, &headers, body::whole(body)),
        (Ok(Answer::Written { status, headers, body }), _) => with_headers(status, &headers, body),
        (Ok(Answer::PassOn { headers }), Some(route)) => {
            let mut response = route_answer(shared, route, asked).await;
            append(response.headers_mut(), &headers);
            response
        }
        (Ok(Answer::PassOn { .. }), None) => super::ready::not_found().into_response(),
        (Err(_), _) => text(500, "The request was not answered: the log says why.").into_response(),
    }
}

impl Asked {
    fn of(parts: &Parts, base: &str) -> Self {
        let decoded = percent_decode_str(parts.uri.path()).decode_utf8_lossy();
        let path = single_slashes(&decoded);
        Self {
            method: parts.method.clone(),
            path: path.strip_prefix(base).filter(|rest| rest.starts_with('/')).map(str::to_owned),
            query: parts.uri.query().unwrap_or_default().to_owned(),
            headers: parts.headers.clone(),
        }
    }

    /// A GET that is not on its way over the network.
    pub fn of_get(path: &str, query: &str, headers: &[(String, String)]) -> Self {
        let mut map = HeaderMap::new();
        append(&mut map, headers);
        Self { method: Method::GET, path: Some(path.to_owned()), query: query.to_owned(), headers: map }
    }

    /// What a name in the query stands for.
    pub fn parameter(&self, name: &str) -> Option<String> {
        let mut pairs = url::form_urlencoded::parse(self.query.as_bytes());
        pairs.find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }

    /// `/lo` is `/lo/`: the page's addresses are relative to it.
    fn redirect(&self, shared: &Shared, parts: &Parts, peer: Peer) -> Option<Response<Body>> {
        let base = &shared.settings().base;
        let is_base = !base.is_empty() && parts.uri.path() == base;
        if !is_base || !matches!(self.method, Method::GET | Method::HEAD | Method::OPTIONS) {
            return None;
        }
        let host = parts.headers.get("host").and_then(|host| host.to_str().ok()).unwrap_or_default();
        let query = if self.query.is_empty() { String::new() } else { format!("?{}", self.query) };
        let there = format!("{}://{host}{base}/{query}", peer.scheme());
        Some(text(308, "The page is one slash further.").with("location", there).into_response())
    }
}

/// A doubled slash is one, as for Locust.
fn single_slashes(path: &str) -> Cow<'_, str> {
    if !path.contains("//") {
        return path.into();
    }
    let mut single = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !single.ends_with('/') {
            single.push(character);
        }
    }
    single.into()
}

/// What is not ASCII in a header is Latin-1, as WSGI has it.
fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.as_bytes().iter().map(|byte| char::from(*byte)).collect();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

fn with_headers(status: u16, headers: &[(String, String)], body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status.try_into().unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    append(response.headers_mut(), headers);
    response
}

/// Headers that are none, as with a line break in them, are left out; so is what is the server's to say.
fn append(to: &mut HeaderMap, headers: &[(String, String)]) {
    for (name, value) in headers {
        let latin1: Vec<u8> = value.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(&latin1))
            && !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection" | "date")
        {
            to.append(name, value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(uri: &str, base: &str) -> Asked {
        Asked::of(&Request::get(uri).body(()).unwrap().into_parts().0, base)
    }

    #[test]
    fn paths_are_below_the_base_path_or_not_ours() {
        let path = |uri, base| asked(uri, base).path;
        assert_eq!(path("/stats//requests", "").as_deref(), Some("/stats/requests"));
        assert_eq!(path("/lo/stats%2Frequests?x", "/lo").as_deref(), Some("/stats/requests"));
        assert_eq!((path("/lost", "/lo"), path("/stats", "/lo")), (None, None));
    }

    #[test]
    fn parameters_are_decoded() {
        let asked = asked("/timeline?method=GET&name=%2Fa+b&name=2", "");
        assert_eq!(asked.parameter("name").as_deref(), Some("/a b"));
        assert_eq!(asked.parameter("run"), None);
    }

    #[test]
    fn headers_that_are_none_do_not_leave() {
        let headers = [("x-a", "ä"), ("bad name", "1"), ("x-b", "1\r\n2"), ("Content-Length", "7")];
        let headers: Vec<_> = headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
        let response = with_headers(99, &headers, body::whole(Bytes::new()));
        assert_eq!(response.status(), 500);
        assert_eq!(response.headers().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>(), ["x-a"]);
    }
}
