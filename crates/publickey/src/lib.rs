//! Public keys: what can be done with a key without its private half.
//!
//! Verifying a signature and encrypting to an RSA key need no secret, so they
//! happen in the process that talks to the network, without a frame to a keyhost.
//! A [`PublicKey`] is parsed and checked once; verifying with it parses nothing.
//!
//! This crate refuses to see a private key.

mod digest;
mod encrypt;
mod jwk;
mod public_key;
mod rsa;
mod spki;
mod verify;

pub use digest::{Hash, Input, digest};
pub use public_key::PublicKey;
