//! Vaults. One file for each operation.

mod create;
mod get;
mod get_access;
mod list;
mod policy;
mod set_access;
mod set_network;

pub use create::CreateVault;
pub use policy::VaultAccess;
pub use set_access::SetAccess;
pub use set_network::SetNetwork;
