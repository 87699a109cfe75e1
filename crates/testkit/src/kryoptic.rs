//! A token of kryoptic: PKCS#11 in Rust over OpenSSL, with a store in SQLite.

use std::{env, fs, path::Path, process::Command};

use anyhow::{Context, Result, ensure};

use crate::softhsm::{Owner, TOKEN_LABEL, TOKEN_PIN, TOKEN_SO_PIN, Token};

/// The directory of a second token.
const BESIDE: &str = "beside";

impl Token {
    /// A kryoptic token in a directory of its own.
    ///
    /// # Errors
    ///
    /// If the module was not built (`cargo xtask deps` does it), OpenSC is not installed,
    /// or the token cannot be made.
    pub fn kryoptic() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let mut token = Self::make_kryoptic(directory.path())?;
        token.own(Owner::Directory { _directory: directory });
        Ok(token)
    }

    /// A SoftHSM token, with one of kryoptic beside it: [`Token::kryoptic_beside`].
    pub(crate) fn direct_and_kryoptic() -> Result<Self> {
        let mut token = Self::direct()?;
        let beside = token.directory.join(BESIDE);
        fs::create_dir(&beside)?;
        token.environment.extend(Self::make_kryoptic(&beside)?.environment);
        Ok(token)
    }

    /// The kryoptic token beside this one, of [`crate::with_direct_and_kryoptic`].
    ///
    /// # Errors
    ///
    /// If the module was not built.
    pub fn kryoptic_beside(&self) -> Result<Self> {
        Self::kryoptic_in(&self.directory.join(BESIDE))
    }

    fn make_kryoptic(directory: &Path) -> Result<Self> {
        let token = Self::kryoptic_in(directory)?;
        let store = directory.join("token");
        fs::create_dir(&store)?;
        fs::write(
            directory.join("kryoptic.conf"),
            format!(
                "[[slots]]\nslot = 1\ndbtype = \"sqlite\"\ndbargs = \"{}\"\n",
                store.join("token.sql").display()
            ),
        )?;
        for arguments in [
            &["--init-token", "--label", TOKEN_LABEL, "--so-pin", TOKEN_SO_PIN][..],
            &["--init-pin", "--login", "--login-type", "so", "--so-pin", TOKEN_SO_PIN],
        ] {
            let mut tool = Command::new("pkcs11-tool");
            tool.arg("--module").arg(&token.module).args(["--slot", "1"]).args(arguments);
            if arguments[0] == "--init-pin" {
                tool.args(["--new-pin", TOKEN_PIN]);
            }
            let output = tool
                .envs(token.environment.clone())
                .output()
                .context("pkcs11-tool is not installed: apt-get install opensc")?;
            ensure!(output.status.success(), "pkcs11-tool: {output:?}");
        }
        Ok(token)
    }

    /// The token that [`Token::kryoptic`] makes or made in `directory`.
    pub(crate) fn kryoptic_in(directory: &Path) -> Result<Self> {
        let this = env::current_exe()?;
        // TARGET/PROFILE/deps/TEST
        let target = this.ancestors().nth(3).context("this test was not built by cargo")?;
        let module = target.join("kryoptic/libkryoptic_pkcs11.so");
        ensure!(module.is_file(), "{} is not there: cargo xtask deps", module.display());
        let configuration = directory.join("kryoptic.conf");
        Ok(Self {
            vendor: "kryoptic",
            module,
            environment: vec![("KRYOPTIC_CONF".into(), configuration.display().to_string())],
            read: vec![configuration],
            write: vec![directory.join("token")],
            ..Self::bare(directory)
        })
    }
}
