//! The Rust SDK of Keyreeve: sign, verify, encrypt, decrypt and wrap with keys that
//! never leave the service.
//!
//! ```no_run
//! # async fn example() -> Result<(), keyreeve_client::Error> {
//! use keyreeve_client::{Client, Envelope};
//!
//! let client = Client::from_env()?;
//! let signature = client.key("prod/jwt").sign("ES256", b"a message").await?;
//!
//! let envelope = Envelope::new(&client, "prod/kek");
//! let sealed = envelope.seal(b"card number", b"customer 42").await?;
//! let opened = envelope.open(&sealed, b"customer 42").await?;
//! # Ok(()) }
//! ```
//!
//! A [`Client`] is cheap to clone and meant to be shared: it holds a few HTTP/2
//! connections, made when they are first needed. Every call has a deadline. What is
//! safe to repeat is repeated while the service says it is unavailable; what makes
//! or changes something never is.
//!
//! This crate refuses plaintext connections, never prints a token, and keeps no
//! private key: there is no call that would return one.

#[cfg(feature = "fuzz")]
pub mod fuzzing;

mod builder;
mod call;
mod client;
mod connections;
mod envelope;
mod error;
mod import;
mod key_format;
mod names;
mod new_key;
mod one_time_key;
mod operations;
mod plaintext;
mod retry;
mod sealed_file;
mod token;
mod update;

pub use builder::Builder;
pub use call::{Call, Operation};
pub use client::Client;
pub use envelope::{DataKeyReuse, Envelope};
pub use error::{Error, Fault};
pub use names::{BadName, KeyName, VaultName};
pub use new_key::NewKey;
pub use operations::{AuditRecords, Key, OperationStream, Signature, Vault};
pub use plaintext::Plaintext;
pub use sealed_file::{SealedFile, Step};
pub use update::KeyUpdate;

/// What kind of failure an [`Error`] is, as the service named it.
pub use tonic::Code;

/// The messages of the interface, for [`Client::call`].
pub use keyreeve_proto::v1;
