//! Scopes as people write them: `/`, `VAULT`, `VAULT/KEY`, or in full, as
//! `/vaults/prod/secrets/db`.

use std::str::FromStr;

use keyreeve_client::{KeyName, VaultName};

/// Where a role holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Scope(pub(crate) String);

impl FromStr for Scope {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        // In full it is for the service to judge: it knows what kinds of objects there are.
        if text == "/" || text.starts_with("/vaults/") {
            return Ok(Self(text.to_owned()));
        }
        if let Ok(vault) = text.parse::<VaultName>() {
            return Ok(Self(format!("/{}", vault.resource())));
        }
        match text.parse::<KeyName>() {
            Ok(key) if key.version().is_none() => Ok(Self(format!("/{}", key.resource()))),
            _ => Err("a scope is written /, VAULT, VAULT/KEY, or in full, as \
                      /vaults/prod/secrets/db; a version has no roles of its own"
                .to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a role that is given at a wider scope than was typed.
    #[test]
    fn short_forms_are_what_they_look_like() {
        let read = |text: &str| text.parse::<Scope>().map(|scope| scope.0);
        for (text, scope) in [
            ("/", "/"),
            ("prod", "/vaults/prod"),
            ("prod/jwt", "/vaults/prod/keys/jwt"),
            ("/vaults/prod/secrets/db", "/vaults/prod/secrets/db"),
        ] {
            assert_eq!(read(text).as_deref(), Ok(scope));
        }
        for bad in ["", "prod/", "/prod", "prod/jwt/0123456789abcdef0123456789abcdef", "a b"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
