//! Routers and dealers of ours with each other. Their life with libzmq is in `tests/cluster/`.

use std::time::Duration;

use bytes::Bytes;

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
    let mut dealer = dealer(&router, "n");
    for round in 0..20_u8 {
        dealer.reopen();
        dealer.send(vec![round].into());
        let (identity, message) = soon(router.recv()).await;
        assert_eq!(message, vec![round]);
        assert!(router.send(&identity, vec![round].into()));
        assert_eq!(soon(dealer.recv()).await, vec![round]);
    }
}

#[tokio::test]
async fn an_identity_has_a_length() {
    for identity in ["", &"n".repeat(256)] {
        let error = Dealer::connect("127.0.0.1", 1, identity, Settings::default()).unwrap_err();
        assert_eq!(error.to_string(), format!("an identity has 1 to 255 bytes, not {}", identity.len()));
    }
}
