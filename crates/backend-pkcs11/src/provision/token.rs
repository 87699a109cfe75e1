//! A token, as those who set it up use it: one act at a time, each in a session of
//! its own, so that one that failed poisons nothing.

use cryptoki::session::Session as Raw;
use keyreeve_backend::Error;
use keyreeve_types::{Name, Secret};

use super::{Export, canary, guard, wrapping_key};
use crate::{
    module,
    profile::{Profile, Quirks, TokenSelector},
    slot::Slot,
};

/// A token that this process is logged in to as the user.
pub struct Token {
    slot: Slot,
    quirks: Quirks,
}

impl Token {
    /// Loads the module, finds the token and logs in. The PIN is tried once.
    ///
    /// # Errors
    ///
    /// As [`crate::Pkcs11Backend::open`].
    pub fn log_in(
        profile: Profile,
        token: TokenSelector,
        pin: &Secret<String>,
    ) -> Result<Self, Error> {
        let module = module::load(&profile)?;
        let token = token.or(&profile.token);
        let slot = Slot::log_in(module, &token, pin)?;
        Ok(Self { slot, quirks: profile.quirks })
    }

    /// How the wrapping key of `group` may leave; `None` if there is none.
    ///
    /// # Errors
    ///
    /// [`Error::DeviceFailed`] if nothing is found in a token that is not there.
    pub fn wrapping_key(&self, group: &Name) -> Result<Option<Export>, Error> {
        let session = self.session()?;
        match wrapping_key::find(&session, group)? {
            Some(key) => wrapping_key::export(&session, key).map(Some),
            None => self.slot.confirm_present().map(|()| None),
        }
    }

    /// Makes the wrapping key of `group`, which may leave as `export` says; without
    /// it, [`Export::Trusted`] where the module enforces that, else [`Export::Never`].
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the key is to be trusted to a module that does not
    /// enforce it; otherwise as a generation has them.
    pub fn make_wrapping_key(&self, group: &Name, export: Option<Export>) -> Result<Export, Error> {
        let enforced = guard::trust_is_enforced(&self.session()?);
        let export = match export {
            Some(Export::Trusted) if !enforced => return Err(Error::Unsupported),
            Some(export) => export,
            None if enforced => Export::Trusted,
            None => Export::Never,
        };
        wrapping_key::make(&self.session()?, &self.quirks, group, export)?;
        Ok(export)
    }

    /// Whether what the wrapping key of `group` opens is sensitive and not
    /// extractable, whatever is asked for: `false` means that the holder of the PIN
    /// can read a wrapped key.
    ///
    /// # Errors
    ///
    /// [`Error::KeyMissing`] if there is no wrapping key.
    pub fn opens_only_sensitive(&self, group: &Name) -> Result<bool, Error> {
        let session = self.session()?;
        let key = wrapping_key::find(&session, group)?.ok_or(Error::KeyMissing)?;
        guard::opens_only_sensitive(&session, key)
    }

    /// Whether the canary of `group` is there; if it is, it has signed a challenge.
    ///
    /// # Errors
    ///
    /// [`Error::FaultyResult`] if it signed wrongly; otherwise as `C_Sign`.
    pub fn canary(&self, group: &Name) -> Result<bool, Error> {
        let session = self.session()?;
        match canary::find(&session, group)? {
            Some(canary) => canary::prove(&session, &canary).map(|()| true),
            None => self.slot.confirm_present().map(|()| false),
        }
    }

    /// Makes the canary of `group`, and has it sign once.
    ///
    /// # Errors
    ///
    /// As [`Token::canary`], or as a generation has them.
    pub fn make_canary(&self, group: &Name) -> Result<(), Error> {
        canary::make(&self.session()?, &self.quirks, group).map(|_| ())
    }

    fn session(&self) -> Result<Raw, Error> {
        self.slot.open_session()
    }
}
