//! Watching over a device: its canary signs again and again.
//!
//! An idle device that died would be found dead by the first caller, and one whose module
//! must be loaded anew stays dead until somebody does. So it is asked twice a second, in a
//! session of its own; one that cannot sign ends its process, and a fresh one takes its
//! place. A call that hangs is seen by the supervisor, as any other.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError},
    time::Duration,
};

use keyreeve_backend::{Custody, KeyBackend, Session};

use super::{HostError, Shared, pulse::Pulse};
use crate::deadline::monotonic_us;

/// How often the canary signs.
const EVERY: Duration = Duration::from_millis(500);

/// Asks until `ended` is closed, or there is no good answer.
pub(super) fn watch<B: KeyBackend>(
    shared: &Shared<B>,
    pulse: &Pulse,
    ended: &Receiver<()>,
) -> Result<(), HostError> {
    if shared.backend.capabilities().custody == Custody::Portable {
        return Ok(());
    }
    let mut session = shared.backend.open_session()?;
    while ended.recv_timeout(EVERY) == Err(RecvTimeoutError::Timeout) {
        pulse.begin(pulse.canary(), monotonic_us());
        let signed = session.check();
        pulse.end(pulse.canary());
        if let Err(error) = signed {
            tracing::error!(%error, "the canary does not sign: the device is unwell");
            return Err(HostError::Dead);
        }
    }
    Ok(())
}
