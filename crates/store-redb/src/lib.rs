//! The embedded storage engine: one redb file, one writer.
//!
//! One thread owns all writing. It takes every batch that waits, judges and applies
//! them one after the other inside one redb transaction, makes them durable with
//! one sync, and then answers all: sixty-four callers share a sync instead of
//! queueing for sixty-four. A caller alone waits for nobody. Reads go straight to
//! a snapshot that ends with the call.
//!
//! After an I/O error the engine stops: what the disk holds is then known only
//! after opening the file again. What was acknowledged is there.
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
mod open;
mod open_error;
mod read;
mod store;
mod table;
mod writer;

#[cfg(test)]
mod tests;

pub use open_error::{OpenError, OpenFault};
pub use store::RedbStore;
