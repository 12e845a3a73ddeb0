//! An answer that is there as a whole.

use bytes::Bytes;
use hyper::header::{CONTENT_TYPE, HeaderValue};
use hyper::{Response, StatusCode};

use super::body::{self, Body};

const HTML: &str = "text/html; charset=utf-8";

#[derive(Debug, Clone, PartialEq)]
pub struct Ready {
    pub status: u16,
    pub headers: Vec<(&'static str, String)>,
    pub body: Bytes,
}

impl Ready {
    pub fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self { status, headers: vec![("content-type", content_type.into())], body: body.into() }
    }

    /// One more header. A value that cannot be one, as with a line break in it, does not leave.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((name, value.into()));
        self
    }

    pub fn into_response(self) -> Response<Body> {
        let mut response = Response::new(body::whole(self.body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in self.headers {
            // By bytes: a locustfile's name may be no ASCII.
            if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
                response.headers_mut().append(name, value);
            }
        }
        if self.status == 304 {
            response.headers_mut().remove(CONTENT_TYPE);
        }
        response
    }
}

/// A sentence. Its type is HTML's because Locust's is: it holds nothing that anybody sent.
pub fn text(status: u16, sentence: &str) -> Ready {
    Ready::new(status, HTML, sentence.to_owned())
}

pub fn not_found() -> Ready {
    page(404, "404 Not Found", "There is nothing at this address.")
}

pub fn not_allowed() -> Ready {
    page(405, "405 Method Not Allowed", "This address does not take requests of this method.")
}

fn page(status: u16, title: &str, sentence: &str) -> Ready {
    Ready::new(
        status,
        HTML,
        format!("<!doctype html>\n<html lang=\"en\">\n<title>{title}</title>\n<p>{sentence}</p>\n"),
    )
}
