//! All the ways out that one lane has: which of them a request takes, its settings say.

use std::borrow::Cow;
use std::future::poll_fn;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use super::chunks::Chunks;
use super::direct::decode_body;
use super::http1::in_body;
use super::http2::{Connections, Line};
use super::parts::Collected;
use super::proxied::{Proxied, Proxy};
use super::rest::{Open, Rest};
use super::{Direct, Stamps, Transport};
use crate::http::io::{Lane, Thread, caught};
use crate::http::stream::{Reading, Stream};
use crate::http::{Failure, Request, Response};

pub struct Transports {
    lane: Rc<Lane>,
    thread: Rc<Thread>,
    direct: Direct,
    /// Shared with the session's other lanes.
    http2: Rc<Connections>,
    proxied: Option<Box<Proxied>>,
    /// A body that is being handed on, and that a library reads.
    open: Option<Box<Open>>,
}

impl Transports {
    pub fn new(lane: Rc<Lane>, thread: Rc<Thread>, http2: Rc<Connections>) -> Self {
        let direct = Direct::new(Rc::clone(&lane), Rc::clone(&thread));
        Self { lane, thread, direct, http2, proxied: None, open: None }
    }

    /// Close what is kept alive.
    pub fn close(&mut self) {
        self.direct.close();
        self.http2.close();
        self.proxied = None;
    }

    /// Hand on the rest of the body of the last response, if that was asked for before its body was in.
    pub async fn hand_on(&mut self) {
        self.direct.hand_on().await;
        if let Some(open) = self.open.take() {
            let body = Arc::clone(&open.body);
            if let Err(bug) = caught(Box::pin(open.hand_on(&self.lane, &self.thread)).as_mut()).await {
                body.finish(Err(bug));
                body.satisfied_reader().into_iter().for_each(|reader| self.thread.ready(reader));
            }
        }
    }

    async fn send_over_http2(
        &mut self,
        request: &Request,
        cookies: Option<&str>,
        stamps: &mut Stamps,
    ) -> Result<Response, Failure> {
        let (lane, thread) = (Rc::clone(&self.lane), Rc::clone(&self.thread));
        let mut attempt = 0;
        let mut body = None;
        loop {
            let shared = match self.http2.line(request, stamps, &lane, &thread).await? {
                Line::Http2(shared) => shared,
                Line::Http1(opened) => {
                    let adopts = opened.is_some();
                    if let Some(stream) = opened {
                        self.direct.adopt(request, stream);
                    }
                    let sent = self.direct.send(request, cookies, stamps).await;
                    // It was counted as opened; that it seemed kept alive to the one who sent on it does not count.
                    stamps.phases.reused = stamps.phases.reused.saturating_sub(u32::from(adopts));
                    return sent;
                }
            };
            if body.is_none() {
                body = Some(self.whole_body(request).await?);
            }
            let body = body.as_deref().unwrap_or_default();
            match self.http2.send(shared, request, body, cookies, stamps, &lane, &thread, &mut attempt).await {
                Ok((collected, stream)) => return self.receive(request, collected, Rest::Http2(stream)).await,
                Err(Some(failure)) => return Err(failure),
                Err(None) => {}
            }
        }
    }

    async fn send_through(
        &mut self,
        proxy: &Arc<Proxy>,
        request: &Request,
        cookies: Option<&str>,
        stamps: &mut Stamps,
    ) -> Result<Response, Failure> {
        let body = self.whole_body(request).await?.into_owned();
        let (lane, thread) = (&self.lane, &self.thread);
        let proxied = self.proxied.get_or_insert_with(|| Box::new(Proxied::new(Rc::clone(lane), Rc::clone(thread))));
        let (collected, rest) = proxied.send(proxy, request, body, cookies, stamps).await?;
        self.receive(request, collected, rest).await
    }

    /// The response with its body, or without it if that is handed on as it arrives.
    async fn receive(
        &mut self,
        request: &Request,
        mut collected: Collected,
        mut rest: Rest,
    ) -> Result<Response, Failure> {
        let read_timeout = request.settings.read_timeout;
        if collected.is_streamed(request) {
            let body = Arc::<Stream>::default();
            let (mut response, _) = collected.finish();
            response.stream = Some(Reading::new(&body));
            self.open = Some(Box::new(Open { rest, body, read_timeout }));
            return Ok(response);
        }
        while let Some(bytes) = self.next(&mut rest, read_timeout).await.map_err(|failure| match failure {
            Failure::Disconnected => collected.incomplete(),
            // h2 itself notices when a body is not as long as its head says.
            Failure::Protocol(_) if collected.is_short() => collected.incomplete(),
            other => other,
        })? {
            collected.push(&bytes)?;
        }
        let (mut response, coding) = collected.finish();
        if let Some(coding) = coding {
            decode_body(&mut response, request.url.style(), &coding)?;
        }
        Ok(response)
    }

    async fn next(&self, rest: &mut Rest, limit: Option<Duration>) -> Result<Option<bytes::Bytes>, Failure> {
        self.lane.within(&self.thread, limit, rest.next()).await.map_err(in_body)?
    }

    /// The request's body. One that is made while it is being sent is put together first: neither library takes pieces
    /// from another thread that it has to ask for.
    async fn whole_body<'r>(&self, request: &'r Request) -> Result<Cow<'r, [u8]>, Failure> {
        let Some(upload) = &request.upload else {
            return Ok(Cow::Borrowed(request.body.as_deref().unwrap_or_default()));
        };
        let mut whole = Vec::new();
        loop {
            let (bytes, maker) = self.lane.within(&self.thread, None, poll_fn(|cx| upload.poll_take(cx))).await?;
            if let Some(maker) = maker {
                self.thread.ready(maker);
            }
            if bytes.is_empty() {
                break;
            }
            whole.extend_from_slice(&bytes);
        }
        let in_chunks = request.headers.pairs().any(|(name, _)| name.eq_ignore_ascii_case(b"transfer-encoding"));
        if !in_chunks {
            return Ok(Cow::Owned(whole));
        }
        let mut body = Vec::new();
        Chunks::default().decode(&whole, &mut body)?;
        Ok(Cow::Owned(body))
    }
}

impl Transport for Transports {
    async fn send(
        &mut self,
        request: &Request,
        cookies: Option<&str>,
        stamps: &mut Stamps,
    ) -> Result<Response, Failure> {
        // Boxed: every idle user's task would be as large as these are, and few ask for them.
        if let Some(proxy) = &request.settings.proxy {
            return Box::pin(self.send_through(proxy, request, cookies, stamps)).await;
        }
        if request.settings.http2 {
            return Box::pin(self.send_over_http2(request, cookies, stamps)).await;
        }
        self.direct.send(request, cookies, stamps).await
    }

    fn take_partial(&mut self) -> Option<Response> {
        self.direct.take_partial()
    }

    async fn pause(&mut self, pause: Duration) -> Result<(), Failure> {
        self.direct.pause(pause).await
    }
}
