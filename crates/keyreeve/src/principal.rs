//! Principals as people write them: `KIND:NAME`, and `--issuer` beside it. The issuer is
//! not part of the text, because a name may hold any character.

use std::str::FromStr;

use clap::Args;
use keyreeve_client::v1;

/// Who is given something, or is asked about.
#[derive(Args)]
pub(crate) struct Holder {
    /// Who: user:NAME, group:NAME, token:NAME, certificate:NAME, service-principal:NAME or
    /// managed-identity:NAME
    #[arg(long = "to", value_name = "KIND:NAME")]
    holder: KindAndName,

    /// The identity provider that vouches for it; none for what Keyreeve itself keeps
    #[arg(long, value_name = "ISSUER")]
    issuer: Option<String>,
}

/// `KIND:NAME`; the name may hold colons.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct KindAndName {
    kind: String,
    name: String,
}

impl Holder {
    pub(crate) fn into_principal(self) -> v1::Holder {
        self.holder.into_principal(self.issuer)
    }
}

impl KindAndName {
    pub(crate) fn into_principal(self, issuer: Option<String>) -> v1::Holder {
        let Self { kind, name } = self;
        v1::Holder { kind, name, issuer: issuer.unwrap_or_default() }
    }
}

impl FromStr for KindAndName {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        const KINDS: [&str; 6] =
            ["user", "group", "token", "certificate", "service-principal", "managed-identity"];
        let parts = text.split_once(':').filter(|(kind, _)| KINDS.contains(kind));
        match parts {
            Some((kind, name)) if !name.is_empty() => {
                Ok(Self { kind: kind.to_owned(), name: name.to_owned() })
            }
            _ => Err(format!(
                "write it KIND:NAME, as token:app, where the kind is one of {}",
                KINDS.join(", ")
            )),
        }
    }
}

/// As it is shown: the text that is typed, and the issuer after it.
pub(crate) fn shown(principal: Option<&v1::Holder>) -> String {
    match principal {
        None => String::new(),
        Some(v1::Holder { kind, name, issuer }) if issuer.is_empty() => format!("{kind}:{name}"),
        Some(v1::Holder { kind, name, issuer }) => format!("{kind}:{name} (issuer {issuer})"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a name that is cut at a character it may hold, so that somebody
    /// else is given the role.
    #[test]
    fn a_name_is_what_follows_the_first_colon() {
        let read = |text: &str| text.parse::<KindAndName>().map(|it| it.into_principal(None));
        let spiffe = read("certificate:spiffe://example.org/app").expect("a principal");
        assert_eq!(spiffe.name, "spiffe://example.org/app");
        assert_eq!(read("user:a@b").expect("a principal").name, "a@b");
        for bad in ["", "app", "user:", ":app", "User:a", "robot:a"] {
            assert!(read(bad).is_err(), "{bad}");
        }
    }
}
