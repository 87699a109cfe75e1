//! The server: configuration, the supervisor, the processes it starts, TLS,
//! authentication and wiring.
//!
//! This is the one place that names implementations: which store, which backend,
//! which transport. Everything below it works against contracts.
//!
//! ```text
//! supervisor ── control socket ── front      (network, TLS, tokens, store)
//!            └─ control socket ── keyhost    (one per backend)
//!                 front ── link ── keyhost
//! ```
//!
//! It refuses to decide what a caller may do or what an operation means; that is
//! the service's.

pub mod config;
pub mod dev;
pub mod process;
pub mod remote;
pub mod root_key;
pub mod supervisor;
pub mod token;

mod client_verifier;
mod control;
mod front;
mod listen;
mod log;
mod tls;

pub use keyreeve_types::Secret;
