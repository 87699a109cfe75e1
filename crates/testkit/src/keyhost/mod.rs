//! Keyhosts for tests, and the front's side of them.
//!
//! [`LocalKeyhost`] has the real frames, sockets and threads, in this process: for
//! tests of what lies above a keyhost. [`KeyhostProcess`] is the process itself, as
//! the supervisor starts it: sandboxed, with its keys out of reach.
//! [`ThroughKeyhost`] calls one by the contract of a backend, so that what judges
//! backends judges everything between the front and the key as well.

mod local;
mod private_key;
mod process;
mod session;
mod through;

use std::{sync::Arc, time::Duration};

use anyhow::{Context, Result};
use keyreeve_keyhost::{Client, Deadline, Description};
use keyreeve_types::{KeyOps, KeyPolicy, KeySpec};

pub use local::LocalKeyhost;
pub use private_key::{SealedImport, seal_import};
pub use process::KeyhostProcess;
pub use session::ThroughSession;
pub use through::ThroughKeyhost;

/// The rules of a new key that may do `ops` at any time.
pub const fn policy(spec: KeySpec, ops: KeyOps) -> KeyPolicy {
    KeyPolicy {
        spec,
        made_for: ops,
        ops,
        enabled: true,
        not_before: None,
        expires: None,
        revision: 1,
    }
}

/// A deadline that only a call that hangs misses: making an RSA-4096 key takes
/// seconds on a slow machine.
pub fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(60))
}

/// Waits until a keyhost has said what it is: another one than that with the import
/// recipient `before`. Each start has one of its own.
async fn described(client: &Client, before: Option<u64>) -> Result<Arc<Description>> {
    let described = async {
        loop {
            match client.description() {
                Some(description) if Some(description.recipient.id) != before => {
                    break description;
                }
                _ => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
    };
    tokio::time::timeout(PATIENCE, described).await.context("the keyhost does not answer")
}

/// A slow machine's first answer.
const PATIENCE: Duration = Duration::from_secs(20);
