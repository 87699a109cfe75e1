//! A SoftHSM token behind the module that fails when told to.

use std::{
    fs,
    path::{Path, PathBuf},
};

use anyhow::Result;

use crate::{program::library, softhsm::Token};

impl Token {
    /// A SoftHSM token whose every call passes `keyreeve-pkcs11-shim`. What goes wrong is
    /// said through [`Token::faults`].
    ///
    /// # Errors
    ///
    /// As [`Token::direct`], or if the shim cannot be built.
    pub fn shimmed() -> Result<Self> {
        let direct = Self::direct()?;
        let mut token = Self::shimmed_in(&direct.directory)?;
        fs::create_dir(token.shim_directory())?;
        token.faults().clear()?;
        token.own(direct.owner);
        Ok(token)
    }

    /// The control file of the shim.
    pub fn faults(&self) -> Faults {
        Faults { control: self.shim_directory().join("control") }
    }

    /// The token that [`Token::shimmed`] makes or made in `directory`.
    pub(crate) fn shimmed_in(directory: &Path) -> Result<Self> {
        let mut token = Self::in_directory(directory)?;
        let control = token.shim_directory().join("control").display().to_string();
        let real = std::mem::replace(&mut token.module, library("keyreeve-pkcs11-shim")?);
        token.read.push(real.clone());
        token.write.push(token.shim_directory());
        token.environment.push(("KEYREEVE_SHIM_MODULE".into(), real.display().to_string()));
        token.environment.push(("KEYREEVE_SHIM_CONTROL".into(), control));
        token.vendor = "shim";
        Ok(token)
    }

    fn shim_directory(&self) -> PathBuf {
        self.directory.join("shim")
    }
}

/// What goes wrong in the module, from now on: lines as `C_Sign every 3 return 0x30`,
/// `C_Sign always corrupt`, `C_SignInit nth 2 hang`; `crates/pkcs11-shim/src/control.rs`
/// has them all.
pub struct Faults {
    control: PathBuf,
}

impl Faults {
    /// These, and no others.
    ///
    /// # Errors
    ///
    /// If the control file cannot be written.
    pub fn set(&self, rules: &[&str]) -> Result<()> {
        // Put in place whole: it is read at each call.
        let new = self.control.with_extension("new");
        fs::write(&new, rules.join("\n"))?;
        fs::rename(new, &self.control)?;
        Ok(())
    }

    /// Everything goes well again.
    ///
    /// # Errors
    ///
    /// If the control file cannot be written.
    pub fn clear(&self) -> Result<()> {
        self.set(&[])
    }

    /// How many calls of `function` went wrong so far; of `C_Login`, how many there were.
    pub fn count(&self, function: &str) -> usize {
        let log = fs::read_to_string(self.control.with_extension("log")).unwrap_or_default();
        log.lines().filter(|line| *line == function).count()
    }
}
