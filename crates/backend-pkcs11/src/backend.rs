//! Opening a slot: load, log in once, find out what it can do.

use std::sync::Arc;

use keyreeve_backend::{Capabilities, Error, KeyBackend};
use keyreeve_types::Secret;

use crate::{
    mechanism::{self, Offered},
    module,
    profile::{Profile, Quirks, TokenSelector},
    session::{Pkcs11Key, Pkcs11Session},
    slot::Slot,
    trial,
};

/// One slot, as its keyhost is configured.
#[derive(Debug)]
pub struct SlotConfig {
    /// The module and its ways.
    pub profile: Profile,
    /// Which token; where set, its fields win over those of `profile.token`.
    pub token: TokenSelector,
    /// The user PIN. Tried once.
    pub pin: Secret<String>,
}

/// A PKCS#11 slot that this process is logged in to.
pub struct Pkcs11Backend {
    shared: Arc<Shared>,
}

/// What every session of the slot needs.
pub(crate) struct Shared {
    pub(crate) slot: Slot,
    pub(crate) quirks: Quirks,
    pub(crate) capabilities: Capabilities,
}

impl Pkcs11Backend {
    /// Loads the module, finds the token, logs in with the PIN, and asks the token
    /// what it can do. Called once in the life of a process.
    ///
    /// # Errors
    ///
    /// [`Error::NeedsOperator`] if the module is not installed, the environment is
    /// not as the profile says, or the login is refused: do not try again.
    /// [`Error::DeviceFailed`] if the module does not start or shows no such token:
    /// a later, fresh process may find it.
    pub fn open(config: SlotConfig) -> Result<Self, Error> {
        let SlotConfig { profile, token, pin } = config;
        let module = module::load(&profile)?;
        let token = TokenSelector {
            label: token.label.or_else(|| profile.token.label.clone()),
            serial: token.serial.or_else(|| profile.token.serial.clone()),
        };
        let slot = Slot::log_in(module, &token, &pin)?;
        let offered = Offered::read(slot.module(), slot.id())?;
        let curves = trial::curves(&slot, &profile.quirks, &offered)?;
        let capabilities = mechanism::capabilities(&profile, &offered, &curves);
        let quirks = profile.quirks;
        Ok(Self { shared: Arc::new(Shared { slot, quirks, capabilities }) })
    }
}

impl KeyBackend for Pkcs11Backend {
    type Key = Pkcs11Key;
    type Session = Pkcs11Session;

    fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    fn open_session(&self) -> Result<Pkcs11Session, Error> {
        Pkcs11Session::open(Arc::clone(&self.shared))
    }
}
