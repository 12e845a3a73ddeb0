//! A way in for the fuzz targets and for the tests that compare with hyper; of no use to anybody else.

use std::sync::Arc;

use super::Tls;
use super::chunks::Chunks;
use super::direct::is_quiet;
use super::head::Head;
use super::http1::{self, Progress, Stream};
use super::reply::Reply;
use crate::bridge::Completions;
use crate::http::io::{Lane, Thread};
use crate::http::request::{AtTheLimit, Names, Retries};
use crate::http::url::Url;
use crate::http::{Failure, HeaderLines, Method, Request, Response, Settings};

/// A request with nothing to it: no headers, no body, no limits, no redirects.
pub fn request(method: &str, url: Url) -> Request {
    Request {
        method: Method::new(method),
        url,
        headers: HeaderLines {
            shared: Arc::from(&b""[..]),
            own: Vec::new(),
            trailing: Vec::new(),
            has_host: false,
            has_cookie: false,
        },
        body: None,
        upload: None,
        cookies: Vec::new(),
        settings: Arc::new(Settings {
            connect_timeout: None,
            read_timeout: None,
            redirects: None,
            tls: Tls::unchecked(),
            max_connections: 1,
            at_the_limit: AtTheLimit::Wait,
            retries: Retries::default(),
            statuses: None,
            http2: false,
            proxy: None,
        }),
        stream: false,
        bare: false,
        names: Names::System,
    }
}

/// One exchange on `stream`, and whether the stream may serve another.
pub async fn exchange<S: Stream>(stream: &mut S, request: &Request) -> Result<(Response, bool), Failure> {
    let thread = Thread::new(Arc::new(Completions::new().expect("the system has a descriptor left")));
    let lane = Lane::new();
    let mut progress = Progress::default();
    let exchanged = http1::exchange(stream, request, None, &lane, &thread, &mut progress).await?;
    let reusable = exchanged.keep_alive && is_quiet(stream);
    Ok((exchanged.response, reusable))
}

/// The response in `pieces`, of which none is empty, and whether the connection may be kept. `None`: there is more to
/// come; but not if the connection was `closed` behind them.
pub fn response<'p>(
    pieces: impl IntoIterator<Item = &'p [u8]>,
    head_only: bool,
    closed: bool,
) -> Result<Option<(Response, bool)>, Failure> {
    let mut reply = Reply::new(head_only);
    let mut pieces = pieces.into_iter().filter(|piece| !piece.is_empty());
    for piece in pieces.by_ref() {
        if let Some(exchanged) = reply.feed(piece)? {
            return Ok(Some((exchanged.response, exchanged.keep_alive && pieces.next().is_none())));
        }
    }
    if closed { reply.close().map(|exchanged| Some((exchanged.response, exchanged.keep_alive))) } else { Ok(None) }
}

/// What a head says of the response: status, length of the head, framing, persistence.
pub fn head(bytes: &[u8], head_only: bool) -> Result<Option<(u16, usize, String, bool)>, Failure> {
    let head = Head::parse(bytes, head_only)?;
    Ok(head.map(|head| (head.status, head.length, format!("{:?}", head.framing), head.keep_alive)))
}

/// The data in `pieces`, how many bytes it took, and whether that was all.
pub fn chunks<'p>(pieces: impl IntoIterator<Item = &'p [u8]>) -> Result<(Vec<u8>, usize, bool), Failure> {
    let (mut chunks, mut data, mut used) = (Chunks::default(), Vec::new(), 0);
    for piece in pieces {
        used += chunks.decode(piece, &mut data)?;
    }
    Ok((data, used, chunks.is_done()))
}
