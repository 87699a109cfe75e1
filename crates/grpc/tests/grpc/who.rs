//! Callers, and what the configuration lets them do.

use std::sync::Arc;

use keyreeve_authz::{Listener, Principal, PrincipalKind, Role, RoleId, Subject};
use keyreeve_service::{Caller, ConfiguredRole, Identity, Method, Source};

/// A request of the bearer of the token `name`.
pub(crate) fn caller(name: &str) -> Caller {
    let subject = Subject::new(token(name), []).expect("a subject");
    let listener = Listener { name: "grpc".parse().expect("a name"), private: false };
    let source = Source { peer: None, listener: Arc::new(listener) };
    Caller::new(Arc::new(Identity::proven(subject, Method::Token, None)), source, None)
}

pub(crate) fn token(name: &str) -> Principal {
    Principal::new(PrincipalKind::Token, None, name).expect("a principal")
}

pub(crate) fn role(name: &str) -> RoleId {
    Role::find_built_in(name).expect("a role").id()
}

/// Both planes, for the bearer of the token `name`.
pub(crate) fn everything(name: &str) -> Vec<ConfiguredRole> {
    let configured = |of| ConfiguredRole { holder: token(name), role: role(of) };
    ["Owner", "Key Vault Administrator"].map(configured).into()
}
