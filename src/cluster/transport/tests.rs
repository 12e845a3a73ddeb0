//! Routers and dealers of ours with each other. Their life with libzmq is in `tests/cluster/`.

use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::wire::{Command, Mechanism, Ready, Writer, greeting};
use super::*;

const SOON: Duration = Duration::from_secs(10);

fn router() -> Router {
    Router::bind("127.0.0.1", 0, Settings::default()).unwrap()
}

fn dealer(router: &Router, identity: &str) -> Dealer {
    Dealer::connect("127.0.0.1", router.port(), identity, Settings::default()).unwrap()
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(SOON, future).await.expect("it comes soon")
}

#[tokio::test]
async fn messages_go_both_ways_in_order() {
    let mut router = router();
    let mut dealer = dealer(&router, "host_1");
    let large = Bytes::from(vec![7; 3 << 20]);
    for message in ["1".into(), large.clone(), Bytes::new()] {
        assert!(dealer.send(message));
    }
    let identity = Identity::from("host_1");
    assert_eq!(soon(router.recv()).await, (identity.clone(), "1".into()));
    assert_eq!(soon(router.recv()).await.1, large);
    assert_eq!(soon(router.recv()).await.1, Bytes::new());
    assert!(!router.send(&"nobody".into(), "lost".into()));
    assert!(router.send(&identity, large.clone()) && router.send(&identity, "2".into()));
    assert_eq!(soon(dealer.recv()).await, large);
    assert_eq!(soon(dealer.recv()).await, "2");
    assert_eq!(router.refused(), Refused::default());
}

#[tokio::test]
async fn a_dealer_may_come_first_and_outlives_its_router() {
    let first = router();
    let port = first.port();
    first.close(SOON).await;
    let mut dealer = Dealer::connect("127.0.0.1", port, "n", Settings::default()).unwrap();
    for _ in 0..2 {
        dealer.send("hello".into());
        let mut router = Router::bind("127.0.0.1", port, Settings::default()).unwrap();
        let (identity, message) = soon(router.recv()).await;
        assert_eq!((identity.text(), &message[..]), (Some("n"), &b"hello"[..]));
        router.send(&identity, "back".into());
        assert_eq!(soon(dealer.recv()).await, "back");
        router.close(SOON).await;
    }
}

#[tokio::test]
async fn a_dealer_says_all_before_it_closes() {
    let mut router = router();
    let dealer = dealer(&router, "n");
    for _ in 0..500 {
        dealer.send(Bytes::from(vec![1; 10_000]));
    }
    let closing = tokio::spawn(dealer.close(SOON));
    for _ in 0..500 {
        soon(router.recv()).await;
    }
    assert!(soon(closing).await.unwrap());
}

#[tokio::test]
async fn a_reopened_connection_keeps_the_name_and_what_is_queued() {
    let mut router = router();
    let dealer = dealer(&router, "n");
    for round in 0..20_u8 {
        dealer.reopen();
        dealer.send(vec![round].into());
        // Nothing that is sent is lost. An answer may be: over the connection that is being left.
        let (identity, message) = soon(router.recv()).await;
        assert_eq!((identity.text(), message), (Some("n"), vec![round].into()));
        assert!(router.send(&identity, vec![round].into()));
    }
}

#[tokio::test]
async fn an_identity_has_a_length() {
    for identity in ["", &"n".repeat(256)] {
        let error = Dealer::connect("127.0.0.1", 1, identity, Settings::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("an identity has 1 to 255 bytes, not {}", identity.len()));
    }
}

/// A connection that has introduced itself and announced a message of 64 MB.
async fn announcer(router: &Router) -> TcpStream {
    let mut stream = TcpStream::connect(("127.0.0.1", router.port())).await.unwrap();
    let mut said = BytesMut::from(&greeting(Mechanism::Null, false)[..]);
    let ready = Ready { socket_type: "DEALER".into(), ..Ready::default() };
    Writer::default().command(&mut said, &Command::Ready(ready).write());
    said.put_u8(2);
    said.put_u64(64 << 20);
    stream.write_all(&said).await.unwrap();
    stream.read_exact(&mut [0; 64]).await.unwrap();
    stream
}

#[tokio::test]
async fn who_announces_and_sends_nothing_costs_nobody_anything() {
    let mut router = router();
    let mut announcers = Vec::new();
    for _ in 0..8 {
        announcers.push(announcer(&router).await);
    }
    let dealer = dealer(&router, "n");
    let large = Bytes::from(vec![7; 3 << 20]);
    assert!(dealer.send(large.clone()) && dealer.send("heartbeat".into()));
    assert_eq!(soon(router.recv()).await.1, large);
    assert_eq!(soon(router.recv()).await.1, "heartbeat");
}

#[tokio::test]
async fn who_falls_silent_within_a_large_message_gives_way_to_others() {
    let mut router = router();
    let mut announcers = Vec::new();
    for _ in 0..4 {
        let mut announcer = announcer(&router).await;
        announcer.write_all(&vec![0; (64 << 20) - 1]).await.unwrap();
        announcers.push(announcer);
    }
    let dealer = dealer(&router, "n");
    let large = Bytes::from(vec![7; 3 << 20]);
    assert!(dealer.send(large.clone()));
    assert_eq!(tokio::time::timeout(3 * SOON, router.recv()).await.unwrap().1, large);
}

#[tokio::test]
async fn a_strangers_words_are_in_no_log_of_a_router_and_harmless_in_that_of_a_dealer() {
    let words = "you\nare \u{1b}[31mrefused";
    let mut said = BytesMut::from(&greeting(Mechanism::Null, false)[..]);
    Writer::default().command(&mut said, &Command::Error(words.into()).write());

    let (settings, mut heard) = sealed("");
    let router = Router::bind("127.0.0.1", 0, settings).unwrap();
    let mut stranger = TcpStream::connect(("127.0.0.1", router.port())).await.unwrap();
    stranger.write_all(&said).await.unwrap();
    // Until the router has closed the connection.
    soon(stranger.read_to_end(&mut Vec::new())).await.unwrap();
    assert_eq!(router.refused(), Refused { strangers: 1, ..Refused::default() });
    assert!(heard.try_recv().is_err());

    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (settings, mut heard) = sealed("");
    let _dealer = Dealer::connect("127.0.0.1", listener.local_addr().unwrap().port(), "n", settings).unwrap();
    let (mut master, _) = soon(listener.accept()).await.unwrap();
    master.write_all(&said).await.unwrap();
    assert_eq!(soon(heard.recv()).await.unwrap().text, r"you\nare \u{1b}[31mrefused");
}

fn sealed(key: &str) -> (Settings, tokio::sync::mpsc::Receiver<Notice>) {
    let (notices, said) = Notices::channel();
    (Settings { key: Key::given(key).unwrap(), notices, ..Settings::default() }, said)
}

#[tokio::test]
async fn with_the_same_key_all_goes_as_without() {
    let key = "0123456789abcdef";
    let mut router = Router::bind("127.0.0.1", 0, sealed(key).0).unwrap();
    let mut dealer = Dealer::connect("127.0.0.1", router.port(), "n", sealed(key).0).unwrap();
    let large = Bytes::from(vec![7; 3 << 20]);
    for round in 0..10 {
        dealer.send(large.clone());
        dealer.send(Bytes::new());
        let (identity, message) = soon(router.recv()).await;
        assert_eq!((identity.text(), message), (Some("n"), large.clone()), "round {round}");
        assert_eq!(soon(router.recv()).await.1, "");
        router.send(&identity, large.clone());
        assert_eq!(soon(dealer.recv()).await, large);
    }
}

#[tokio::test]
async fn whoever_has_another_key_or_none_is_refused_in_plain_words() {
    for (masters, workers, master_says, worker_says) in [
        (
            "0123456789abcdef",
            "0123456789abcdeF",
            "its cluster key is another one",
            "the master has another cluster key",
        ),
        ("0123456789abcdef", "", "it has no cluster key", "the master wants a cluster key"),
        ("", "0123456789abcdef", "this master has none", "the master has no cluster key"),
    ] {
        let (settings, mut heard) = sealed(masters);
        let router = Router::bind("127.0.0.1", 0, settings).unwrap();
        let (settings, mut heard_there) = sealed(workers);
        let dealer = Dealer::connect("127.0.0.1", router.port(), "n", settings).unwrap();
        dealer.send("secret".into());
        let notice = soon(heard.recv()).await.unwrap();
        assert!(notice.text.contains(master_says) && !notice.is_final, "{notice:?}");
        let notice = soon(heard_there.recv()).await.unwrap();
        assert!(notice.text.contains(worker_says) && notice.is_final, "{notice:?}");
        assert!(router.refused().keys > 0);
        assert!(!router.send(&"n".into(), "x".into()), "nobody of this name is there");
    }
}

#[tokio::test]
async fn large_messages_of_many_wait_for_room_and_all_come() {
    let mut router = router();
    let large = Bytes::from(vec![7; 60 << 20]);
    // Ten of them are more than the room that they share.
    let dealers: Vec<Dealer> = (0..10).map(|number| dealer(&router, &format!("n_{number}"))).collect();
    for dealer in &dealers {
        assert!(dealer.send(large.clone()) && dealer.send("small".into()));
    }
    let mut sizes = Vec::new();
    for _ in 0..20 {
        sizes.push(tokio::time::timeout(6 * SOON, router.recv()).await.unwrap().1.len());
    }
    sizes.sort_unstable();
    assert_eq!(sizes, [[5; 10], [large.len(); 10]].concat());
}

#[tokio::test]
async fn the_last_word_arrives_although_the_other_side_is_talking() {
    let mut router = router();
    let mut dealers: Vec<Dealer> = (0..20).map(|number| dealer(&router, &format!("n_{number}"))).collect();
    let mut known = Vec::new();
    for dealer in &dealers {
        dealer.send("hello".into());
        known.push(soon(router.recv()).await.0);
    }
    // What is not read when a connection is closed makes the system take back what was written.
    for dealer in &dealers {
        (0..200).for_each(|_| assert!(dealer.send(Bytes::from(vec![1; 10_000]))));
    }
    for identity in &known {
        assert!(router.send(identity, "quit".into()));
    }
    router.close(SOON).await;
    for dealer in &mut dealers {
        assert_eq!(soon(dealer.recv()).await, "quit");
    }
}
