//! Asking an idle device for something, so that it does not end the login.
//!
//! Some devices close what was not used for a while: a YubiHSM 2 after 30 seconds. The
//! login is the process', so one call on the anchor session keeps it for all. A random
//! byte is what every token has and what none answers without its device.

use std::{
    sync::{Arc, Once, Weak},
    thread,
    time::Duration,
};

use crate::backend::Shared;

/// A call at intervals, once it is running.
pub(crate) struct KeepAlive {
    period: Duration,
    started: Once,
}

impl KeepAlive {
    pub(crate) const fn new(period: Duration) -> Self {
        Self { period, started: Once::new() }
    }

    /// Starts the thread at the first call: when a session is opened, which a keyhost
    /// does after it has shut itself in. It ends with the slot.
    pub(crate) fn ensure_running(&self, shared: &Arc<Shared>) {
        self.started.call_once(|| {
            let (weak, period) = (Arc::downgrade(shared), self.period);
            let started = thread::Builder::new()
                .name("keep-alive".to_owned())
                .spawn(move || keep_alive(&weak, period));
            if let Err(error) = started {
                tracing::error!(%error, "no thread keeps the login alive");
            }
        });
    }
}

fn keep_alive(shared: &Weak<Shared>, period: Duration) {
    loop {
        thread::sleep(period);
        let Some(shared) = shared.upgrade() else { return };
        // Whoever uses the device next finds out by themselves.
        if let Err(error) = shared.slot.touch() {
            tracing::warn!(%error, "the call that keeps the login alive failed");
        }
    }
}
