//! The embedded storage engine: one redb file, one writer.
//!
//! One thread owns all writing. It takes every batch that waits, judges and applies
//! them one after the other inside one redb transaction, makes them durable with
//! one sync, and then answers all: sixty-four callers share a sync instead of
//! queueing for sixty-four. A caller alone waits for nobody. Reads go straight to
//! a snapshot that ends with the call.
//!
//! After an I/O error what the disk holds is known only after opening the file
//! again. For want of room the engine does that itself, refuses commits until there
//! is room, and goes on; after any other error it stops. What was acknowledged is
//! there.
//!
//! ```text
//! table "meta"     "format" → 1,  "revision" → revision of the last commit
//! table "entries"  key → revision (8 bytes, big endian) ‖ value
//! ```
//!
//! This crate refuses to share its file: a second opener is turned away. It keeps
//! the commits that a watch may ask for in memory only, so that every watch from
//! before a restart is compacted.

mod engine;
mod group;
mod lock;
mod medium;
mod open;
mod open_error;
mod panics;
mod read;
mod store;
mod table;
mod writer;

#[cfg(test)]
mod tests;

pub use open_error::{OpenError, OpenFault};
pub use panics::panic_is_caught;
pub use store::RedbStore;
