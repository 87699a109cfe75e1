//! Vaults. One file for each operation.

mod create;
mod get;
mod list;

pub use create::CreateVault;
