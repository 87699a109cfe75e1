//! Vaults and keys as values with verbs. One file per family of verbs.

mod access;
mod audit;
mod batch;
mod encrypt;
mod jwt;
mod key;
mod mac;
mod sign;
mod stream;
mod vault;
mod wrap;

pub use audit::AuditRecords;
pub use key::Key;
pub use sign::Signature;
pub use stream::OperationStream;
pub use vault::Vault;
