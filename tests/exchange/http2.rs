//! HTTP/2 against servers that take connections and streams away: what is sent again, and what is not.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use gregaria::http::{Failure, Request, Settings};
use h2::Reason;
use h2::server::{Connection, SendResponse};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Client, request, settings};

/// What a server does with its connections, of which it tells the number from 0.
struct Server {
    address: SocketAddr,
    connections: Arc<AtomicUsize>,
    streams: Arc<AtomicUsize>,
}

/// Serve each stream as `answer` does, told the number of the connection and that of the stream on it.
async fn serve<F>(answer: F) -> Server
where
    F: Fn(usize, usize, SendResponse<Bytes>, &mut Connection<TcpStream, Bytes>) + Copy + Send + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (connections, streams) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let server = Server { address: listener.local_addr().unwrap(), connections, streams };
    let (connections, streams) = (Arc::clone(&server.connections), Arc::clone(&server.streams));
    tokio::spawn(async move {
        while let Ok((socket, _)) = listener.accept().await {
            let number = connections.fetch_add(1, Ordering::Relaxed);
            let streams = Arc::clone(&streams);
            tokio::spawn(async move {
                let mut connection = h2::server::handshake(socket).await.unwrap();
                let mut stream = 0;
                while let Some(Ok((_, respond))) = connection.accept().await {
                    streams.fetch_add(1, Ordering::Relaxed);
                    answer(number, stream, respond, &mut connection);
                    stream += 1;
                }
            });
        }
    });
    server
}

fn ok(mut respond: SendResponse<Bytes>) {
    respond.send_response(http::Response::new(()), true).unwrap();
}

fn over_http2(server: &Server) -> Request {
    request("GET", server.address, Settings { http2: true, ..settings() })
}

impl Server {
    fn seen(&self) -> (usize, usize) {
        (self.connections.load(Ordering::Relaxed), self.streams.load(Ordering::Relaxed))
    }
}

#[tokio::test]
async fn a_refused_stream_is_sent_again() {
    let server = serve(|_, stream, mut respond, _| match stream {
        0 => respond.send_reset(Reason::REFUSED_STREAM),
        _ => ok(respond),
    })
    .await;
    let user = Client::start().user();
    assert_eq!(user.fetch(over_http2(&server)).await.unwrap().status, 200);
    assert_eq!(server.seen(), (1, 2));
}

#[tokio::test]
async fn a_server_that_refuses_everything_is_not_asked_for_ever() {
    let server = serve(|_, _, mut respond, _| respond.send_reset(Reason::REFUSED_STREAM)).await;
    let user = Client::start().user();
    assert!(matches!(user.fetch(over_http2(&server)).await, Err(Failure::Reset(_))));
    assert_eq!(server.seen(), (1, 3));
}

#[tokio::test]
async fn a_stream_that_was_looked_at_is_not_sent_again() {
    let server = serve(|_, _, mut respond, _| respond.send_reset(Reason::INTERNAL_ERROR)).await;
    let user = Client::start().user();
    assert!(matches!(user.fetch(over_http2(&server)).await, Err(Failure::Reset(_))));
    assert_eq!(server.seen(), (1, 1));
}

#[tokio::test]
async fn what_a_connection_that_goes_away_did_not_take_is_sent_on_a_new_one() {
    let server = serve(|connection, stream, respond, of| {
        ok(respond);
        if (connection, stream) == (0, 0) {
            of.graceful_shutdown();
        }
    })
    .await;
    let user = Client::start().user();
    for _ in 0..3 {
        assert_eq!(user.fetch(over_http2(&server)).await.unwrap().status, 200);
    }
    assert_eq!(server.seen(), (2, 3));
}

#[tokio::test]
async fn lanes_that_open_at_once_open_one_connection() {
    let server = serve(|_, _, respond, _| ok(respond)).await;
    let user = Client::start().user();
    let flights: Vec<_> = (0..8).map(|_| user.send(over_http2(&server))).collect();
    for flight in flights {
        assert_eq!(flight.land().await.unwrap().status, 200);
    }
    assert_eq!(server.seen(), (1, 8));
}

#[tokio::test]
async fn all_who_waited_for_a_connection_hear_why_there_is_none() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let user = Client::start().user();
    let ask = || user.send(request("GET", closed, Settings { http2: true, ..settings() }));
    for flight in [ask(), ask(), ask()] {
        let failure = flight.land().await.unwrap_err();
        assert!(matches!(&failure, Failure::Connect(error) if error.raw_os_error().is_some()), "{failure:?}");
    }
}
