//! Where the writer leaves durable records for the publisher.
//!
//! Nobody waits for the publisher, so it is not woken for every sync: once for the first
//! records that lie here, and then it takes what has gathered.

use std::sync::{Mutex, PoisonError};

use crate::sheaf::Sheaf;

/// Sheaves that the publisher has not taken yet.
#[derive(Default)]
pub(crate) struct Tray(Mutex<Vec<Sheaf>>);

/// So many that the writer had better wait for the publisher.
const MANY: usize = 4096;

impl Tray {
    /// Leaves sheaves. True if the publisher is to be told: it may be asleep, or far
    /// behind.
    pub(crate) fn leave(&self, sheaves: impl Iterator<Item = Sheaf>) -> bool {
        let mut tray = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let first = tray.is_empty();
        tray.extend(sheaves);
        first || tray.len() >= MANY
    }

    /// Takes them all, in their order.
    pub(crate) fn take(&self) -> Vec<Sheaf> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
