//! Resource names, read in place.

use keyreeve_service::{Error, KeyName, VaultName};
use keyreeve_types::VersionId;

/// Reads `vaults/{vault}`. `field` is where the request carries it.
pub(crate) fn vault<'a>(field: &'static str, text: &'a str) -> Result<VaultName<'a>, Error> {
    text.strip_prefix("vaults/")
        .and_then(|vault| VaultName::new(vault).ok())
        .ok_or_else(|| wrong(field, "vaults/{vault}"))
}

/// Reads `vaults/{vault}/keys/{key}`.
pub(crate) fn key<'a>(field: &'static str, text: &'a str) -> Result<KeyName<'a>, Error> {
    parse(text)
        .filter(|name| name.version().is_none())
        .ok_or_else(|| wrong(field, "vaults/{vault}/keys/{key}"))
}

/// Reads `vaults/{vault}/keys/{key}`, with or without `/versions/{version}`.
pub(crate) fn key_or_version<'a>(field: &'static str, text: &'a str) -> Result<KeyName<'a>, Error> {
    parse(text).ok_or_else(|| {
        wrong(field, "vaults/{vault}/keys/{key}, with or without /versions/{version}")
    })
}

/// The same, where the name may be left out.
pub(crate) fn optional<'a>(
    field: &'static str,
    text: &'a str,
) -> Result<Option<KeyName<'a>>, Error> {
    if text.is_empty() { Ok(None) } else { key_or_version(field, text).map(Some) }
}

/// The name of a key to be made, from its parent and id.
pub(crate) fn new_key<'a>(parent: &'a str, id: &'a str) -> Result<KeyName<'a>, Error> {
    let vault = parent.strip_prefix("vaults/").filter(|vault| VaultName::new(vault).is_ok());
    let vault = vault.ok_or_else(|| wrong("parent", "vaults/{vault}"))?;
    KeyName::new(vault, id, None).map_err(|bad| Error::invalid("key_id", bad.to_string()))
}

fn parse(text: &str) -> Option<KeyName<'_>> {
    let (vault, rest) = text.strip_prefix("vaults/")?.split_once('/')?;
    let rest = rest.strip_prefix("keys/")?;
    let (key, version) = match rest.split_once('/') {
        None => (rest, None),
        Some((key, rest)) => {
            (key, Some(rest.strip_prefix("versions/")?.parse::<VersionId>().ok()?))
        }
    };
    KeyName::new(vault, key, version).ok()
}

fn wrong(field: &'static str, form: &str) -> Error {
    Error::invalid(
        field,
        format!(
            "{field} must be {form}, where names are 1 to 127 characters of 0-9, a-z, A-Z and \
             '-' and a version is 32 lower-case hex digits"
        ),
    )
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const VERSION: &str = "000102030405060708090a0b0c0d0e0f";

    /// Guards against a name that is read as another, or a form that is accepted
    /// where it means nothing.
    #[test]
    fn names_are_read_as_they_are_written() {
        let version = format!("vaults/Prod/keys/jwt/versions/{VERSION}");
        let read = key_or_version("name", &version).expect("a version's name");
        assert_eq!(read.to_string(), version);
        assert_eq!(read.version().map(|v| v.to_string()).as_deref(), Some(VERSION));
        assert!(key("name", &version).is_err());
        assert!(key("name", "vaults/Prod/keys/jwt").is_ok());
        assert!(vault("parent", "vaults/Prod").is_ok());
        assert!(optional("name", "").is_ok_and(|name| name.is_none()));
        for bad in [
            "",
            "vaults/",
            "vaults/a/",
            "vaults/a/keys/",
            "vaults/a/keys/b/",
            "vaults/a/keys/b/versions/",
            "vaults/a/keys/b/versions/1",
            "vaults/a/keys/b/versions/000102030405060708090A0B0C0D0E0F",
            "vaults/a/keys/b/c",
            "vaults//keys/b",
            "vaults/a/../keys/b",
            "/vaults/a/keys/b",
            "vaults/a/secrets/b",
        ] {
            assert!(key_or_version("name", bad).is_err(), "{bad}");
        }
        for bad in ["vaults/a/keys/b", "a", "vaults/a/", "Vaults/a"] {
            assert!(vault("parent", bad).is_err(), "{bad}");
        }
    }

    proptest! {
        /// Guards against a name that brings the service down.
        #[test]
        fn no_text_panics(text in "\\PC{0,60}|vaults/[a-z/]{0,9}keys/[a-z/]{0,9}(versions/\\PC{0,40})?") {
            let _ = vault("name", &text);
            let _ = key("name", &text);
            if let Ok(name) = key_or_version("name", &text) {
                prop_assert_eq!(name.to_string(), text);
            }
        }
    }
}
