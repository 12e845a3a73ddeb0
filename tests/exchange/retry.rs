//! A request on a connection that the server closes: sent again when, and only when, it cannot have counted.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use gregaria::http::{Failure, Phase, Request, Stamps};
use socket2::SockRef;
use tokio::sync::mpsc;

use crate::client::{Client, get, post};
use crate::wire::{NEXT, soon};

/// What a server does with one connection: `Some` ends it.
type Connection = dyn Fn(&mut TcpStream, &Server) + Send + Sync;

/// A server with blocking threads, so that what it does happens when the system does it and not when a runtime turns.
#[derive(Default)]
struct Server {
    read: AtomicUsize,
    connections: AtomicUsize,
}

struct Running {
    server: Arc<Server>,
    address: SocketAddr,
    /// A connection was closed.
    closed: mpsc::UnboundedReceiver<()>,
}

impl Running {
    fn start(serve: Box<Connection>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let server = Arc::new(Server::default());
        let (tell, closed) = mpsc::unbounded_channel();
        let (shared, serve) = (Arc::clone(&server), Arc::new(serve));
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                stream.set_nodelay(true).unwrap();
                shared.connections.fetch_add(1, Ordering::SeqCst);
                let (server, serve, tell) = (Arc::clone(&shared), Arc::clone(&serve), tell.clone());
                thread::spawn(move || {
                    serve(&mut stream, &server);
                    drop(stream);
                    let _ = tell.send(());
                });
            }
        });
        Self { server, address, closed }
    }

    fn read(&self) -> usize {
        self.server.read.load(Ordering::SeqCst)
    }
}

impl Server {
    /// The head of a request, counted; false if the client closed. Further bytes are left where they are.
    fn read(&self, stream: &mut TcpStream) -> bool {
        let (mut head, mut byte) = (Vec::new(), [0; 1]);
        while !head.ends_with(b"\r\n\r\n") {
            if !matches!(stream.read(&mut byte), Ok(1)) {
                return false;
            }
            head.push(byte[0]);
        }
        self.read.fetch_add(1, Ordering::SeqCst);
        true
    }
}

fn answer(stream: &mut TcpStream) {
    let _ = stream.write_all(NEXT.as_bytes());
}

fn reset_on_close(stream: &TcpStream) {
    SockRef::from(stream).set_linger(Some(Duration::ZERO)).unwrap();
}

fn spin(time: Duration) {
    let began = Instant::now();
    while began.elapsed() < time {
        std::hint::spin_loop();
    }
}

/// Requests one after another, each when the connection of the one before is closed.
async fn requests_at_leisure(serve: Box<Connection>, request: impl Fn(SocketAddr) -> Request) {
    let mut running = Running::start(serve);
    let user = Client::start().user();
    for number in 1..=50 {
        user.fetch(request(running.address)).await.unwrap();
        soon(running.closed.recv()).await.unwrap();
        assert_eq!(running.read(), number);
    }
}

fn answer_and_close(stream: &mut TcpStream, server: &Server) {
    if server.read(stream) {
        answer(stream);
    }
}

fn answer_and_reset(stream: &mut TcpStream, server: &Server) {
    if server.read(stream) {
        answer(stream);
        // What is answered must be out before the reset, or it is lost.
        spin(Duration::from_micros(500));
        reset_on_close(stream);
    }
}

#[tokio::test]
async fn a_connection_that_was_closed_meanwhile_is_not_used() {
    requests_at_leisure(Box::new(answer_and_close), get).await;
}

#[tokio::test]
async fn a_connection_that_was_reset_meanwhile_is_not_used() {
    requests_at_leisure(Box::new(answer_and_reset), get).await;
}

/// Requests at full speed against a server that closes at any moment around the next one.
///
/// What the server read, it answered, and each of these answers is a success here. There is a third kind: the server's
/// system had taken a request when the server closed without reading it. From here that looks as if the server had read
/// it and died, so it is a failure (of the kind `taken`), and is not sent again.
async fn requests_in_a_race(
    serve: Box<Connection>,
    request: impl Fn(SocketAddr) -> Request,
    taken: fn(&Failure) -> bool,
) -> (usize, usize) {
    let running = Running::start(serve);
    let user = Client::start().user();
    let (mut successes, mut failures, mut opened) = (0, 0, 0);
    for _ in 0..2000 {
        let outcome = user.send(request(running.address)).outcome().await;
        assert_is_accounted_for(&outcome.stamps);
        opened += outcome.stamps.phases.opened as usize;
        match outcome.result {
            Ok(_) => successes += 1,
            Err(failure) if taken(&failure) => failures += 1,
            Err(failure) => panic!("{failure}, after {successes} successes and {failures} failures"),
        }
        assert_eq!(running.read(), successes, "after {failures} failures");
    }
    assert_eq!(running.server.connections.load(Ordering::SeqCst), opened);
    (successes, failures)
}

/// One request, also if it was sent twice, and all of its time in some phase.
fn assert_is_accounted_for(stamps: &Stamps) {
    let phases = &stamps.phases;
    assert_eq!(phases.opened + phases.reused, 1);
    assert_eq!(Phase::ALL.iter().map(|phase| phases.of(*phase)).sum::<Duration>(), stamps.response_time());
}

fn is_reset(failure: &Failure) -> bool {
    matches!(failure, Failure::Broken(error) if error.kind() == std::io::ErrorKind::ConnectionReset)
}

/// Some microseconds, others each time, from none up to well behind the next request.
fn moment() -> Duration {
    static CALLS: AtomicUsize = AtomicUsize::new(0);
    Duration::from_micros((CALLS.fetch_add(1, Ordering::Relaxed) * 7 % 150) as u64)
}

#[tokio::test]
async fn a_close_in_a_race_with_the_next_request_loses_and_doubles_nothing() {
    let serve = |stream: &mut TcpStream, server: &Server| {
        if server.read(stream) {
            answer(stream);
            spin(moment());
        }
    };
    let (successes, _) = requests_in_a_race(Box::new(serve), get, is_reset).await;
    assert!(successes > 1000);
}

#[tokio::test]
async fn a_half_close_in_a_race_with_the_next_request_loses_and_doubles_nothing() {
    let serve = |stream: &mut TcpStream, server: &Server| {
        if server.read(stream) {
            answer(stream);
            spin(moment());
            let _ = stream.shutdown(Shutdown::Write);
        }
    };
    let taken = |failure: &Failure| is_reset(failure) || matches!(failure, Failure::Disconnected);
    requests_in_a_race(Box::new(serve), |address| post(address, 300), taken).await;
}

#[tokio::test]
async fn a_reset_in_a_race_with_the_next_request_loses_and_doubles_nothing() {
    let serve = |stream: &mut TcpStream, server: &Server| {
        if server.read(stream) {
            answer(stream);
            spin(moment() + Duration::from_micros(50));
            reset_on_close(stream);
        }
    };
    requests_in_a_race(Box::new(serve), |address| post(address, 300), is_reset).await;
}

/// One request is answered; the second, on the same connection, meets `end`.
async fn taken_and_not_answered(end: fn(&mut TcpStream), request: impl Fn(SocketAddr) -> Request) {
    let serve = move |stream: &mut TcpStream, server: &Server| {
        if !server.read(stream) {
            return;
        }
        answer(stream);
        if server.read(stream) {
            end(stream);
        }
    };
    for _ in 0..20 {
        let running = Running::start(Box::new(serve));
        let user = Client::start().user();
        user.fetch(get(running.address)).await.unwrap();
        let failure = user.fetch(request(running.address)).await.expect_err("nobody answered");
        assert!(matches!(failure, Failure::Disconnected | Failure::Broken(_)), "{failure}");
        assert_eq!(running.read(), 2, "sent twice, though it was read");
        assert_eq!(running.server.connections.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_request_that_was_read_is_not_sent_again() {
    taken_and_not_answered(|_| {}, get).await;
}

#[tokio::test]
async fn a_request_that_was_read_and_reset_is_not_sent_again() {
    taken_and_not_answered(|stream| reset_on_close(stream), get).await;
}

#[tokio::test]
async fn a_request_whose_body_is_left_unread_is_not_sent_again() {
    taken_and_not_answered(|_| {}, |address| post(address, 300)).await;
}

/// As socketserver does it: the end of the stream first, then the reset that an unread body brings about.
#[tokio::test]
async fn a_request_that_is_half_closed_and_then_reset_is_not_sent_again() {
    let end = |stream: &mut TcpStream| {
        let _ = stream.shutdown(Shutdown::Write);
    };
    taken_and_not_answered(end, |address| post(address, 300)).await;
}

#[tokio::test]
async fn a_large_upload_that_was_begun_is_not_sent_again() {
    taken_and_not_answered(|_| {}, |address| post(address, 8_000_000)).await;
    let end = |stream: &mut TcpStream| {
        let _ = stream.shutdown(Shutdown::Write);
        spin(Duration::from_micros(200));
    };
    taken_and_not_answered(end, |address| post(address, 8_000_000)).await;
}

/// A server that lets itself be sent `413` and reads no more: the upload ends, whatever it does with the connection.
async fn early_answer(end: fn(&mut TcpStream)) {
    let serve = move |stream: &mut TcpStream, server: &Server| {
        if server.read(stream) {
            let _ = stream.write_all(b"HTTP/1.1 413 Too Large\r\nContent-Length: 5\r\n\r\nlarge");
            end(stream);
        }
    };
    let running = Running::start(Box::new(serve));
    let user = Client::start().user();
    let response = user.fetch(post(running.address, 20_000_000)).await.unwrap();
    assert_eq!((response.status, response.body()), (413, &b"large"[..]));
    assert_eq!(running.read(), 1);
}

#[tokio::test]
async fn an_answer_is_taken_before_the_body_is_sent() {
    // Open: it waits for the client to give up.
    early_answer(|stream| {
        stream.set_read_timeout(Some(Duration::from_secs(20))).unwrap();
        spin(Duration::from_millis(1));
        while matches!(stream.peek(&mut [0; 1]), Ok(1)) && stream.take_error().unwrap().is_none() {
            thread::sleep(Duration::from_millis(1));
            if stream.write(b"x").is_err() {
                break;
            }
        }
    })
    .await;
    early_answer(|stream| stream.shutdown(Shutdown::Write).unwrap()).await;
    early_answer(|_| {}).await;
}
