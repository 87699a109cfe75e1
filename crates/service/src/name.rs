//! Names of vaults and keys as they stand in a request: checked, borrowed, and
//! looked up without an allocation.

use std::fmt;

use keyreeve_authz::Resource;
use keyreeve_types::{BadName, FoldedName, Name, VersionId};

/// The name of a vault in a request.
#[derive(Clone, Copy)]
pub struct VaultName<'a>(&'a str);

/// The name of a key in a request, which means its latest version, or of one of
/// its versions.
#[derive(Clone, Copy)]
pub struct KeyName<'a> {
    vault: &'a str,
    key: &'a str,
    version: Option<VersionId>,
}

impl<'a> VaultName<'a> {
    /// Checks `text`, the part after `vaults/`.
    pub fn new(text: &'a str) -> Result<Self, BadName> {
        check(text).map(Self)
    }

    pub(crate) fn as_str(self) -> &'a str {
        self.0
    }

    /// A name of its own.
    pub fn to_name(self) -> Name {
        self.0.parse().expect("it was checked")
    }

    /// What it is looked up by.
    pub(crate) const fn folded(self) -> FoldedName {
        fold(self.0)
    }

    /// What is decided about.
    pub(crate) const fn resource(self) -> Resource<'a> {
        Resource::Vault(self.0)
    }
}

impl<'a> KeyName<'a> {
    /// Checks the two names; `version` none means the latest.
    pub fn new(vault: &'a str, key: &'a str, version: Option<VersionId>) -> Result<Self, BadName> {
        Ok(Self { vault: check(vault)?, key: check(key)?, version })
    }

    /// Its vault.
    pub fn vault(self) -> VaultName<'a> {
        VaultName(self.vault)
    }

    /// What is decided about: the key, whichever version was named.
    pub(crate) const fn resource(self) -> Resource<'a> {
        Resource::key(self.vault, self.key)
    }

    /// The key's part of it, as a name of its own.
    pub fn to_name(self) -> Name {
        self.key.parse().expect("it was checked")
    }

    pub(crate) fn key(self) -> &'a str {
        self.key
    }

    /// What the key is looked up by in its vault.
    pub(crate) const fn folded_key(self) -> FoldedName {
        fold(self.key)
    }

    /// The version, where one was named.
    pub fn version(self) -> Option<VersionId> {
        self.version
    }

    /// Whether both name the same key, of whichever version.
    pub fn same_key(self, other: KeyName<'_>) -> bool {
        self.vault.eq_ignore_ascii_case(other.vault) && self.key.eq_ignore_ascii_case(other.key)
    }

    /// The key, whichever version was named.
    pub(crate) fn without_version(self) -> Self {
        Self { version: None, ..self }
    }

    /// The version of this key that was named, or `version`.
    pub(crate) fn or_version(self, version: Option<VersionId>) -> Self {
        Self { version: self.version.or(version), ..self }
    }
}

/// The rule of [`Name`], without making one.
fn check(text: &str) -> Result<&str, BadName> {
    FoldedName::new(text).map(|_| text)
}

const fn fold(name: &str) -> FoldedName {
    match FoldedName::new(name) {
        Ok(folded) => folded,
        Err(BadName) => panic!("it was checked"),
    }
}

impl fmt::Display for VaultName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vaults/{}", self.0)
    }
}

impl fmt::Display for KeyName<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "vaults/{}/keys/{}", self.vault, self.key)?;
        match self.version {
            Some(version) => write!(f, "/versions/{version}"),
            None => Ok(()),
        }
    }
}
