//! Users with more requests than connections, and connections that end with their users.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gregaria::http::{Failure, Settings};
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Barrier, mpsc};

use crate::client::{Client, get, request, settings};
use crate::wire::{NEXT, read_request, soon};

struct Server {
    address: std::net::SocketAddr,
    opened: Arc<AtomicUsize>,
    read: Arc<AtomicUsize>,
    /// One message for each connection that the client closed.
    closed: mpsc::UnboundedReceiver<()>,
}

/// A server that answers once `at_once` requests wait for an answer.
async fn serve(at_once: usize) -> Server {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (opened, read) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let (tell, closed) = mpsc::unbounded_channel();
    let barrier = Arc::new(Barrier::new(at_once));
    let counts = (Arc::clone(&opened), Arc::clone(&read));
    tokio::spawn(async move {
        loop {
            let (stream, _) = listener.accept().await.unwrap();
            counts.0.fetch_add(1, Ordering::SeqCst);
            let (barrier, tell, read) = (Arc::clone(&barrier), tell.clone(), Arc::clone(&counts.1));
            tokio::spawn(async move {
                connection(stream, &barrier, &read).await;
                let _ = tell.send(());
            });
        }
    });
    Server { address, opened, read, closed }
}

async fn connection(mut stream: TcpStream, barrier: &Barrier, read: &AtomicUsize) {
    while read_request(&mut stream).await.is_some() {
        read.fetch_add(1, Ordering::SeqCst);
        barrier.wait().await;
        let _ = stream.write_all(NEXT.as_bytes()).await;
    }
}

#[tokio::test]
async fn requests_beyond_the_connections_wait_for_one_and_are_all_answered() {
    let server = serve(3).await;
    let user = Client::start().user();
    let flights: Vec<_> = (0..30)
        .map(|_| user.send(request("GET", server.address, Settings { max_connections: 3, ..settings() })))
        .collect();
    for flight in flights {
        assert_eq!(flight.land().await.unwrap().body(), b"next");
    }
    assert_eq!(server.opened.load(Ordering::SeqCst), 3);
    assert_eq!(server.read.load(Ordering::SeqCst), 30);
}

#[tokio::test]
async fn a_pool_of_no_connections_has_one() {
    let server = serve(1).await;
    let none = Settings { max_connections: 0, ..settings() };
    assert!(Client::start().user().fetch(request("GET", server.address, none)).await.is_ok());
}

#[tokio::test]
async fn a_request_that_is_given_up_while_it_waits_is_never_sent() {
    let server = serve(2).await;
    let user = Client::start().user();
    let one = || request("GET", server.address, Settings { max_connections: 1, ..settings() });
    let (first, second, third) = (user.send(one()), user.send(one()), user.send(one()));
    second.cancel();
    // Another user's request completes the pair that the server waits for, twice.
    let other = user_of_another_client();
    assert!(other.fetch(one()).await.is_ok());
    assert!(first.land().await.is_ok());
    assert!(other.fetch(one()).await.is_ok());
    assert!(third.land().await.is_ok());
    assert_eq!(server.read.load(Ordering::SeqCst), 4);
}

fn user_of_another_client() -> crate::client::User {
    Client::start().user()
}

#[tokio::test]
async fn idle_connections_are_closed_when_asked_and_opened_anew_when_needed() {
    let mut server = serve(1).await;
    let user = Client::start().user();
    for opened in 1..=3 {
        user.fetch(get(server.address)).await.unwrap();
        user.fetch(get(server.address)).await.unwrap();
        assert_eq!(server.opened.load(Ordering::SeqCst), opened);
        user.close_idle();
        soon(server.closed.recv()).await.unwrap();
    }
}

#[tokio::test]
async fn a_running_request_finishes_before_its_connection_is_closed() {
    for forget in [false, true] {
        let mut server = serve(2).await;
        let (user, other) = (Client::start().user(), user_of_another_client());
        let flight = user.send(get(server.address));
        while server.read.load(Ordering::SeqCst) == 0 {
            tokio::task::yield_now().await;
        }
        if forget {
            user.forget();
        } else {
            user.close_idle();
        }
        other.fetch(get(server.address)).await.unwrap();
        assert!(flight.land().await.is_ok());
        soon(server.closed.recv()).await.unwrap();
    }
}

#[tokio::test]
async fn users_who_are_forgotten_leave_no_connection() {
    let mut server = serve(1).await;
    let client = Client::start();
    let users: Vec<_> = (0..100).map(|_| client.user()).collect();
    for user in &users {
        let flights = [user.send(get(server.address)), user.send(get(server.address))];
        for flight in flights {
            flight.land().await.unwrap();
        }
    }
    let opened = server.opened.load(Ordering::SeqCst);
    assert!((100..=200).contains(&opened));
    users.iter().for_each(crate::client::User::forget);
    for _ in 0..opened {
        soon(server.closed.recv()).await.unwrap();
    }
}

/// Every origin a user visits is not one connection for ever.
#[tokio::test]
async fn a_user_keeps_connections_to_ten_origins() {
    let mut servers = Vec::new();
    for _ in 0..12 {
        servers.push(serve(1).await);
    }
    let user = Client::start().user();
    for server in &servers {
        user.fetch(get(server.address)).await.unwrap();
    }
    for server in &mut servers[..2] {
        soon(server.closed.recv()).await.unwrap();
    }
    for server in &servers[2..] {
        user.fetch(get(server.address)).await.unwrap();
        assert_eq!(server.opened.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn a_session_that_was_used_on_two_pools_leaves_no_connection_on_either() {
    let mut server = serve(1).await;
    let (one, other) = (Client::start(), Client::start());
    let user = one.user();
    let same = other.user_of(&user.session);
    for _ in 0..2 {
        user.fetch(get(server.address)).await.unwrap();
        same.fetch(get(server.address)).await.unwrap();
    }
    assert_eq!(server.opened.load(Ordering::SeqCst), 2);
    // On a thread that has no pool: there a collector may find it.
    std::thread::spawn(move || user.forget()).join().unwrap();
    for _ in 0..2 {
        soon(server.closed.recv()).await.unwrap();
    }
}

#[tokio::test]
async fn a_request_that_waits_for_a_connection_comes_home_when_its_session_is_forgotten() {
    let server = serve(2).await;
    let (user, other) = (Client::start().user(), user_of_another_client());
    let one = || request("GET", server.address, Settings { max_connections: 1, ..settings() });
    let (running, waiting) = (user.send(one()), user.send(one()));
    while server.read.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    user.forget();
    assert!(matches!(waiting.land().await, Err(Failure::Cancelled)));
    other.fetch(one()).await.unwrap();
    assert!(running.land().await.is_ok());
}

#[tokio::test]
async fn a_panic_is_the_failure_of_its_request_and_of_no_other() {
    let server = serve(1).await;
    let client = Client::start();
    let (user, other) = (client.user(), client.user());
    user.fetch(get(server.address)).await.unwrap();
    // A jar whose lock a panic went through is not to be used again.
    let session = Arc::clone(&user.session);
    let poisoner = std::thread::spawn(move || {
        let _jar = session.jar();
        panic!("on purpose");
    });
    assert!(poisoner.join().is_err());
    for _ in 0..3 {
        let failure = user.fetch(get(server.address)).await.unwrap_err();
        assert!(
            matches!(&failure, Failure::Bug(words) if words.contains("nothing panics under this lock")),
            "{failure}"
        );
    }
    assert!(other.fetch(get(server.address)).await.is_ok());
}
