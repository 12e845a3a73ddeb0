//! `GET /stream`: what the page lives on, as Server-Sent Events.

use std::sync::Arc;

use hyper::Response;

use super::body::Body;
use super::shared::Shared;

pub fn open(_shared: &Arc<Shared>) -> Response<Body> {
    super::ready::not_found().into_response()
}
