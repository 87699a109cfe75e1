//! The process around one backend, and the front's way to it.
//!
//! Private keys live in keyhosts: processes without a network, each around one
//! backend. The front, which has the network, holds sealed keys and talks to
//! keyhosts in frames over socket pairs that the supervisor made. This crate is
//! both sides: [`host`] is what runs in a keyhost, [`Client`] is what the front
//! calls, and between them are the frames.
//!
//! It refuses to know who may do what, and to store anything.

pub mod envelope;
pub mod frame;
#[cfg(feature = "fuzz")]
pub mod fuzzing;
pub mod host;
pub mod packet;
pub mod sandbox;

mod client;
mod codec;
mod deadline;
mod key;
mod link;
mod root_key;
mod tunnel;

pub use client::{
    CallError, CheckpointRefused, Ciphertext, Client, DataKey, DataKeyAlgorithm, Driver,
    ImportedKey, LineState, Member, NewVersion,
};
pub use deadline::Deadline;
pub use frame::{Description, MAX_PAYLOAD, PreviousCheckpoint, Protection, Recipient};
pub use key::{Binding, LogId, SealedKey};
pub use link::{ClientLink, FrontEnd, HostEnd, Sockets, link};
pub use root_key::{RootKey, RootKeyError};
pub use tunnel::{clock_us, retimed};
