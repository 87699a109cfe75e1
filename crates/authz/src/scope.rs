//! Scopes: how far an assignment reaches.
//!
//! A scope is written `/`, `/vaults/{vault}`, or `/vaults/{vault}/keys/{key}` and so for
//! secrets and certificates, and reaches everything below it. There is one spelling,
//! but for the case of names.

use std::{cmp::Ordering, fmt, str::FromStr};

use keyreeve_types::Name;

use crate::{ObjectKind, Resource};

/// Where an assignment holds. Ordered from the widest, which look-ups go by.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything.
    Service,
    /// A vault and all that is in it.
    Vault(Name),
    /// One object, with all its versions.
    Object {
        /// Its vault.
        vault: Name,
        /// What it is.
        kind: ObjectKind,
        /// Its name.
        name: Name,
    },
}

/// The text is not a scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadScope;

impl Scope {
    /// Whether `resource` lies in it.
    pub fn contains(&self, resource: Resource<'_>) -> bool {
        match (self, resource) {
            (Self::Service, _) => true,
            (Self::Vault(vault), _) => resource.vault().is_some_and(|other| is_name(vault, other)),
            (
                Self::Object { vault, kind, name },
                Resource::Object { vault: other_vault, kind: other_kind, name: other_name },
            ) => *kind == other_kind && is_name(name, other_name) && is_name(vault, other_vault),
            (Self::Object { .. }, _) => false,
        }
    }

    /// The resource that it is the scope of.
    pub fn resource(&self) -> Resource<'_> {
        match self {
            Self::Service => Resource::Service,
            Self::Vault(vault) => Resource::Vault(vault.as_str()),
            Self::Object { vault, kind, name } => {
                Resource::Object { vault: vault.as_str(), kind: *kind, name: name.as_str() }
            }
        }
    }

    /// Where it stands, in the order of scopes, to the scope of exactly `resource`.
    pub(crate) fn cmp_resource(&self, resource: Resource<'_>) -> Ordering {
        match (self, resource) {
            (Self::Service, Resource::Service) => Ordering::Equal,
            (Self::Service, _) => Ordering::Less,
            (_, Resource::Service) => Ordering::Greater,
            (Self::Vault(vault), Resource::Vault(other)) => cmp_name(vault, other),
            (Self::Vault(_), Resource::Object { .. }) => Ordering::Less,
            (Self::Object { .. }, Resource::Vault(_)) => Ordering::Greater,
            (
                Self::Object { vault, kind, name },
                Resource::Object { vault: other_vault, kind: other_kind, name: other_name },
            ) => cmp_name(vault, other_vault)
                .then_with(|| kind.cmp(&other_kind))
                .then_with(|| cmp_name(name, other_name)),
        }
    }
}

fn is_name(name: &Name, text: &str) -> bool {
    name.folded().eq_ignore_ascii_case(text)
}

/// The order of [`Name`], without making one of `text`.
fn cmp_name(name: &Name, text: &str) -> Ordering {
    name.folded().bytes().cmp(text.bytes().map(|b| b.to_ascii_lowercase()))
}

impl FromStr for Scope {
    type Err = BadScope;

    fn from_str(text: &str) -> Result<Self, BadScope> {
        if text == "/" {
            return Ok(Self::Service);
        }
        let name = |text: &str| text.parse::<Name>().map_err(|_| BadScope);
        let rest = text.strip_prefix("/vaults/").ok_or(BadScope)?;
        let mut parts = rest.split('/');
        let vault = name(parts.next().ok_or(BadScope)?)?;
        let Some(collection) = parts.next() else { return Ok(Self::Vault(vault)) };
        let kind = ObjectKind::of_collection(collection).ok_or(BadScope)?;
        let object = name(parts.next().ok_or(BadScope)?)?;
        match parts.next() {
            None => Ok(Self::Object { vault, kind, name: object }),
            Some(_) => Err(BadScope),
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.resource().fmt(f)
    }
}

impl fmt::Display for BadScope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "a scope is `/`, `/vaults/{vault}`, or `/vaults/{vault}/keys/{key}`, and so with \
             `secrets` and `certificates`",
        )
    }
}

impl std::error::Error for BadScope {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn names() -> impl Strategy<Value = String> {
        prop_oneof!["[aAbB]", "[aA]-?[bB]?", "[0-9a-zA-Z-]{1,127}"]
    }

    fn scopes() -> impl Strategy<Value = Scope> {
        let name = || names().prop_map(|text| text.parse::<Name>().expect("a name"));
        prop_oneof![
            Just(Scope::Service),
            name().prop_map(Scope::Vault),
            (name(), proptest::sample::select(&ObjectKind::ALL[..]), name())
                .prop_map(|(vault, kind, name)| Scope::Object { vault, kind, name }),
        ]
    }

    proptest! {
        /// Guards against a stored scope that reads back as a wider one.
        #[test]
        fn what_is_printed_reads_back(scope in scopes()) {
            prop_assert_eq!(scope.to_string().parse(), Ok(scope));
        }

        /// Guards against a parser that panics, and against a second spelling of a
        /// scope, in which an assignment would not be found again.
        #[test]
        fn what_reads_is_in_the_one_form(
            text in "(/|vaults|keys|secrets|a|B|\\.\\.|%2f| |\u{212a}){0,8}|\\PC{0,60}",
        ) {
            if let Ok(scope) = text.parse::<Scope>() {
                prop_assert_eq!(scope.to_string(), text);
            }
        }

        /// Guards against containment by the text's prefix, where `/vaults/a` would
        /// reach `/vaults/ab`, and against containment that depends on case.
        #[test]
        fn a_scope_contains_what_is_below_it_part_by_part(one in scopes(), other in scopes()) {
            let parts = |scope: &Scope| -> Vec<String> {
                let text = scope.to_string().to_ascii_lowercase();
                text.split('/').filter(|part| !part.is_empty()).map(str::to_owned).collect()
            };
            let expected = parts(&other).starts_with(&parts(&one));
            prop_assert_eq!(one.contains(other.resource()), expected, "{} in {}", other, one);
            prop_assert!(one.contains(one.resource()));
        }

        /// Guards against two orders, under which the look-up by bisection would miss an
        /// assignment that is there.
        #[test]
        fn the_order_of_look_ups_is_the_order_of_scopes(one in scopes(), other in scopes()) {
            prop_assert_eq!(one.cmp_resource(other.resource()), one.cmp(&other));
        }
    }

    /// Guards against a look-alike of a name's letter that counts as the letter.
    #[test]
    fn a_name_is_not_its_look_alike() {
        let scope: Scope = "/vaults/k".parse().expect("a scope");
        assert!(scope.contains(Resource::Vault("K")));
        assert!(!scope.contains(Resource::Vault("\u{212a}")));
    }
}
