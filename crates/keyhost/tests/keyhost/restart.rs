//! Keyhosts come and go.

use std::time::Duration;

use keyreeve_keyhost::{CallError, Client, Deadline, link};
use keyreeve_testkit::soon;
use keyreeve_types::{KeySpec, SignatureAlgorithm};
use tokio::sync::mpsc;

use crate::Fixture;

/// Guards against keys that are lost with the keyhost that had them open.
#[tokio::test]
async fn a_key_works_on_after_a_restart() {
    let fixture = Fixture::start().await;
    let (key, _) = fixture.key(KeySpec::EcP256).await;
    for _ in 0..3 {
        fixture.start_keyhost().await;
        let signed = fixture.client.sign(&key, SignatureAlgorithm::Es256, &[1; 32], soon()).await;
        assert!(signed.is_ok());
    }
}

/// Guards against calls that wait for a keyhost that is gone.
#[tokio::test]
async fn calls_end_at_once_when_the_keyhost_goes_away() {
    let (client, driver) = Client::new("software");
    let (links, receiver) = mpsc::channel(4);
    tokio::spawn(driver.run(receiver));
    let unavailable = |e: &CallError| matches!(e, CallError::Unavailable { retry_after } if !retry_after.is_zero());
    assert!(client.random(16, soon()).await.is_err_and(|e| unavailable(&e)));

    // A keyhost that never answers: its ends are held and nothing reads them.
    let (front, host) = link(1).expect("sockets");
    links.send(front.shards().expect("links").pop()).await.expect("a driver");
    while !client.is_serving() {
        tokio::task::yield_now().await;
    }
    let short = Deadline::after(Duration::from_millis(30));
    assert_eq!(client.random(16, short).await.err(), Some(CallError::DeadlineExceeded));

    let waiting = tokio::spawn({
        let client = client.clone();
        async move { client.random(16, soon()).await.map(drop) }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    drop(host);
    assert!(waiting.await.expect("a task").is_err_and(|e| unavailable(&e)));
    assert!(!client.is_serving());
}
