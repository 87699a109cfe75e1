//! What operators do to a PKCS#11 token: look at it, initialise it, provision it for
//! a slot group, check it, change its PIN, and carry a wrapping key to another.
//!
//! The service never does any of this. It runs beside the HSM, from the command line,
//! in a process of its own for each module ([`worker`]): a module takes the whole
//! process with it when it crashes, reads its configuration from the environment, and
//! two configurations of one module do not fit into one process. What the processes
//! tell each other holds no PIN and no key: each reads its PIN from the file or the
//! terminal itself.
//!
//! Everything here may be run twice. What is there is found and tested, not made
//! again; what could lose something asks to be told so.

mod ask;
mod failure;
mod init;
mod list;
mod pin;
mod provision;
mod slot;
pub mod worker;

pub use failure::Failure;
pub use init::{Init, Initialized, init};
pub use keyreeve_backend_pkcs11::{
    TokenSelector,
    provision::{Export, Inventory, MechanismEntry, SlotEntry, TokenEntry},
};
pub use list::list;
pub use pin::{NewPin, Pin};
pub use provision::{Outcome, Provision, Provisioned, Step, provision};
pub use slot::{Source, Target};
