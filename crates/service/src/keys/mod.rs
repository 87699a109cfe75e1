//! Keys and their versions. One file for each operation.

mod attributes;
mod create;
mod get;
mod import;
mod list;
mod list_versions;
mod new_version;
mod rotate;
mod update;

pub use attributes::Attributes;
pub(crate) use attributes::is_writable;
pub use create::CreateKey;
pub use import::{ImportKey, ImportRecipient};
pub use update::{Changes, UpdateKey};
