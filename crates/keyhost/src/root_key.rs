//! The root key, and how it comes into a keyhost.
//!
//! It exists in the memory of the software keyhost only, never wraps anything
//! itself, and everything under it is derived with a label (HKDF-SHA-512), so that
//! one use can never be mistaken for another. What opens it is a *recipient*; the
//! one there is today is a key file, readable by its owner alone, meant to lie on
//! another volume than the data.

use std::{
    fmt, fs,
    io::{self, Write},
    os::unix::fs::{MetadataExt, OpenOptionsExt},
    path::{Path, PathBuf},
};

use keyreeve_memory::{Holding, KeyBytes, KeyVault};
use zeroize::Zeroizing;

use crate::envelope::expand;

const HEADER: &str = "keyreeve-root-key-v1";

/// The root key's descendants, ready for use.
pub struct RootKey {
    vault: KeyVault,
    store_kek: KeyBytes,
    audit: KeyBytes,
    deployment: [u8; 16],
}

impl RootKey {
    /// Makes a new root key in a file of mode 0400. Refuses to replace one.
    pub fn create(path: &Path) -> Result<(), RootKeyError> {
        let mut key = Zeroizing::new([0; 32]);
        aws_lc_rs::rand::fill(&mut *key)
            .map_err(|_| RootKeyError::io(path, io::Error::other("no random bytes")))?;
        let mut text = Zeroizing::new(format!("{HEADER}\n"));
        for byte in key.iter() {
            text.push(char::from_digit(u32::from(byte >> 4), 16).unwrap_or('0'));
            text.push(char::from_digit(u32::from(byte & 15), 16).unwrap_or('0'));
        }
        text.push('\n');
        let write = || {
            let mut file =
                fs::OpenOptions::new().write(true).create_new(true).mode(0o400).open(path)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            // The parent of a bare file name is empty.
            let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            fs::File::open(directory.unwrap_or(Path::new(".")))?.sync_all()
        };
        write().map_err(|e| RootKeyError::io(path, e))
    }

    /// Reads the key file and derives what hangs from it.
    pub fn load(path: &Path) -> Result<Self, RootKeyError> {
        let metadata = fs::metadata(path).map_err(|e| RootKeyError::io(path, e))?;
        if metadata.mode() & 0o077 != 0 {
            return Err(RootKeyError::Permissions { path: path.into(), mode: metadata.mode() });
        }
        let text = Zeroizing::new(fs::read(path).map_err(|e| RootKeyError::io(path, e))?);
        let root = parse(&text).ok_or_else(|| RootKeyError::Malformed { path: path.into() })?;
        Self::derive(&root).map_err(|e| RootKeyError::io(path, e))
    }

    fn derive(root: &[u8; 32]) -> io::Result<Self> {
        let vault = KeyVault::new()?;
        let mut kek = [0; 32];
        expand(root, b"", &[b"keyreeve store-kek v1"], &mut kek);
        let store_kek = vault.store(&mut kek).ok_or_else(|| io::Error::other("no room"))?;
        let mut audit = [0; 32];
        expand(root, b"", &[b"keyreeve audit v1"], &mut audit);
        let audit = vault.store(&mut audit).ok_or_else(|| io::Error::other("no room"))?;
        let mut deployment = [0; 16];
        expand(root, b"", &[b"keyreeve deployment v1"], &mut deployment);
        Ok(Self { vault, store_kek, audit, deployment })
    }

    /// Names this installation; part of what every envelope is bound to, so that a
    /// blob from another one does not open here.
    pub const fn deployment(&self) -> &[u8; 16] {
        &self.deployment
    }

    /// Lends the key that seals vault keys.
    pub fn with_store_kek<R>(&self, use_it: impl FnOnce(&[u8; 32]) -> R) -> R {
        self.store_kek.with(use_it)
    }

    /// Lends the key that the keys of audit logs are derived from.
    pub(crate) fn with_audit_key<R>(&self, use_it: impl FnOnce(&[u8; 32]) -> R) -> R {
        self.audit.with(use_it)
    }

    #[cfg(test)]
    pub(crate) fn for_tests(root: &[u8; 32]) -> Self {
        Self::derive(root).expect("memory")
    }

    /// Where this key and its descendants are kept.
    pub const fn vault(&self) -> &KeyVault {
        &self.vault
    }

    /// How the kernel keeps them.
    pub fn holding(&self) -> Holding {
        self.vault.holding()
    }
}

fn parse(text: &[u8]) -> Option<Zeroizing<[u8; 32]>> {
    let rest = text.strip_prefix(HEADER.as_bytes())?.strip_prefix(b"\n")?;
    let digits = rest.strip_suffix(b"\n").unwrap_or(rest);
    if digits.len() != 64 {
        return None;
    }
    let mut key = Zeroizing::new([0; 32]);
    for (byte, pair) in key.iter_mut().zip(digits.chunks_exact(2)) {
        let digit = |d: u8| char::from(d).to_digit(16).and_then(|d| u8::try_from(d).ok());
        *byte = digit(pair[0])? << 4 | digit(pair[1])?;
    }
    Some(key)
}

/// Why there is no root key. The texts are for the operator.
#[derive(Debug)]
pub enum RootKeyError {
    /// The file cannot be read or written.
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Others than the owner may read the file.
    Permissions {
        /// Which.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file is not a root key.
    Malformed {
        /// Which.
        path: PathBuf,
    },
}

impl RootKeyError {
    fn io(path: &Path, error: io::Error) -> Self {
        Self::Io { path: path.into(), error }
    }
}

impl fmt::Display for RootKeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, error } => write!(f, "root key file {}: {error}", path.display()),
            Self::Permissions { path, mode } => write!(
                f,
                "root key file {} has mode {:o}: others may read it; run chmod 0400 on it, and \
                 consider the key exposed",
                path.display(),
                mode & 0o777
            ),
            Self::Malformed { path } => {
                write!(f, "{} is not a root key file, or it is damaged", path.display())
            }
        }
    }
}

impl std::error::Error for RootKeyError {}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    /// Guards against a root key that is replaced, world-readable or misread.
    #[test]
    fn a_root_key_is_made_once_and_read_back() {
        let dir = tempfile::tempdir().expect("a directory");
        let path = dir.path().join("root.key");
        RootKey::create(&path).expect("made");
        assert!(matches!(RootKey::create(&path), Err(RootKeyError::Io { .. })));

        let (one, two) = (RootKey::load(&path).expect("read"), RootKey::load(&path).expect("read"));
        assert_eq!(one.deployment(), two.deployment());
        one.with_store_kek(|a| two.with_store_kek(|b| assert!(a == b)));

        fs::set_permissions(&path, fs::Permissions::from_mode(0o444)).expect("chmod");
        assert!(matches!(RootKey::load(&path), Err(RootKeyError::Permissions { .. })));
    }

    /// Guards against a damaged file that is taken for a key.
    #[test]
    fn what_is_not_a_root_key_is_refused() {
        let good = format!("{HEADER}\n{}\n", "0f".repeat(32));
        assert!(parse(good.as_bytes()).is_some());
        for text in ["", HEADER, &good[1..], &good[..good.len() - 3], &good.replace('f', "g")] {
            assert!(parse(text.as_bytes()).is_none(), "{text:?}");
        }
    }
}
