//! List: what a module says it has.

use crate::{Failure, Inventory, Target, ask::Ask, slot::Slot};

/// The module's slots, tokens and mechanisms. Logs in nowhere and changes nothing.
///
/// # Errors
///
/// If the module does not load, or lists no slots.
pub fn list(target: &Target) -> Result<Inventory, Failure> {
    Slot::start(target, &[])?.ask(&Ask::Inventory)
}
