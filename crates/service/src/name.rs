//! Names of vaults and keys as they stand in a request: checked, borrowed, and
//! looked up without an allocation.

use std::fmt;

use keyreeve_authz::Resource;
use keyreeve_types::{BadName, Name, VersionId};

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
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    if (1..=Name::MAX_LEN).contains(&text.len()) && text.bytes().all(allowed) {
        Ok(text)
    } else {
        Err(BadName)
    }
}

/// A checked name in lower case, on the stack.
pub(crate) struct Folded {
    bytes: [u8; Name::MAX_LEN],
    len: usize,
}

impl Folded {
    /// Folds `name`, which has passed [`check`].
    pub(crate) fn new(name: &str) -> Self {
        let len = name.len().min(Name::MAX_LEN);
        let mut bytes = [0; Name::MAX_LEN];
        bytes[..len].copy_from_slice(&name.as_bytes()[..len]);
        bytes[..len].make_ascii_lowercase();
        Self { bytes, len }
    }

    /// The folded name.
    pub(crate) fn as_str(&self) -> &str {
        // A name that passed the check is ASCII; anything else matches no record.
        std::str::from_utf8(&self.bytes[..self.len]).unwrap_or("")
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        /// Guards against two rules for names: what a request may say and what a
        /// record may be called, and two ways to fold them.
        #[test]
        fn the_rule_and_the_folding_are_those_of_name(text in "\\PC{0,140}|[a-zA-Z0-9-]{1,130}") {
            let name = text.parse::<Name>();
            prop_assert_eq!(VaultName::new(&text).is_ok(), name.is_ok());
            if let Ok(name) = name {
                let folded = Folded::new(&text);
                prop_assert_eq!(folded.as_str(), name.folded());
            }
        }
    }
}
