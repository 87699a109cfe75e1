//! A small world: few names, so that what is drawn at random meets.

use keyreeve_authz::{
    Assignment, AssignmentId, Principal, PrincipalKind, Resource, Role, RoleId, Scope, Subject,
};
use keyreeve_types::UnixTime;
use proptest::prelude::*;

pub(crate) const NAMES: [&str; 4] = ["alice", "bob", "*", "ops"];

pub(crate) const RESOURCES: [Resource<'static>; 9] = [
    Resource::Service,
    Resource::Vault("v"),
    Resource::Vault("W"),
    Resource::key("V", "k"),
    Resource::key("w", "k"),
    Resource::key("v", "kk"),
    Resource::secret("v", "k"),
    Resource::secret("w", "s"),
    Resource::certificate("v", "k"),
];

const SCOPES: [&str; 8] = [
    "/",
    "/vaults/v",
    "/vaults/w",
    "/vaults/vv",
    "/vaults/v/keys/K",
    "/vaults/v/secrets/k",
    "/vaults/w/keys/k",
    "/vaults/v/certificates/k",
];

pub(crate) fn user(name: &str) -> Principal {
    Principal::new(PrincipalKind::User, None, name).expect("a principal")
}

pub(crate) fn group(name: &str) -> Principal {
    Principal::new(PrincipalKind::Group, None, name).expect("a group")
}

pub(crate) fn subject(name: &str, groups: &[&str]) -> Subject {
    let groups: Vec<_> = groups.iter().map(|name| group(name)).collect();
    Subject::new(user(name), groups).expect("a subject")
}

pub(crate) fn role_named(name: &str) -> RoleId {
    let role = Role::built_in().iter().find(|role| role.name() == name);
    role.expect("a built-in role").id()
}

pub(crate) fn assignment(id: u128, role: &str, holder: Principal, scope: &str) -> Assignment {
    Assignment {
        id: AssignmentId::from_u128(id),
        role: role_named(role),
        holder,
        scope: scope.parse().expect("a scope"),
        expires: None,
        configured: false,
    }
}

pub(crate) fn resource(text: &'static str) -> Resource<'static> {
    let mut parts = text.split('/').skip(2);
    match (parts.next(), parts.next(), parts.next()) {
        (Some(vault), Some("keys"), Some(name)) => Resource::key(vault, name),
        (Some(vault), Some("secrets"), Some(name)) => Resource::secret(vault, name),
        (Some(vault), None, None) => Resource::Vault(vault),
        _ => Resource::Service,
    }
}

pub(crate) fn scopes() -> impl Strategy<Value = Scope> {
    proptest::sample::select(&SCOPES[..]).prop_map(|text| text.parse().expect("a scope"))
}

pub(crate) fn holders() -> impl Strategy<Value = Principal> {
    (proptest::sample::select(&NAMES[..]), prop::bool::weighted(0.3))
        .prop_map(|(name, is_group)| if is_group { group(name) } else { user(name) })
}

/// Any role to anybody anywhere, of which some have expired; the id is the caller's.
pub(crate) fn assignments() -> impl Strategy<Value = Assignment> {
    let role = proptest::sample::select(Role::built_in());
    let expires = prop::option::weighted(0.3, (0..5i64).prop_map(UnixTime));
    (role, holders(), scopes(), expires).prop_map(|(role, holder, scope, expires)| Assignment {
        id: AssignmentId::from_u128(0),
        role: role.id(),
        holder,
        scope,
        expires,
        configured: false,
    })
}
