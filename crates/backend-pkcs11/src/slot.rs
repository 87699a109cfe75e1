//! Finding the slot of a token, logging in, and keeping the login.
//!
//! Login belongs to the process and the token, not to a session, and ends with the
//! token's last session: hence one anchor session that is opened first and used for
//! nothing but to keep the login alive. The PIN is tried once. A wrong one is an operator's matter; a second try is
//! a step towards a locked token.

use std::sync::{Mutex, PoisonError};

use cryptoki::{
    error::{Error as Pkcs11Error, RvError},
    session::{Session, SessionState, UserType},
    slot::Slot as SlotId,
    types::AuthPin,
};
use keyreeve_backend::Error;
use keyreeve_pkcs11_raw::TokenInfo;
use keyreeve_types::Secret;

use crate::{error::classify, module::Module, profile::TokenSelector};

/// A token that this process is logged in to.
pub(crate) struct Slot {
    module: Module,
    id: SlotId,
    /// Serial number of the token: another one in the same slot is another device.
    serial: String,
    /// Keeps the login alive. The mutex makes it shareable.
    anchor: Mutex<Session>,
}

impl Slot {
    /// Finds the token, opens the anchor session and logs in.
    pub(crate) fn log_in(
        module: Module,
        token: &TokenSelector,
        pin: &Secret<String>,
    ) -> Result<Self, Error> {
        let (id, info) = Self::untried(&module, token)?;
        let anchor = module.open_rw_session(id).map_err(|error| classify(&error))?;
        let auth: AuthPin = pin.expose().clone().into();
        match anchor.login(UserType::User, Some(&auth)) {
            Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => {}
            Err(error) => return Err(refused(&info, &error)),
        }
        Ok(Self { module, id, serial: info.serial, anchor: Mutex::new(anchor) })
    }

    /// The token's slot, if its user PIN may be tried.
    pub(crate) fn locate(module: &Module, token: &TokenSelector) -> Result<SlotId, Error> {
        Self::untried(module, token).map(|(id, _)| id)
    }

    fn untried(module: &Module, token: &TokenSelector) -> Result<(SlotId, TokenInfo), Error> {
        let (id, info) = find(module, token)?;
        if info.user_pin_locked {
            return Err(Error::NeedsOperator(format!(
                "the user PIN of token {:?} is locked; the security officer must reset it",
                info.label
            )));
        }
        if info.user_pin_final_try {
            return Err(Error::NeedsOperator(format!(
                "one more wrong PIN locks token {:?}; log in once by hand with the right one",
                info.label
            )));
        }
        Ok((id, info))
    }

    /// A session for the calling thread, logged in by way of the anchor.
    pub(crate) fn open_session(&self) -> Result<Session, Error> {
        let session = self.module.open_rw_session(self.id).map_err(|error| classify(&error))?;
        let info = session.get_session_info().map_err(|error| classify(&error))?;
        match info.session_state() {
            SessionState::RwUser => Ok(session),
            state => Err(Error::DeviceFailed(format!(
                "C_GetSessionInfo: the login is lost ({state:?}); a fresh process must log in"
            ))),
        }
    }

    /// Asks the token for its identity. A token whose storage went away still finds
    /// nothing and calls that success, so "not found" is believed only after this.
    pub(crate) fn confirm_present(&self) -> Result<(), Error> {
        let info = self.module.token_info(self.id).map_err(Error::DeviceFailed)?;
        if info.serial != self.serial {
            return Err(Error::DeviceFailed(format!(
                "C_GetTokenInfo: the slot holds another token now (serial {:?}, was {:?})",
                info.serial, self.serial
            )));
        }
        Ok(())
    }

    /// One call that reaches the device, on the session that no operation uses.
    pub(crate) fn touch(&self) -> Result<(), Error> {
        let anchor = self.anchor.lock().unwrap_or_else(PoisonError::into_inner);
        anchor.generate_random_slice(&mut [0]).map_err(|error| classify(&error))
    }

    pub(crate) const fn module(&self) -> &Module {
        &self.module
    }

    pub(crate) const fn id(&self) -> SlotId {
        self.id
    }
}

fn find(module: &Module, token: &TokenSelector) -> Result<(SlotId, TokenInfo), Error> {
    if token.label.is_none() && token.serial.is_none() {
        return Err(Error::NeedsOperator(
            "the slot names no token: set its label, its serial number, or both".to_owned(),
        ));
    }
    let matches = |info: &TokenInfo| {
        token.label.as_ref().is_none_or(|label| info.label == *label)
            && token.serial.as_ref().is_none_or(|serial| info.serial == *serial)
    };
    let mut found = Vec::new();
    let mut others = Vec::new();
    for id in module.get_slots_with_token().map_err(|error| classify(&error))? {
        match module.token_info(id) {
            Ok(info) if info.initialized && matches(&info) => found.push((id, info)),
            Ok(info) if info.initialized => {
                others.push(format!("{:?} (serial {})", info.label, info.serial));
            }
            Ok(_) => {}
            Err(error) => tracing::warn!(slot = id.id(), %error, "a token cannot be read"),
        }
    }
    match found.len() {
        1 => Ok(found.remove(0)),
        0 => Err(Error::DeviceFailed(format!(
            "no token with {}; the module shows {}. Check the selection, the module's \
             configuration, and that the device is reachable",
            wanted(token),
            if others.is_empty() { "none".to_owned() } else { others.join(", ") }
        ))),
        n => Err(Error::NeedsOperator(format!(
            "{n} tokens have {}; name the serial number as well",
            wanted(token)
        ))),
    }
}

fn refused(info: &TokenInfo, error: &Pkcs11Error) -> Error {
    match classify(error) {
        Error::NeedsOperator(text) => Error::NeedsOperator(format!(
            "token {:?} refused the PIN ({text}); it was tried once and will not be tried again: \
             correct the PIN and restart",
            info.label
        )),
        other => other,
    }
}

fn wanted(token: &TokenSelector) -> String {
    let label = token.label.iter().map(|label| format!("label {label:?}"));
    let serial = token.serial.iter().map(|serial| format!("serial number {serial:?}"));
    label.chain(serial).collect::<Vec<_>>().join(" and ")
}
