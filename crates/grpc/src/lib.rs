//! The gRPC door: translate, call the service, translate back.
//!
//! Each call finds its authenticated caller among the request's extensions, where
//! the server's authentication put it, and its deadline in the `grpc-timeout`
//! header. What a request means is decided in the service; what is decided here is
//! only how it is written.
//!
//! What each method asks the gate for stands in one table, [`asks`], and nothing is
//! built of which a line is missing.
//!
//! This crate refuses to authenticate, to authorise and to listen.

#[cfg(feature = "fuzz")]
pub mod fuzzing;

mod access;
mod audit;
mod batch;
mod call;
mod crypto;
mod error;
mod identity;
mod identity_message;
mod key_message;
mod keys;
mod name;
mod operation;
mod routes;
mod secret;
mod status;
mod stream;
mod table;
mod timestamp;
mod update_mask;
mod vaults;

pub use crypto::CryptoDoor;
pub use error::{complete, not_looked_at, refused_early, to_status, unauthenticated, unavailable};
pub use keyreeve_proto::{Method, v1};
pub use routes::{crypto_service, routes};
pub use status::StatusSource;
pub use table::{Asks, asks};
