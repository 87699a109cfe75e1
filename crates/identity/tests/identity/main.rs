//! The proofs of identity from outside: what is accepted, and above all what is not.

mod assertions;
mod certificates;
mod hostile;
mod issuers;
mod key_sets;
mod signer;
mod world;
