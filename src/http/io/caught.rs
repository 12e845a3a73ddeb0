//! A panic while one user's request is served: that request fails, and nobody waits for it in vain.

use std::any::Any;
use std::future::poll_fn;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::Poll;

use crate::http::Failure;

/// Do `work`; a panic in it is a failure that says what the panic said. What `work` was changing is not to be used again.
///
/// It comes pinned: a future that is taken by value and pinned here would have its room twice in every idle user's task.
pub async fn caught<F: Future>(mut work: Pin<&mut F>) -> Result<F::Output, Failure> {
    poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
        Ok(poll) => poll.map(Ok),
        Err(panic) => Poll::Ready(Err(Failure::Bug(words(panic.as_ref())))),
    })
    .await
}

fn words(panic: &(dyn Any + Send)) -> String {
    let literal = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    literal.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "it did not say why".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::pin::pin;

    #[tokio::test]
    async fn a_panic_is_a_failure_in_its_own_words() {
        let said = |result: Result<(), Failure>| result.unwrap_err().to_string();
        let never = "gone".parse::<u8>();
        assert!(said(caught(pin!(async { panic!("no {}", 1) })).await).contains("no 1"));
        assert!(said(caught(pin!(async { panic!("plain") })).await).contains("plain"));
        assert!(said(caught(pin!(async { assert_eq!(never.unwrap(), 0) })).await).contains("InvalidDigit"));
        assert!(said(caught(pin!(async { std::panic::panic_any(7) })).await).contains("did not say"));
    }

    #[tokio::test]
    async fn what_does_not_panic_is_as_it_was() {
        let work = async {
            tokio::task::yield_now().await;
            7
        };
        assert!(matches!(caught(pin!(work)).await, Ok(7)));
    }
}
