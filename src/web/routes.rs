//! Who answers what: the routes that need no Python, and the hand-over of all others.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use axum::{Extension, Router};
use serde_json::json;

use super::listen::Peer;
use super::shared::{Shared, held};
use super::{assets, handover, json, requests};

/// Forms and files that a locustfile's own routes may take.
const LARGEST_BODY: usize = 64 << 20;

pub fn router(shared: &Arc<Shared>) -> Router {
    let base = &shared.settings().base;
    let at = |path: &str| format!("{base}{path}");
    Router::new()
        .route(&at("/stats/requests"), get(stats_requests))
        .route(&at("/exceptions"), get(exceptions))
        .route(&at("/logs"), get(logs))
        .route(&at("/worker-count"), get(worker_count))
        .route(&at("/assets/{*path}"), get(asset))
        .fallback(hand_over)
        .with_state(Arc::clone(shared))
}

async fn stats_requests(State(shared): State<Arc<Shared>>) -> Response {
    json::response(requests::answer(&shared))
}

async fn exceptions(State(shared): State<Arc<Shared>>) -> Response {
    let source = shared.source();
    let records: Vec<_> = held(&source.table).exceptions().iter().cloned().collect();
    let shown: Vec<_> = records
        .into_iter()
        .map(|record| {
            let nodes = record.nodes.into_iter().collect::<Vec<_>>().join(", ");
            json!({"count": record.count, "msg": record.message, "traceback": record.traceback, "nodes": nodes})
        })
        .collect();
    json::response(json::pretty(json!({"exceptions": shown})))
}

async fn logs(State(shared): State<Arc<Shared>>) -> Response {
    json::response(json::pretty(json!({"master": shared.lines(), "workers": {}})))
}

async fn worker_count(State(shared): State<Arc<Shared>>) -> Response {
    json::response(json::pretty(json!({"worker_count": shared.status().worker_count()})))
}

async fn asset(Path(path): Path<String>) -> Response {
    match assets::find(&path) {
        Some(content) => ([("content-type", assets::kind(&path))], content).into_response(),
        None => (StatusCode::NOT_FOUND, "there is no such file").into_response(),
    }
}

/// Let Python answer.
async fn hand_over(State(shared): State<Arc<Shared>>, Extension(peer): Extension<Peer>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = to_bytes(body, LARGEST_BODY).await else {
        return StatusCode::PAYLOAD_TOO_LARGE.into_response();
    };
    let (request, answered) = handover::Request::new(
        parts.method.as_str().to_owned(),
        parts.uri.path().to_owned(),
        parts.uri.query().unwrap_or_default().to_owned(),
        plain(&parts.headers),
        body,
        "http",
        peer.address.ip().to_canonical().to_string(),
    );
    if !shared.handover().push(request) {
        return (StatusCode::SERVICE_UNAVAILABLE, "too many requests wait for Python; try again").into_response();
    }
    match answered.await {
        Ok(answer) => response_of(answer),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// What is not UTF-8 in a header is Latin-1, as WSGI has it.
fn plain(headers: &HeaderMap) -> Vec<(String, String)> {
    let text = |value: &HeaderValue| value.as_bytes().iter().map(|byte| char::from(*byte)).collect();
    headers.iter().map(|(name, value)| (name.as_str().to_owned(), text(value))).collect()
}

/// Headers that are none, as with a line break in them, are left out.
fn response_of(answer: handover::Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut response = (status, Body::from(answer.body)).into_response();
    for (name, value) in &answer.headers {
        let latin1: Vec<u8> = value.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect();
        if let (Ok(name), Ok(value)) = (name.parse::<HeaderName>(), HeaderValue::from_bytes(&latin1))
            && !matches!(name.as_str(), "content-length" | "transfer-encoding" | "connection")
        {
            response.headers_mut().append(name, value);
        }
    }
    response
}
