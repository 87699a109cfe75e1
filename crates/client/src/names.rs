//! How vaults and keys are named: `VAULT/NAME[/VERSION]` for people, resource names
//! on the wire.
//!
//! A name is checked before it is sent, so that a slip is reported where it was
//! made. Either form is taken wherever a name is; they cannot be confused, since a
//! resource name of a key has four or six parts and the short form two or three.

use std::{fmt, str::FromStr};

/// The name of a vault: `prod` or `vaults/prod`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VaultName(String);

impl VaultName {
    /// The id alone, as `prod`.
    pub fn id(&self) -> &str {
        &self.0
    }

    /// The resource name, as `vaults/prod`.
    pub fn resource(&self) -> String {
        format!("vaults/{}", self.0)
    }
}

impl FromStr for VaultName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let id = text.strip_prefix("vaults/").unwrap_or(text);
        is_name(id).then(|| Self(id.to_owned())).ok_or(BadName)
    }
}

impl fmt::Display for VaultName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The name of a key, or of one of its versions: `prod/jwt`, `prod/jwt/0f3c…`, or
/// the resource name of either.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyName {
    vault: VaultName,
    key: String,
    version: Option<String>,
}

impl KeyName {
    /// The vault.
    pub fn vault(&self) -> &VaultName {
        &self.vault
    }

    /// The key's own id, as `jwt`.
    pub fn id(&self) -> &str {
        &self.key
    }

    /// The version, 32 lower-case hex digits; `None` means the latest.
    pub fn version(&self) -> Option<&str> {
        self.version.as_deref()
    }

    /// The same key without a version.
    pub fn without_version(&self) -> Self {
        Self { version: None, ..self.clone() }
    }

    /// The resource name, as `vaults/prod/keys/jwt`.
    pub fn resource(&self) -> String {
        let key = format!("vaults/{}/keys/{}", self.vault, self.key);
        match &self.version {
            Some(version) => format!("{key}/versions/{version}"),
            None => key,
        }
    }
}

impl FromStr for KeyName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let parts: Vec<&str> = text.split('/').collect();
        let (vault, key, version) = match parts[..] {
            [vault, key] | ["vaults", vault, "keys", key] => (vault, key, None),
            [vault, key, version] | ["vaults", vault, "keys", key, "versions", version] => {
                (vault, key, Some(version))
            }
            _ => return Err(BadName),
        };
        let lawful = is_name(vault) && is_name(key) && version.is_none_or(is_version);
        lawful
            .then(|| Self {
                vault: VaultName(vault.to_owned()),
                key: key.to_owned(),
                version: version.map(str::to_ascii_lowercase),
            })
            .ok_or(BadName)
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.vault, self.key)?;
        self.version.as_ref().map_or(Ok(()), |version| write!(f, "/{version}"))
    }
}

fn is_name(text: &str) -> bool {
    let allowed = |b: u8| b.is_ascii_alphanumeric() || b == b'-';
    (1..=127).contains(&text.len()) && text.bytes().all(allowed)
}

fn is_version(text: &str) -> bool {
    text.len() == 32 && text.bytes().all(|b| b.is_ascii_hexdigit())
}

/// The text names no vault or key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadName;

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a vault is written VAULT and a key VAULT/NAME or VAULT/NAME/VERSION, where names are \
             1 to 127 characters of 0-9, a-z, A-Z and '-' and a version is 32 hex digits",
        )
    }
}

impl std::error::Error for BadName {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Guards against names that reach another object: separators, traversal,
    /// look-alikes and half-written versions.
    #[test]
    fn what_is_no_key_name_is_refused() {
        for text in [
            "",
            "prod",
            "prod/",
            "/jwt",
            "prod/jwt/",
            "prod/jwt/1",
            "prod//jwt",
            "prod/../jwt",
            "vaults/prod/keys",
            "vaults/prod/secrets/jwt",
            "prod/jwt/keys/x",
            "prod/jw\u{212a}",
            "prod/jwt/0123456789abcdef0123456789abcdeg",
            "vaults/prod/keys/jwt/versions/",
        ] {
            assert_eq!(text.parse::<KeyName>(), Err(BadName), "{text:?}");
        }
    }

    proptest! {
        /// Guards against a name that changes on its way: what is written is what is asked.
        #[test]
        fn both_forms_name_the_same_key(
            vault in "[0-9a-zA-Z-]{1,127}",
            key in "[0-9a-zA-Z-]{1,127}",
            version in proptest::option::of("[0-9a-f]{32}"),
        ) {
            let short = match &version {
                Some(version) => format!("{vault}/{key}/{version}"),
                None => format!("{vault}/{key}"),
            };
            let name: KeyName = short.parse().expect("a lawful name");
            prop_assert_eq!(name.to_string(), short);
            prop_assert_eq!(name.vault().id(), vault);
            prop_assert_eq!(name.version(), version.as_deref());
            prop_assert_eq!(name.resource().parse::<KeyName>(), Ok(name));
        }

        /// Guards against a parser that panics.
        #[test]
        fn parsing_anything_ends_well(text in "\\PC{0,200}") {
            if let Ok(name) = text.parse::<KeyName>() {
                prop_assert!(!name.id().is_empty());
            }
            let _ = text.parse::<VaultName>();
        }
    }
}
