//! A token, as those who set it up use it: one act at a time, each in a session of
//! its own, so that one that failed poisons nothing.

use std::sync::Arc;

use cryptoki::session::Session as Raw;
use keyreeve_backend::Error;
use keyreeve_types::Name;

use super::{Export, canary, guard, root_recipient, wrapping_key};
use crate::{profile::Profile, slot::Slot};

/// A token that this process is logged in to as the user.
pub struct Token {
    pub(super) slot: Arc<Slot>,
    pub(super) profile: Profile,
}

/// Whether an object was there before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Made {
    /// It was found, and works.
    Found,
    /// It was made, and works.
    New,
    /// It is not there, and was not to be made.
    Missing,
}

impl Token {
    pub(super) fn new(slot: Slot, profile: Profile) -> Self {
        Self { slot: Arc::new(slot), profile }
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

    /// Whether the module enforces [`Export::Trusted`].
    ///
    /// # Errors
    ///
    /// If there is no session for the trial.
    pub fn enforces_trust(&self) -> Result<bool, Error> {
        Ok(guard::trust_is_enforced(&self.session()?))
    }

    /// Makes the wrapping key of `group`, which may leave as `export` says; without
    /// it, [`Export::Trusted`] where the module enforces that, else [`Export::Never`].
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] if the key is to be trusted to a module that does not
    /// enforce it; otherwise as a generation has them.
    pub fn make_wrapping_key(&self, group: &Name, export: Option<Export>) -> Result<Export, Error> {
        let enforced = self.enforces_trust()?;
        let export = match export {
            Some(Export::Trusted) if !enforced => return Err(Error::Unsupported),
            Some(export) => export,
            None if enforced => Export::Trusted,
            None => Export::Never,
        };
        wrapping_key::make(&self.session()?, &self.profile.quirks, group, export)?;
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

    /// The canary of `group`: it has signed a challenge if it is there, and is made
    /// if it is not and `make` says so.
    ///
    /// # Errors
    ///
    /// [`Error::FaultyResult`] if it signed wrongly; otherwise as `C_Sign`, or as a
    /// generation has them.
    pub fn canary(&self, group: &Name, make: bool) -> Result<Made, Error> {
        let session = self.session()?;
        match canary::find(&session, group)? {
            Some(canary) => canary::prove(&session, &canary).map(|()| Made::Found),
            None if make => {
                self.slot.confirm_present()?;
                canary::make(&session, &self.profile.quirks, group).map(|_| Made::New)
            }
            None => self.slot.confirm_present().map(|()| Made::Missing),
        }
    }

    /// The root recipient called `name`: it has encrypted and decrypted once if it is
    /// there, and is made if it is not and `make` says so.
    ///
    /// # Errors
    ///
    /// As [`Token::canary`].
    pub fn root_recipient(&self, name: &Name, make: bool) -> Result<Made, Error> {
        let session = self.session()?;
        let (key, made) = match root_recipient::find(&session, name)? {
            Some(key) => (key, Made::Found),
            None => {
                self.slot.confirm_present()?;
                if !make {
                    return Ok(Made::Missing);
                }
                (root_recipient::make(&session, &self.profile.quirks, name)?, Made::New)
            }
        };
        root_recipient::prove(&session, key).map(|()| made)
    }

    /// How many sessions can be open at once, of `most` that are asked for.
    pub fn sessions(&self, most: usize) -> usize {
        let open: Vec<Raw> = (0..most).map_while(|_| self.session().ok()).collect();
        open.len()
    }

    /// How many threads the profile gives the slot.
    pub const fn threads(&self) -> usize {
        self.profile.threads
    }

    /// A session for one act.
    pub(super) fn session(&self) -> Result<Raw, Error> {
        self.slot.open_session()
    }
}
