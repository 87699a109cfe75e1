//! A module that is loaded, and what can be done with it before a login.

use cryptoki::{
    context::Pkcs11,
    error::Error as Pkcs11Error,
    session::UserType,
    slot::{Slot as SlotId, TokenInfo},
    types::AuthPin,
};
use keyreeve_backend::Error;
use keyreeve_types::Secret;

use super::{Inventory, Token, inventory};
use crate::{
    error::{classify, describe},
    module,
    profile::{Profile, TokenSelector},
    slot::Slot,
};

/// A PKCS#11 module, loaded into this process for good.
pub struct Module {
    pub(super) pkcs11: module::Module,
    pub(super) profile: Profile,
}

impl Module {
    /// Loads and initialises the module. Once in the life of a process.
    ///
    /// # Errors
    ///
    /// [`Error::NeedsOperator`] if it is not installed or the environment is not as
    /// the profile says; [`Error::DeviceFailed`] if it does not start.
    pub fn load(profile: Profile) -> Result<Self, Error> {
        Ok(Self { pkcs11: module::load(&profile)?, profile })
    }

    /// The profile it was loaded by.
    pub const fn profile(&self) -> &Profile {
        &self.profile
    }

    /// What the module says of itself, its slots, their tokens and mechanisms.
    ///
    /// # Errors
    ///
    /// If not even the slots can be listed; what one slot does not tell is in its entry.
    pub fn inventory(&self) -> Result<Inventory, Error> {
        inventory::read(&self.pkcs11)
    }

    /// Finds the token and logs in as the user. The PIN is tried once.
    ///
    /// # Errors
    ///
    /// As [`crate::Pkcs11Backend::open`].
    pub fn log_in(&self, token: TokenSelector, pin: &Secret<String>) -> Result<Token, Error> {
        let token = token.or(&self.profile.token);
        let slot = Slot::log_in(self.pkcs11.clone(), &token, pin)?;
        Ok(Token::new(slot, self.profile.clone()))
    }

    /// Initialises the token in the slot numbered `slot`: everything in it is gone,
    /// it has the label, the security officer's PIN, and then the user's.
    ///
    /// # Errors
    ///
    /// As `C_InitToken`, `C_Login` and `C_InitPIN`. After an error of the latter two
    /// the token has no user PIN; the call is made again.
    pub fn initialize(
        &self,
        slot: u64,
        label: &str,
        officer: &Secret<String>,
        user: &Secret<String>,
    ) -> Result<(), Error> {
        let slot = self.slot(slot)?;
        self.pkcs11.init_token(slot, &auth(officer), label).map_err(|e| classify(&e))?;
        let set = || -> Result<(), Pkcs11Error> {
            let session = self.pkcs11.open_rw_session(slot)?;
            session.login(UserType::So, Some(&auth(officer)))?;
            let set = session.init_pin(&auth(user));
            session.logout()?;
            set
        };
        set().map_err(|error| classify(&error))
    }

    /// Changes the user PIN (`C_SetPIN`). The old one is tried once.
    ///
    /// # Errors
    ///
    /// [`Error::NeedsOperator`] if the token refuses either PIN: nothing has changed.
    pub fn change_pin(
        &self,
        token: TokenSelector,
        old: &Secret<String>,
        new: &Secret<String>,
    ) -> Result<(), Error> {
        let token = token.or(&self.profile.token);
        let slot = Slot::log_in(self.pkcs11.clone(), &token, old)?;
        let session = slot.open_session()?;
        session.set_pin(&auth(old), &auth(new)).map_err(|error| classify(&error))
    }

    fn slot(&self, number: u64) -> Result<SlotId, Error> {
        let slots = self.pkcs11.get_slots_with_token().map_err(|error| classify(&error))?;
        slots.into_iter().find(|slot| slot.id() == number).ok_or_else(|| {
            Error::NeedsOperator(format!(
                "the module has no slot {number} with a token; `keyreeve hsm list` shows them"
            ))
        })
    }
}

/// What is to be known of a token before its PIN is tried or set.
pub(super) fn token_info(module: &Pkcs11, slot: SlotId) -> Result<TokenInfo, String> {
    module.get_token_info(slot).map_err(|error| describe(&error))
}

pub(super) fn auth(pin: &Secret<String>) -> AuthPin {
    pin.expose().clone().into()
}
