//! A PKCS#11 slot as a backend: the only user of `cryptoki`.
//!
//! Resident keys are token objects, found by `CKA_ID`, which is the 16 bytes of the
//! version id. Wrapped keys are made in the token, wrapped there by the wrapping key of
//! the slot's group, kept outside as a blob, and unwrapped into a session object while
//! they are open. Both work sensitive and never extractable, every usage flag is set
//! explicitly, and no key may both wrap and decrypt. The process logs in once, keeps one
//! anchor session for as long as it lives, and gives each thread a session of its own:
//! two threads in one session are undefined behaviour, and closing the last session
//! logs out.
//!
//! What a module does in its own way is data in a [`Profile`], read from
//! `hsm-config/`; there is no code for one vendor.
//!
//! PKCS#11 has no time-out and no cancel. This crate does not pretend otherwise:
//! it blocks, and the keyhost process around it is killed when it blocks too long.
//! It does not retry, reconnect or fail over either; a fresh process is the cure.

mod backend;
mod curve;
mod decrypt;
mod destroy;
mod encrypt;
mod error;
mod find;
mod generate;
mod group;
mod import;
mod keep_alive;
mod keeper;
mod mac;
mod mechanism;
mod module;
mod open;
mod profile;
pub mod provision;
mod public;
mod random;
mod session;
mod sign;
mod slot;
mod template;
mod trial;
mod unwrap;
mod wrap;
mod wrapped;

pub use backend::{Pkcs11Backend, SlotConfig};
pub use group::{GroupConfig, KeysIn};
pub use profile::{Profile, ProfileError, Quirks, Sandbox, TokenSelector};
pub use session::{Pkcs11Key, Pkcs11Session};
