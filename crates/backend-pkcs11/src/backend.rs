//! Opening a slot: load, log in once, find out what it can do.

use std::{sync::Arc, time::Duration};

use cryptoki::mechanism::MechanismType;
use keyreeve_backend::{Capabilities, Custody, Error, KeyBackend, Session as _};
use keyreeve_types::{Name, Secret};

use crate::{
    group::{Group, GroupConfig},
    keep_alive::KeepAlive,
    mechanism::{self, Offered},
    module,
    profile::{Profile, Quirks, TokenSelector},
    provision::canary::{self, Canary},
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
    pub(crate) slot: Arc<Slot>,
    pub(crate) quirks: Quirks,
    pub(crate) capabilities: Capabilities,
    /// The mechanism that is RFC 5649.
    pub(crate) kwp: Option<MechanismType>,
    pub(crate) keep_alive: Option<KeepAlive>,
    /// What the slot shares with its group; `None` for a slot by itself.
    pub(crate) group: Option<Group>,
    pub(crate) canary: Option<Canary>,
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
        Self::prepare(config).map(|shared| Self { shared: Arc::new(shared) })
    }

    /// Opens a slot of a group: besides what [`Pkcs11Backend::open`] does, it finds the
    /// group's wrapping key and the slot's canary, tries what can be wrapped, and signs
    /// once with the canary.
    ///
    /// # Errors
    ///
    /// As [`Pkcs11Backend::open`]; [`Error::NeedsOperator`] as well if wrapped keys are
    /// demanded and the slot has no wrapping key for them.
    pub fn open_in_group(config: SlotConfig, group: &GroupConfig) -> Result<Self, Error> {
        let mut shared = Self::prepare(config)?;
        shared.group = Group::find(&shared, group)?;
        let wrapped = shared.group.as_ref().map(|group| group.wraps.clone()).unwrap_or_default();
        if !wrapped.is_empty() {
            shared.capabilities.custody = Custody::Wrapped;
            shared.capabilities.wrapped = wrapped;
        }
        shared.canary = Some(canary(&shared, &group.name)?);
        let backend = Self { shared: Arc::new(shared) };
        backend.open_session()?.check()?;
        Ok(backend)
    }

    fn prepare(config: SlotConfig) -> Result<Shared, Error> {
        let SlotConfig { profile, token, pin } = config;
        let module = module::load(&profile)?;
        let token = token.or(&profile.token);
        let slot = Arc::new(Slot::log_in(module, &token, &pin)?);
        Shared::of(slot, profile).map(|(shared, _)| shared)
    }
}

impl Shared {
    /// What sessions of `slot` need, found out by asking the token and by trying; and
    /// what it says that it offers.
    pub(crate) fn of(slot: Arc<Slot>, mut profile: Profile) -> Result<(Self, Offered), Error> {
        let mut offered = Offered::read(slot.module(), slot.id(), &profile.quirks)?;
        let curves = trial::curves(&slot, &profile.quirks, &offered)?;
        trial::cbc_padding(&slot, &mut offered)?;
        let refused = trial::refused_attributes(&slot, &profile.quirks, &offered, &curves)?;
        profile.quirks.refused_attributes = refused;
        let capabilities = mechanism::capabilities(&profile, &offered, &curves);
        let kwp = mechanism::kwp(&profile.quirks, &offered);
        let keep_alive = profile.keep_alive_seconds.map(Duration::from_secs).map(KeepAlive::new);
        let quirks = profile.quirks;
        let shared =
            Self { slot, quirks, capabilities, kwp, keep_alive, group: None, canary: None };
        Ok((shared, offered))
    }
}

/// The slot's canary, which is made where there is none: unlike the wrapping key, it
/// need be the same nowhere else.
fn canary(shared: &Shared, group: &Name) -> Result<Canary, Error> {
    let session = shared.slot.open_session()?;
    if let Some(canary) = canary::find(&session, group)? {
        return Ok(canary);
    }
    shared.slot.confirm_present()?;
    // A session of its own: a failed trial may leave it unusable.
    canary::make(&shared.slot.open_session()?, &shared.quirks, group)
}

impl KeyBackend for Pkcs11Backend {
    type Key = Pkcs11Key;
    type Session = Pkcs11Session;

    fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }

    fn open_session(&self) -> Result<Pkcs11Session, Error> {
        let session = Pkcs11Session::open(Arc::clone(&self.shared))?;
        if let Some(keep_alive) = &self.shared.keep_alive {
            keep_alive.ensure_running(&self.shared);
        }
        Ok(session)
    }
}
