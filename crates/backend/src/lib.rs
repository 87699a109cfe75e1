//! The contract of a backend: the thing that holds private keys and uses them.
//!
//! There are two: the software keystore and a PKCS#11 slot. The contract is
//! synchronous, because both are: a keyhost process gives each of its threads one
//! [`Session`] and calls it, and whoever hangs is killed with the process. It has
//! no operation on public keys: verifying and encrypting to a public key need no
//! secret and happen in `keyreeve-publickey`, without a backend.
//!
//! What a backend can do is data ([`Capabilities`]); it is asked before a call is
//! made, so that no implementation carries a body that only refuses.
//!
//! This crate refuses to know where keys are stored, who may use them, and what
//! an envelope is.

mod capabilities;
mod error;
mod material;
mod session;

pub mod conformance;
pub mod fault;

pub use capabilities::{Capabilities, Custody};
pub use error::{Error, InvalidInput};
pub use material::{Material, NewKey, PrivateKey};
pub use session::{Encrypted, KeyBackend, Sealed, Session};
