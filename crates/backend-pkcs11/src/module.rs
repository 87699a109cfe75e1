//! Loading and initialising the module, once per process.
//!
//! `C_GetFunctionList` of some modules returns a new, uninitialised list on every
//! call, so the module is loaded once and its handle is shared.

use std::{
    ops::Deref,
    path::{Path, PathBuf},
};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error as Pkcs11Error, RvError},
    slot::Slot,
};
use keyreeve_backend::Error;
use keyreeve_pkcs11_raw::TokenInfo;

use crate::{error::describe, profile::Profile};

/// A module that is loaded and initialised.
#[derive(Debug, Clone)]
pub(crate) struct Module {
    pkcs11: Pkcs11,
    path: PathBuf,
}

/// Loads and initialises the module that `profile` names.
pub(crate) fn load(profile: &Profile) -> Result<Module, Error> {
    check_environment(profile)?;
    let path =
        profile.module_path().map_err(|missing| Error::NeedsOperator(missing.to_string()))?;
    let module = Pkcs11::new(path).map_err(|error| cannot_load(path, &error))?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // Another slot of the same module in this process.
        Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {
            Ok(Module { pkcs11: module, path: path.to_owned() })
        }
        Err(error) => Err(Error::DeviceFailed(format!(
            "{}: the module does not start: {}; check its configuration{}",
            path.display(),
            describe(&error),
            named_in(profile)
        ))),
    }
}

impl Module {
    /// What the token in slot `id` says of itself; read by ourselves where the module
    /// answered and the binding does not understand it, as with a clock that shows no
    /// time. `Err` is for the log.
    pub(crate) fn token_info(&self, id: Slot) -> Result<TokenInfo, String> {
        match self.pkcs11.get_token_info(id) {
            Ok(info) => Ok(TokenInfo {
                label: trimmed(info.label()),
                serial: trimmed(info.serial_number()),
                model: trimmed(info.model()),
                initialized: info.token_initialized(),
                user_pin_final_try: info.user_pin_final_try(),
                user_pin_locked: info.user_pin_locked(),
            }),
            Err(error @ Pkcs11Error::Pkcs11(..)) => Err(describe(&error)),
            Err(_) => TokenInfo::read(&self.path, id).map_err(|error| error.to_string()),
        }
    }
}

impl Deref for Module {
    type Target = Pkcs11;

    fn deref(&self) -> &Pkcs11 {
        &self.pkcs11
    }
}

/// Without the padding: blanks by the standard, NULs from some modules.
pub(crate) fn trimmed(padded: &str) -> String {
    padded.trim_end_matches(['\0', ' ']).to_owned()
}

fn cannot_load(path: &Path, error: &Pkcs11Error) -> Error {
    Error::NeedsOperator(format!(
        "{} is not a PKCS#11 module that can be loaded here: {}",
        path.display(),
        describe(error)
    ))
}

/// A module that misses its environment reads some other configuration, and the
/// token is then missing for a reason nobody sees.
fn check_environment(profile: &Profile) -> Result<(), Error> {
    for (name, value) in &profile.environment {
        if std::env::var(name).ok().as_ref() != Some(value) {
            return Err(Error::NeedsOperator(format!(
                "the environment variable {name} must be {value:?} for this module, and is not; \
                 whoever starts the keyhost sets it from the profile"
            )));
        }
    }
    Ok(())
}

fn named_in(profile: &Profile) -> String {
    let variables: Vec<_> =
        profile.environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    if variables.is_empty() { String::new() } else { format!(" ({})", variables.join(", ")) }
}
