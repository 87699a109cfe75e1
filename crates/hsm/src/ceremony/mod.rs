//! The two-person ceremony: a file that says what will be done, two people who
//! confirm its hash, and a transcript that says what was done, each entry bound to
//! the one before by hash.
//!
//! What a transcript proves: that nothing in it was changed, left out or put in after
//! its last hash was written down elsewhere, and which plan it followed. What it does
//! not prove: that the people are who they say. Confirmations by file come from files
//! of two different owners on this machine; typed ones are witnessed by whoever is
//! present.
//!
//! A ceremony that was interrupted is run again, with a new transcript: every step
//! finds what is done already.

mod confirm;
mod plan;
mod run;
mod transcript;
mod verify;

pub use confirm::Confirmation;
pub use plan::Plan;
pub use run::{Ran, run};
pub use verify::{Verified, verify};
