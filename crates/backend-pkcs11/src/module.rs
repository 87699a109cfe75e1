//! Loading and initialising the module, once per process.
//!
//! `C_GetFunctionList` of some modules returns a new, uninitialised list on every
//! call, so the module is loaded once and its handle is shared.

use std::path::{Path, PathBuf};

use cryptoki::{
    context::{CInitializeArgs, CInitializeFlags, Pkcs11},
    error::{Error as Pkcs11Error, RvError},
};
use keyreeve_backend::Error;

use crate::{error::describe, profile::Profile};

/// Loads and initialises the module that `profile` names; with it, where it was found.
pub(crate) fn load(profile: &Profile) -> Result<(Pkcs11, PathBuf), Error> {
    check_environment(profile)?;
    let path =
        profile.module_path().map_err(|missing| Error::NeedsOperator(missing.to_string()))?;
    let module = Pkcs11::new(path).map_err(|error| cannot_load(path, &error))?;
    match module.initialize(CInitializeArgs::new(CInitializeFlags::OS_LOCKING_OK)) {
        // Another slot of the same module in this process.
        Ok(()) | Err(Pkcs11Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {
            Ok((module, path.to_owned()))
        }
        Err(error) => Err(Error::DeviceFailed(format!(
            "{}: the module does not start: {}; check its configuration{}",
            path.display(),
            describe(&error),
            named_in(profile)
        ))),
    }
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
