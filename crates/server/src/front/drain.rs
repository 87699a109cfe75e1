//! Ending a connection in order: what is in flight is answered, nothing more is
//! taken.

use std::{future::Future, pin::Pin};

use tokio::sync::watch;

/// Runs `connection` to its end; once told to drain, tells it with `finish`.
pub(super) async fn until_drained<C, E>(
    mut connection: Pin<&mut C>,
    finish: impl FnOnce(Pin<&mut C>),
    mut drain: watch::Receiver<bool>,
) -> Result<(), E>
where
    C: Future<Output = Result<(), E>>,
{
    tokio::select! {
        biased;
        ended = connection.as_mut() => return ended,
        () = told(&mut drain) => {}
    }
    finish(connection.as_mut());
    connection.await
}

async fn told(drain: &mut watch::Receiver<bool>) {
    let _ = drain.wait_for(|drain| *drain).await;
}
