//! What a worker is asked, one line of JSON each. None carries a secret.

use std::path::PathBuf;

use keyreeve_backend_pkcs11::TokenSelector;
use serde::{Deserialize, Serialize};

use crate::{Pin, Provision, init::Initialize};

/// The first line: which module, and where its process may write.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Load {
    /// The text of a profile.
    pub(crate) profile: String,
    /// Files of PINs, in whose directories PINs are written.
    pub(crate) pins: Vec<PathBuf>,
    /// Whether the profile says what the module reaches. One made up for a bare
    /// module does not.
    pub(crate) confined: bool,
}

/// What follows.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum Ask {
    /// Answered with an inventory.
    Inventory,
    /// Answered with nothing.
    Initialize(Initialize),
    /// Log in as the user and stay so. Answered with nothing.
    LogIn { token: TokenSelector, pin: Pin },
    /// Answered with what was done.
    Provision(Provision),
}
