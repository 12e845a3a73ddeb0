//! Several addresses of one host: the first to answer is taken (RFC 8305, "happy eyeballs").
//!
//! A host whose IPv6 address leads nowhere costs its users a quarter of a second, not a time-out.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, sleep};

/// How long an address may take to answer before the next one is tried beside it.
const HEAD_START: Duration = Duration::from_millis(250);

/// What happened to the attempts under way.
enum Event<T> {
    Connected(T),
    Failed(io::Error),
    /// The last one started takes its time.
    Overdue,
}

/// The first connection that `dial` makes to one of the addresses; if none, the last error. A refusal starts the next
/// attempt at once. Attempts that come too late are dropped, and with them their connections.
pub async fn race<T, F: Future<Output = io::Result<T>>>(
    addresses: &[SocketAddr],
    dial: impl Fn(SocketAddr) -> F,
) -> io::Result<T> {
    if let [only] = addresses {
        return dial(*only).await;
    }
    let mut waiting = interleaved(addresses);
    let mut attempts: Vec<Pin<Box<F>>> = Vec::new();
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut head_start = pin!(sleep(HEAD_START));
    loop {
        match waiting.pop_front() {
            Some(address) => attempts.push(Box::pin(dial(address))),
            None if attempts.is_empty() => return Err(last),
            None => {}
        }
        head_start.as_mut().reset(Instant::now() + HEAD_START);
        let event = poll_fn(|cx| {
            for n in 0..attempts.len() {
                match attempts[n].as_mut().poll(cx) {
                    Poll::Ready(Ok(connection)) => return Poll::Ready(Event::Connected(connection)),
                    Poll::Ready(Err(error)) => {
                        drop(attempts.swap_remove(n));
                        return Poll::Ready(Event::Failed(error));
                    }
                    Poll::Pending => {}
                }
            }
            if waiting.is_empty() { Poll::Pending } else { head_start.as_mut().poll(cx).map(|()| Event::Overdue) }
        });
        match event.await {
            Event::Connected(connection) => return Ok(connection),
            Event::Failed(error) => last = error,
            Event::Overdue => {}
        }
    }
}

/// The addresses in the order given, but the families by turns: the resolver knows best which is first.
fn interleaved(addresses: &[SocketAddr]) -> VecDeque<SocketAddr> {
    let first_is_v6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<_>, Vec<_>) = addresses.iter().partition(|address| address.is_ipv6() == first_is_v6);
    let longer = first.len().max(second.len());
    (0..longer).flat_map(|n| [first.get(n), second.get(n)]).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::RefCell;
    use std::future::pending;

    fn address(text: &str) -> SocketAddr {
        text.parse().unwrap()
    }

    const V6: &str = "[2001:db8::1]:80";
    const OTHER_V6: &str = "[2001:db8::2]:80";
    const V4: &str = "192.0.2.1:80";
    const OTHER_V4: &str = "192.0.2.2:80";

    /// Whose turn it was when, and what came of it. `answer`: after how many milliseconds, and whether it connects.
    async fn tried(
        addresses: &[&str],
        answer: impl Fn(&str) -> Option<(u64, bool)>,
    ) -> (Vec<(String, u64)>, io::Result<String>) {
        let began = Instant::now();
        let tries = RefCell::new(Vec::new());
        let addresses: Vec<SocketAddr> = addresses.iter().map(|text| address(text)).collect();
        let result = race(&addresses, |address| {
            let name = address.to_string();
            tries.borrow_mut().push((name.clone(), began.elapsed().as_millis() as u64));
            let answer = answer(&name);
            async move {
                let Some((after, connects)) = answer else { return pending().await };
                sleep(Duration::from_millis(after)).await;
                if connects { Ok(name) } else { Err(io::ErrorKind::ConnectionRefused.into()) }
            }
        });
        let result = result.await;
        (tries.into_inner(), result)
    }

    fn at(text: &str, after: u64) -> (String, u64) {
        (text.to_owned(), after)
    }

    #[test]
    fn families_take_turns() {
        let addresses = [V6, OTHER_V6, V4, OTHER_V4].map(address);
        assert_eq!(interleaved(&addresses), [V6, V4, OTHER_V6, OTHER_V4].map(address));
        let addresses = [V4, V6, OTHER_V6].map(address);
        assert_eq!(interleaved(&addresses), addresses);
    }

    #[tokio::test(start_paused = true)]
    async fn the_second_is_tried_when_the_first_is_slow_and_the_faster_one_wins() {
        let (tries, result) = tried(&[V6, V4], |name| (name == V4).then_some((20, true))).await;
        assert_eq!(tries, [at(V6, 0), at(V4, 250)]);
        assert_eq!(result.unwrap(), V4);
        let (tries, result) = tried(&[V6, V4], |name| Some((if name == V6 { 300 } else { 100 }, true))).await;
        assert_eq!(tries.len(), 2);
        assert_eq!(result.unwrap(), V6);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_starts_the_next_at_once() {
        let (tries, result) = tried(&[V6, V4, OTHER_V4], |name| Some((5, name == OTHER_V4))).await;
        assert_eq!(tries, [at(V6, 0), at(V4, 5), at(OTHER_V4, 10)]);
        assert_eq!(result.unwrap(), OTHER_V4);
    }

    #[tokio::test(start_paused = true)]
    async fn when_none_answers_the_last_error_counts() {
        let (tries, result) = tried(&[V6, V4], |_| Some((1, false))).await;
        assert_eq!(tries.len(), 2);
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        let (tries, result) = tried(&[], |_| None).await;
        assert!(tries.is_empty());
        assert_eq!(result.unwrap_err().kind(), io::ErrorKind::AddrNotAvailable);
    }
}
