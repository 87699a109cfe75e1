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
pub mod ceremony;
mod check;
mod failure;
mod init;
mod list;
mod moment;
mod pin;
mod provision;
mod replicate;
mod rotate;
mod slot;
pub mod worker;

pub use check::{GroupReport, Report, check};
pub use failure::Failure;
pub use init::{Init, Initialized, init};
pub use keyreeve_backend_pkcs11::{
    TokenSelector,
    provision::{Attempt, Export, Inventory, MechanismEntry, Row, SlotEntry, TokenEntry, Verdict},
};
pub use list::list;
pub use pin::{NewPin, Pin};
pub use provision::{Outcome, Provision, Provisioned, Step, provision};
pub use replicate::{End, Replicated, replicate};
pub use rotate::{Rotated, rotate_pin};
pub use slot::{Source, Target};
