//! The vocabulary of Keyreeve: names, ids, algorithms, key specifications,
//! policies and secrets.
//!
//! Every other crate speaks in these types, so that a value which exists is a
//! value that was checked. They carry no I/O, no clock and no randomness: time
//! and random bytes come in as parameters.
//!
//! This crate refuses to know how anything is stored, sent or computed.

mod algorithm;
mod id;
mod json_depth;
mod key_ops;
mod key_spec;
mod name;
mod policy;
mod secret;
mod time;

pub use algorithm::{
    AesMode, Digest, EncryptionAlgorithm, MacAlgorithm, RsaPadding, SignInput, SignatureAlgorithm,
    UnknownAlgorithm, WrapAlgorithm,
};
pub use id::{BadId, KeyId, VaultId, VersionId};
pub use json_depth::is_nested_deeper;
pub use key_ops::{KeyOps, Operation, UnknownOperation};
pub use key_spec::{Curve, KeySpec, KeyType, UnsupportedKeySpec};
pub use name::{BadName, FoldedName, Name};
pub use policy::{KeyPolicy, KeyState};
pub use secret::Secret;
pub use time::UnixTime;
