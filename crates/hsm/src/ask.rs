//! What a worker is asked, one line of JSON each. None carries a secret.

use std::path::PathBuf;

use keyreeve_backend_pkcs11::TokenSelector;
use serde::{Deserialize, Serialize};

use crate::{
    Pin, Provision,
    check::Check,
    init::Initialize,
    replicate::{Prove, TakeIn, WrapOut},
    rotate::ChangePin,
};

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
    /// Answered with a report.
    Check(Check),
    /// Answered with nothing.
    ChangePin(ChangePin),
    /// Answered with how the group's wrapping key may leave, if there is one.
    WrappingKey(String),
    /// Answered with the public half.
    MakeTransport,
    /// Answered with the wrapped key, and how it may leave.
    WrapOut(WrapOut),
    /// Answered with how the key may leave from here.
    TakeIn(TakeIn),
    /// Answered with a proof, or none.
    Prove(Prove),
    /// Close the group's wrapping key. Answered with whether it was open.
    Close(String),
}
