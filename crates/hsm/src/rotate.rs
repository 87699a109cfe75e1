//! PIN rotation, in an order that a crash cannot turn against its owner.
//!
//! ```text
//! FILE.new  gets the new PIN, on disk               the token has the old one
//! C_SetPIN  old to new                              one of the two files opens it
//! proof     a fresh process logs in by FILE.new     the token has the new one
//! FILE      is replaced by FILE.new, in one rename  the old PIN is gone
//! ```
//!
//! At every point one of the two files has the PIN that the token has. A `FILE.new`
//! that is there at the start is an earlier run's: it is tried once, and either the
//! rename alone was missing or the run goes on with it.
//!
//! A keyhost that is running stays logged in, and reads FILE the next time it starts.

use std::{
    fs,
    path::{Path, PathBuf},
};

use keyreeve_backend_pkcs11::{TokenSelector, provision::Module};
use serde::{Deserialize, Serialize};

use crate::{
    Failure, NewPin, Pin, Target,
    ask::Ask,
    pin::{absolute, sync_directory, write_new},
    slot::Slot,
};

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Rotated {
    /// The file with the new PIN: the one that had the old one.
    pub file: PathBuf,
    /// Whether an earlier run that was interrupted was brought to its end.
    pub resumed: bool,
}

/// What the worker is asked.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ChangePin {
    token: TokenSelector,
    old: PathBuf,
    new: PathBuf,
    /// Whether the new PIN is typed. It is generated otherwise, or found in its file.
    typed: bool,
    pin_length: (usize, usize),
}

/// Changes the user PIN that `file` holds, to one that is typed or generated.
///
/// # Errors
///
/// If the token refuses a PIN or the device fails. What to do then depends on where
/// it was, and the text says which file has the PIN.
pub fn rotate_pin(target: &Target, file: &Path, typed: bool) -> Result<Rotated, Failure> {
    let old = absolute(file)?;
    let mut name = old.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let new = old.with_file_name(name);
    let opens = |pin: &Path| {
        Slot::start(target, &[pin]).and_then(|mut slot| slot.log_in(&Pin::File(pin.to_owned())))
    };
    let resumed = new.exists();
    let changed = resumed
        && match opens(&new) {
            Ok(()) => true,
            Err(failure) if failure.what.contains("CKR_PIN_INCORRECT") => false,
            Err(failure) => return Err(failure),
        };
    if !changed {
        let mut slot = Slot::start(target, &[&old, &new])?;
        let pin_length = slot.token_entry()?.pin_length;
        let token = slot.token.clone();
        let (ask_old, ask_new) = (old.clone(), new.clone());
        let ask = ChangePin { token, old: ask_old, new: ask_new, typed, pin_length };
        slot.exchange::<()>(&Ask::ChangePin(ask), crate::slot::ACT)?;
        drop(slot);
        opens(&new).map_err(|failure| Failure {
            what: format!(
                "the PIN was changed, and the token does not take the new one: {}",
                failure.what
            ),
            next: format!(
                "keep both {} and {}, and try the token by hand",
                old.display(),
                new.display()
            ),
        })?;
    }
    let replace = || {
        fs::rename(&new, &old)?;
        sync_directory(&old)
    };
    replace().map_err(|error| {
        Failure::new(
            format!("the new PIN is in {} and cannot be moved: {error}", new.display()),
            "run the command again; until then that file has the PIN",
        )
    })?;
    Ok(Rotated { file: old, resumed })
}

pub(crate) fn in_worker(module: &Module, ask: ChangePin) -> Result<(), Failure> {
    let ChangePin { token, old, new, typed, pin_length } = ask;
    let old = Pin::File(old).read("user PIN")?;
    let pin = match (new.exists(), typed) {
        (true, _) => Pin::File(new).read("new user PIN")?,
        (false, true) => {
            let pin = NewPin::Chosen(Pin::Terminal).read("user PIN", pin_length)?;
            write_new(&new, pin.expose())?;
            pin
        }
        (false, false) => NewPin::Generated(new).read("user PIN", pin_length)?,
    };
    module.change_pin(token, &old, &pin)?;
    Ok(())
}
