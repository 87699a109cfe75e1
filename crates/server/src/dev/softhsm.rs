//! A SoftHSM token as the premium tier of a laptop.
//!
//! It has a directory, a configuration and a PIN of its own, and touches no token
//! the machine already has.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use aws_lc_rs::rand;
use keyreeve_backend_pkcs11::Profile;
use keyreeve_types::Secret;
use toml::{Table, Value};

use super::{DevError, at, private_directory, write_private};

const SLOT: &str = "softhsm";
const TOKEN_LABEL: &str = "keyreeve-dev";

/// Where distributions put the module.
const MODULES: [&str; 6] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
];

/// Whether there is a premium tier.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Premium {
    /// A SoftHSM token.
    SoftHsm {
        /// The slot's name.
        slot: &'static str,
        /// The token's label.
        token_label: &'static str,
    },
    /// None, and why.
    Missing(&'static str),
}

/// Makes the token in `dir` unless it is there.
pub(super) fn prepare(dir: &Path) -> Result<Premium, DevError> {
    let Some(module) = MODULES.iter().map(Path::new).find(|path| path.is_file()) else {
        return Ok(Premium::Missing("libsofthsm2.so is not installed"));
    };
    let (tokens, config, pin) = (dir.join("tokens"), dir.join("softhsm2.conf"), dir.join("pin"));
    private_directory(&tokens)?;
    write_private(&config, softhsm_conf(&tokens).as_bytes())?;
    write_private(&dir.join("profile.toml"), profile(module, &config, &tokens)?.as_bytes())?;
    if !pin.is_file() {
        // The PIN is written last: a token without it was never finished.
        let Some(made) = make_token(&config, &tokens)? else {
            return Ok(Premium::Missing("softhsm2-util is not installed"));
        };
        write_private(&pin, made.expose().as_bytes())?;
    }
    Ok(Premium::SoftHsm { slot: SLOT, token_label: TOKEN_LABEL })
}

fn softhsm_conf(tokens: &Path) -> String {
    format!(
        "directories.tokendir = {}\nobjectstore.backend = file\nobjectstore.umask = 0077\n\
         log.level = ERROR\nslots.removable = false\n",
        tokens.display()
    )
}

/// The profile that ships, with this token's own paths.
fn profile(module: &Path, config: &Path, tokens: &Path) -> Result<String, DevError> {
    let mut profile: Table = Profile::SOFTHSM2.parse().map_err(failed)?;
    let text = |path: &Path| Value::String(path.display().to_string());
    let list = |path: &Path| Value::Array(vec![text(path)]);
    profile.insert("module".to_owned(), list(module));
    profile.insert(
        "token".to_owned(),
        Value::Table(Table::from_iter([("label".to_owned(), Value::from(TOKEN_LABEL))])),
    );
    profile.insert(
        "environment".to_owned(),
        Value::Table(Table::from_iter([("SOFTHSM2_CONF".to_owned(), text(config))])),
    );
    let reach = [("read".to_owned(), list(config)), ("write".to_owned(), list(tokens))];
    profile.insert("sandbox".to_owned(), Value::Table(Table::from_iter(reach)));
    toml::to_string(&profile).map_err(failed)
}

/// Initialises a token and returns its PIN; `None` if there is no tool for it.
///
/// The tool takes PINs as arguments only, where other users can see them for that
/// moment. The token's directory is closed to them, so the PIN is of no use there.
fn make_token(config: &Path, tokens: &Path) -> Result<Option<Secret<String>>, DevError> {
    remove_unfinished(tokens)?;
    let (pin, so_pin) = (random_pin()?, random_pin()?);
    let run = Command::new("softhsm2-util")
        .args(["--init-token", "--free", "--label", TOKEN_LABEL])
        .args(["--pin", pin.expose(), "--so-pin", so_pin.expose()])
        .env("SOFTHSM2_CONF", config)
        .stdin(Stdio::null())
        .output();
    match run {
        Ok(output) if output.status.success() => Ok(Some(pin)),
        Ok(output) => Err(failed(String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(failed(error)),
    }
}

/// A token whose PIN was never written down holds nothing.
fn remove_unfinished(tokens: &Path) -> Result<(), DevError> {
    for entry in fs::read_dir(tokens).map_err(at(tokens))? {
        let path: PathBuf = entry.map_err(at(tokens))?.path();
        fs::remove_dir_all(&path).map_err(at(&path))?;
    }
    Ok(())
}

/// 128 random bits as 32 hex digits.
fn random_pin() -> Result<Secret<String>, DevError> {
    let mut random = Secret::new([0; 16]);
    rand::fill(random.expose_mut()).map_err(|_| failed("the system gave no random bytes"))?;
    Ok(Secret::new(hex::encode(random.expose())))
}

fn failed(error: impl std::fmt::Display) -> DevError {
    DevError::Step { what: "making a SoftHSM token", why: error.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a development profile that drifts from the one that ships:
    /// it must still parse, and keep that one's quirks.
    #[test]
    fn the_profile_is_the_shipped_one_with_its_own_paths() {
        let paths = ["/m.so", "/c.conf", "/t"].map(Path::new);
        let text = profile(paths[0], paths[1], paths[2]).expect("written");
        let made = Profile::parse(&text).expect("a valid profile");
        let shipped = Profile::parse(Profile::SOFTHSM2).expect("a valid profile");
        assert_eq!(made.quirks, shipped.quirks);
        assert_eq!(made.module, [paths[0]]);
        assert_eq!(made.environment.get("SOFTHSM2_CONF").map(String::as_str), Some("/c.conf"));
        assert_eq!(
            (made.sandbox.read, made.sandbox.write),
            (vec![paths[1].into()], vec![paths[2].into()])
        );
    }
}
