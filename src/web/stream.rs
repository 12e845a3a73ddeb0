//! `GET /stream`: what the page lives on, as Server-Sent Events.
//!
//! Whoever connects gets everything whole; from then on what has changed, once a second, and the state at once. How fast a
//! client reads decides how much is gathered for it, never how much is kept.

mod news;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hyper::Response;
use hyper::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};

use super::body::{self, Body};
use super::shared::Shared;
use news::News;

const EVERY: Duration = Duration::from_secs(1);
/// How long changes of the state are gathered: one of a test that begins is several.
const GATHERED: Duration = Duration::from_millis(50);
/// After so many silent seconds there is a sign of life: proxies give up on who says nothing.
const SILENT: u32 = 15;

pub fn open(shared: &Arc<Shared>) -> Response<Body> {
    let (sender, body) = body::written();
    tokio::spawn(follow(Arc::clone(shared), sender));
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("text/event-stream; charset=utf-8"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // nginx would collect some kilobytes of it first.
    headers.insert(HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no"));
    response
}

async fn follow(shared: Arc<Shared>, client: mpsc::Sender<Bytes>) {
    let mut changes = shared.changes();
    let mut ticks = interval(EVERY);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut news = News::default();
    let mut silent = 0;
    loop {
        // An answer to a request that was on its way is waited for no longer than this is.
        let text = tokio::select! {
            _ = ticks.tick() => news.all(&shared).await,
            _ = changes.changed() => {
                sleep(GATHERED).await;
                changes.mark_unchanged();
                news.state(&shared)
            }
            () = client.closed() => return,
        };
        if shared.is_closing() {
            // Who does not read now has the end of the connection tell it.
            let _ = timeout(GATHERED, client.send(format!("{text}event: bye\ndata: {{}}\n\n").into())).await;
            return;
        }
        silent += 1;
        let text = match text {
            text if !text.is_empty() => text,
            _ if silent > SILENT => ": still here\n\n".into(),
            _ => continue,
        };
        silent = 0;
        if client.send(text.into()).await.is_err() {
            return;
        }
    }
}
