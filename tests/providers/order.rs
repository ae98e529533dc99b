//! Several providers of one channel.

use std::sync::Arc;
use std::sync::atomic::{AtomicU16, Ordering};

use super::peer::{Peer, status};
use super::{BODY, channel, channels, delivery, word};
use wayfare::channel::Channel;
use wayfare::name::Name;

/// A peer that answers with the status that is set; 0 is silence.
async fn peer() -> (Peer, Arc<AtomicU16>) {
    let answer = Arc::new(AtomicU16::new(200));
    let set = Arc::clone(&answer);
    let peer = Peer::start(move |_| match set.load(Ordering::SeqCst) {
        0 => {
            std::thread::sleep(std::time::Duration::from_millis(1_200));
            status(200)
        }
        code => status(code),
    })
    .await;
    (peer, answer)
}

fn both(first: &Peer, second: &Peer, idempotent: bool) -> Arc<dyn Channel> {
    let provider = |name: &str, url: &str| {
        format!(
            "[providers.{name}]\nprovider = \"http\"\nurl = \"{url}\"\nallow_private = true\ntimeout = \"1 second\"\n\
             idempotent = {idempotent}\n[providers.{name}.headers]\nIdempotency-Key = \"{{{{ id }}}}\"\n"
        )
    };
    let settings = format!(
        "[channels.it]\nproviders = \"a, b\"\n{}{}",
        provider("a", &first.url),
        provider("b", &second.url)
    );
    channel(&settings)
}

#[tokio::test(flavor = "multi_thread")]
async fn the_second_is_asked_where_the_first_did_not_take_it() {
    let ((first, answer), (second, _)) = (peer().await, peer().await);
    let channel = both(&first, &second, false);
    let message = delivery("a", "1", &[("body", BODY)]);
    let attempt = channel.send_again(&message, None).await;
    assert_eq!(format!("{:?}", attempt.result), "Accepted { detail: \"a: HTTP 200: taken\" }");
    answer.store(503, Ordering::SeqCst);
    let attempt = channel.send_again(&message, None).await;
    assert_eq!(format!("{:?}", attempt.result), "Accepted { detail: \"b: HTTP 200: taken\" }");
    // A refusal is about the message: nobody else is asked.
    answer.store(400, Ordering::SeqCst);
    second.seen();
    assert_eq!(word(&channel.send(&message).await), "rejected");
    assert_eq!(second.seen(), []);
}

#[tokio::test(flavor = "multi_thread")]
async fn after_an_ambiguous_timeout_nobody_else_is_asked() {
    for idempotent in [false, true] {
        let ((first, answer), (second, _)) = (peer().await, peer().await);
        let channel = both(&first, &second, idempotent);
        let message = delivery("a", "1", &[("body", BODY)]);
        answer.store(0, Ordering::SeqCst);
        let attempt = channel.send_again(&message, None).await;
        assert_eq!((word(&attempt.result), attempt.provider.as_deref()), ("ambiguous", Some("a")));
        assert_eq!(attempt.idempotent, Some(idempotent));
        // The next attempt names it: even where it is known not to take it now, the other one is not asked.
        answer.store(503, Ordering::SeqCst);
        let attempt = channel.send_again(&message, Some("a")).await;
        assert_eq!(word(&attempt.result), "retry");
        assert_eq!(second.seen(), []);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_provider_out_of_order_is_left_alone() {
    let ((first, answer), (second, _)) = (peer().await, peer().await);
    let channel = both(&first, &second, true);
    answer.store(503, Ordering::SeqCst);
    for number in 0..20 {
        let message = delivery(&number.to_string(), "1", &[("body", BODY)]);
        assert_eq!(word(&channel.send(&message).await), "accepted");
    }
    let asked = first.seen().len();
    assert!(asked < 10, "asked {asked} times");
    assert_eq!(second.seen().len(), 20);
    // Once it is back, it is the first again.
    answer.store(200, Ordering::SeqCst);
    tokio::time::sleep(std::time::Duration::from_millis(1_100)).await;
    assert_eq!(word(&channel.send(&delivery("z", "1", &[("body", BODY)])).await), "accepted");
    assert_eq!((first.seen().len(), second.seen().len()), (1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn where_everybody_is_out_of_order_nothing_counts_as_an_attempt() {
    let ((first, one), (second, two)) = (peer().await, peer().await);
    let channel = both(&first, &second, true);
    one.store(503, Ordering::SeqCst);
    two.store(503, Ordering::SeqCst);
    let message = delivery("a", "1", &[("body", BODY)]);
    for _ in 0..5 {
        assert_eq!(word(&channel.send(&message).await), "retry");
    }
    assert_eq!(word(&channel.send(&message).await), "closed");
}

#[test]
fn channels_that_share_a_provider_share_its_rate() {
    let text = "[channels.it]\nproviders = \"a\"\n[channels.other]\nproviders = \"a\"\n[channels.alone]\nprovider = \"http\"\n\
                url = \"https://x.example/\"\nrate = \"7 per second\"\n\
                [providers.a]\nprovider = \"http\"\nurl = \"https://x.example/\"\nrate = \"100 per second\"\n";
    let channels = channels(text).unwrap_or_else(|reason| panic!("{reason}"));
    let rate = |name| channels.get(Name::new(name)).unwrap().rate().map(|rate| (rate.count, rate.per_ms));
    assert_eq!(
        (rate("it"), rate("other"), rate("alone")),
        (Some((50, 1_000)), Some((50, 1_000)), Some((7, 1_000)))
    );
}
