//! Memory for keys, and what else has to be asked of the system in `unsafe` words.
//!
//! Four things that neither safe Rust nor a library in use here has words for, and
//! nothing else:
//!
//! - [`KeyVault`]: a mapping for long-lived key bytes that the kernel keeps from
//!   everyone but this process (`memfd_secret`), or, where the kernel has none,
//!   that is locked, left out of core files and wiped in a fork.
//! - [`WipingAllocator`]: the program's allocator, which wipes every block when it
//!   is freed, so that what passed through a buffer does not outlive it.
//! - [`wipe`]: overwriting a buffer that lives on, at full speed.
//! - [`schedule_in_batches`]: how the kernel schedules the calling thread.
//!
//! It refuses to know what a key is for.

mod allocator;
mod key_vault;
mod schedule;
mod wipe;

pub use allocator::WipingAllocator;
pub use key_vault::{Holding, KeyBytes, KeyVault};
pub use schedule::schedule_in_batches;
pub use wipe::{wipe, wipe_and_clear};
