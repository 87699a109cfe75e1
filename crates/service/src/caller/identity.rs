//! Who asks, and how we know.

use std::fmt;

use keyreeve_audit::record::{Credential, Method, PrincipalName};
use keyreeve_authz::{Principal, Subject};

/// A proven principal with its groups, or nobody.
///
/// The one place that makes a proven one is the server's authentication, after it has
/// checked a credential. Shared by all requests with that credential.
#[derive(Debug)]
pub struct Identity {
    subject: Option<Subject>,
    method: Method,
    credential: Option<Credential>,
    /// What the audit log calls it.
    name: Option<PrincipalName>,
}

impl Identity {
    /// `subject`, proven by `method` with `credential`. To be called by who has
    /// checked the credential, and by no one else.
    pub fn proven(subject: Subject, method: Method, credential: Option<Credential>) -> Self {
        let name = Some(recorded_name(subject.principal()));
        Self { subject: Some(subject), method, credential, name }
    }

    /// Whoever asks for what is public. No role can be held by it.
    pub const fn nobody() -> Self {
        Self { subject: None, method: Method::NotPresented, credential: None, name: None }
    }

    /// The principal and its groups; `None` for nobody.
    pub const fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
    }

    /// What the audit log calls the principal; `None` for nobody.
    pub(crate) const fn recorded_name(&self) -> Option<&PrincipalName> {
        self.name.as_ref()
    }

    /// How it was proven.
    pub const fn method(&self) -> Method {
        self.method
    }

    /// By which credential; never the credential itself.
    pub const fn credential(&self) -> Option<Credential> {
        self.credential
    }
}

/// Kind, name, and who vouches for it: `token:billing`, `user:alice@corp`. Parts are
/// not for taking apart again; the credential says for certain.
pub(crate) fn recorded_name(principal: &Principal) -> PrincipalName {
    let (kind, name) = (principal.kind().name(), principal.name());
    PrincipalName::escape(&match principal.issuer() {
        Some(issuer) => format!("{kind}:{name}@{issuer}"),
        None => format!("{kind}:{name}"),
    })
}

/// For a log: names are quoted and escaped.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Some(subject) => subject.principal().fmt(f),
            None => f.write_str("nobody"),
        }
    }
}
