//! Waits that end: time-outs, and users who are stopped in every phase of a request.

use std::net::SocketAddr;
use std::time::Duration;

use gregaria::http::{Failure, Request, Settings};
use socket2::{Domain, Socket, Type};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use crate::client::{Client, User, get, post, request, request_to, settings};
use crate::wire::{NEXT, read_request, soon};

const SHORT: Duration = Duration::from_millis(150);

fn hasty(address: SocketAddr) -> Request {
    let hasty = Settings { connect_timeout: Some(SHORT), read_timeout: Some(SHORT), ..settings() };
    request("GET", address, hasty)
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An address whose listener takes no more connections, and what must be kept for that.
fn full_listener() -> (SocketAddr, Vec<Socket>) {
    let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
    listener.bind(&SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    listener.listen(0).unwrap();
    let address = listener.local_addr().unwrap();
    let mut kept = vec![listener];
    loop {
        let waiting = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let connected = waiting.connect_timeout(&address, SHORT).is_ok();
        kept.push(waiting);
        if !connected {
            return (address.as_socket().unwrap(), kept);
        }
    }
}

#[tokio::test]
async fn a_connection_that_does_not_come_is_given_up() {
    let (address, _kept) = full_listener();
    let failure = Client::start().user().fetch(hasty(address)).await.unwrap_err();
    assert!(matches!(failure, Failure::ConnectTimeout(after) if after == SHORT), "{failure}");
}

#[tokio::test]
async fn a_connection_that_is_refused_is_a_failure_at_once() {
    let (listener, address) = listen().await;
    drop(listener);
    let failure = Client::start().user().fetch(get(address)).await.unwrap_err();
    assert!(matches!(failure, Failure::Connect(_)), "{failure}");
}

#[tokio::test]
async fn a_handshake_that_does_not_come_is_given_up() {
    let (listener, address) = listen().await;
    let hasty = Settings { connect_timeout: Some(SHORT), ..settings() };
    let user = Client::start().user();
    let flight = user.send(request_to("GET", &format!("https://{address}"), hasty));
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    let failure = flight.land().await.unwrap_err();
    assert!(matches!(failure, Failure::ConnectTimeout(_)), "{failure}");
    sees_the_end(&mut stream).await;
}

#[tokio::test]
async fn silence_is_given_up_and_the_connection_with_it() {
    for said in ["", "HTTP/1.1 200 OK\r\nContent-", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"] {
        let (listener, address) = listen().await;
        let flight = Client::start().user().send(hasty(address));
        let (mut stream, _) = soon(listener.accept()).await.unwrap();
        read_request(&mut stream).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        let failure = flight.land().await.unwrap_err();
        assert!(
            matches!(failure, Failure::ReadTimeout(after) | Failure::BodyTimeout(after) if after == SHORT),
            "{failure} after {said:?}"
        );
        sees_the_end(&mut stream).await;
    }
}

#[tokio::test]
async fn a_server_that_takes_no_more_of_a_body_is_given_up() {
    let (listener, address) = listen().await;
    let mut upload = post(address, 20_000_000);
    upload.settings = Settings { read_timeout: Some(SHORT), ..settings() }.into();
    let flight = Client::start().user().send(upload);
    let (_stream, _) = soon(listener.accept()).await.unwrap();
    let failure = flight.land().await.unwrap_err();
    assert!(matches!(failure, Failure::ReadTimeout(_)), "{failure}");
}

/// Longer in all than the time-out, which is that of one silence.
#[tokio::test]
async fn what_drips_in_is_waited_for() {
    let (listener, address) = listen().await;
    let patient = Settings { read_timeout: Some(SHORT * 10), ..settings() };
    let flight = Client::start().user().send(request("GET", address, patient));
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    stream.set_nodelay(true).unwrap();
    read_request(&mut stream).await.unwrap();
    for byte in NEXT.as_bytes() {
        stream.write_all(&[*byte]).await.unwrap();
        tokio::time::sleep(SHORT * 11 / NEXT.len() as u32).await;
    }
    assert_eq!(flight.land().await.unwrap().body(), b"next");
}

async fn sees_the_end(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    let _ = soon(stream.read_to_end(&mut rest)).await; // a reset is an end as well
}

/// The user goes on: his next request is answered, on a connection of its own.
async fn goes_on(user: &User, listener: &TcpListener, address: SocketAddr) {
    let flight = user.send(get(address));
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    read_request(&mut stream).await.unwrap();
    stream.write_all(NEXT.as_bytes()).await.unwrap();
    assert_eq!(flight.land().await.unwrap().body(), b"next");
}

#[tokio::test]
async fn a_user_who_is_stopped_while_connecting_goes_on() {
    let (address, _kept) = full_listener();
    let user = Client::start().user();
    let one_at_a_time = Settings { max_connections: 1, ..settings() };
    user.send(request("GET", address, one_at_a_time)).cancel();
    let (listener, address) = listen().await;
    goes_on(&user, &listener, address).await;
}

#[tokio::test]
async fn a_user_who_is_stopped_in_a_handshake_closes_the_connection() {
    let (listener, address) = listen().await;
    let user = Client::start().user();
    let flight = user.send(request_to("GET", &format!("https://{address}"), settings()));
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    soon(stream.read_u8()).await.unwrap();
    flight.cancel();
    sees_the_end(&mut stream).await;
    goes_on(&user, &listener, address).await;
}

#[tokio::test]
async fn a_user_who_is_stopped_in_a_response_closes_the_connection() {
    for said in ["", "HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhel"] {
        let (listener, address) = listen().await;
        let user = Client::start().user();
        let flight = user.send(get(address));
        let (mut stream, _) = soon(listener.accept()).await.unwrap();
        read_request(&mut stream).await.unwrap();
        stream.write_all(said.as_bytes()).await.unwrap();
        flight.cancel();
        sees_the_end(&mut stream).await;
        goes_on(&user, &listener, address).await;
    }
}

#[tokio::test]
async fn a_user_who_is_stopped_while_uploading_closes_the_connection() {
    let (listener, address) = listen().await;
    let user = Client::start().user();
    let flight = user.send(post(address, 20_000_000));
    let (mut stream, _) = soon(listener.accept()).await.unwrap();
    read_request(&mut stream).await.unwrap();
    flight.cancel();
    sees_the_end(&mut stream).await;
    goes_on(&user, &listener, address).await;
}
