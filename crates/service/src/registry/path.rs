//! Where records are stored.
//!
//! ```text
//! vaults / {vault}                     a vault
//! keys   / {vault} / {key}             a key
//! keys   / {vault} / {key} / {version} a key version
//! ```
//!
//! Names are in lower case, versions in hex. A key sorts before its versions.

use keyreeve_store::Key as StoreKey;
use keyreeve_types::VersionId;

/// The path of a record. In the order in which records may be applied: what
/// contains before what is contained.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Path {
    /// A vault.
    Vault(String),
    /// A key: vault and key.
    Key(String, String),
    /// A version: vault, key and version.
    Version(String, String, VersionId),
}

impl Path {
    /// The prefix of all vaults.
    pub(crate) fn vaults() -> StoreKey {
        StoreKey::new(["vaults"])
    }

    /// The prefix of all keys and their versions.
    pub(crate) fn keys() -> StoreKey {
        StoreKey::new(["keys"])
    }

    /// The path as the store has it.
    pub(crate) fn to_store(&self) -> StoreKey {
        match self {
            Self::Vault(vault) => StoreKey::new(["vaults", vault]),
            Self::Key(vault, key) => StoreKey::new(["keys", vault, key]),
            Self::Version(vault, key, version) => {
                StoreKey::new(["keys", vault, key, &version.to_string()])
            }
        }
    }

    /// Reads a path back; `None` if it is the path of something else.
    pub(crate) fn from_store(key: &StoreKey) -> Option<Self> {
        let segments: Vec<String> =
            key.segments()?.into_iter().map(String::from_utf8).collect::<Result<_, _>>().ok()?;
        let mut segments = segments.into_iter();
        let kind = segments.next()?;
        let path = match (kind.as_str(), segments.next()?, segments.next(), segments.next()) {
            ("vaults", vault, None, None) => Self::Vault(vault),
            ("keys", vault, Some(key), None) => Self::Key(vault, key),
            ("keys", vault, Some(key), Some(version)) => {
                Self::Version(vault, key, version.parse().ok()?)
            }
            _ => return None,
        };
        segments.next().is_none().then_some(path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a record that is written where it is not found again, and
    /// against a key `a-b` read among the versions of key `a`.
    #[test]
    fn paths_come_back_as_they_went_in() {
        let text = |s: &str| s.to_owned();
        let paths = [
            Path::Vault(text("prod")),
            Path::Key(text("prod"), text("a")),
            Path::Key(text("prod"), text("a-b")),
            Path::Version(text("prod"), text("a"), VersionId::from_bytes([7; 16])),
        ];
        for path in &paths {
            assert_eq!(Path::from_store(&path.to_store()).as_ref(), Some(path));
        }
        assert!(!paths[2].to_store().starts_with(&paths[1].to_store()));
        assert_eq!(Path::from_store(&StoreKey::new(["roles", "x"])), None);
        assert_eq!(Path::from_store(&StoreKey::new(["vaults", "x", "y", "z", "0"])), None);
    }
}
