//! The software keystore: private keys in this process' memory, used through
//! aws-lc-rs.
//!
//! Two things come from elsewhere: secp256k1 from k256, which signs seven times
//! as fast, and AES key wrap with a 192-bit key from aes-kw, which aws-lc lacks.
//!
//! Custody is portable: a new key is handed out once, to be sealed and stored, and
//! comes back to be opened. This crate refuses to store anything, to know an
//! envelope, and to say why a decryption failed.

mod capabilities;
mod decrypt;
mod encrypt;
mod generate;
mod import;
mod key;
mod mac;
mod open;
mod random;
mod rsa_key;
mod session;
mod sign;
mod unwrap;
mod wrap;
mod written;

pub use key::Key;
pub use session::{SoftwareBackend, SoftwareSession};
