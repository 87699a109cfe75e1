//! Panics of redb, which fails an assertion on some kinds of damage.
//!
//! A process that otherwise ends with any panic has to know which ones are met
//! here.

use std::cell::Cell;
use std::panic::{AssertUnwindSafe, catch_unwind};

thread_local! {
    static CATCHING: Cell<u32> = const { Cell::new(0) };
}

/// Whether a panic of this thread, now, would be caught and become an error: for a
/// panic hook that ends the process, which runs first.
pub fn panic_is_caught() -> bool {
    CATCHING.get() > 0
}

/// Runs `work`; `None` if it panicked. What the panic left must not be used again.
pub(crate) fn caught<T>(work: impl FnOnce() -> T) -> Option<T> {
    CATCHING.set(CATCHING.get() + 1);
    let result = catch_unwind(AssertUnwindSafe(work));
    CATCHING.set(CATCHING.get() - 1);
    result.ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a hook that ends the process over damage which is met, and
    /// against one that is told to let every later panic pass.
    #[test]
    fn only_what_is_caught_is_said_to_be() {
        assert!(!panic_is_caught());
        assert_eq!(caught(panic_is_caught), Some(true));
        assert_eq!(
            caught(|| caught(|| panic!("damage")).is_none() && panic_is_caught()),
            Some(true)
        );
        assert!(!panic_is_caught());
    }
}
