//! The storage contract: ordered keys, entries with revisions, atomic batches
//! with preconditions, and a watch over what was committed.
//!
//! The contract is what PostgreSQL and etcd can honour as they are: a caller
//! never holds a transaction, a lock or an iterator across calls. Where several
//! entries must change together, one [`Batch`] names what must still be true and
//! what shall change, and the engine does all of it or nothing. Revisions are
//! etcd's idea: one number for the whole store, raised by every commit that
//! changes something.
//!
//! An engine is a [`Store`] that passes the `conformance` suite (feature
//! `conformance`). [`MemoryStore`] is the reference engine and [`FaultStore`]
//! makes any engine misbehave on demand.
//!
//! This crate refuses to know what is stored: values are opaque, and nothing is
//! encrypted, parsed or compared here.

mod batch;
#[cfg(any(test, feature = "conformance"))]
pub mod conformance;
mod contract;
mod entry;
mod error;
mod fault;
mod history;
mod key;
mod memory;

pub use batch::{
    Batch, Change, MAX_BATCH_BYTES, MAX_BATCH_OPS, MAX_KEY_BYTES, MAX_VALUE_BYTES, Precondition,
};
pub use bytes::Bytes;
pub use contract::{MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, Store, Watch, read_all};
pub use entry::{Commit, Entry, Page, Revision, Snapshot, Value};
pub use error::{Error, Limit};
pub use fault::{Call, Fault, FaultStore};
pub use history::{History, Retention};
pub use key::Key;
pub use memory::MemoryStore;
