//! Who asks, and how we know.

use std::fmt;

use keyreeve_audit::record::{Credential, Method};
use keyreeve_authz::Subject;

/// A proven principal with its groups, or nobody.
///
/// The one place that makes a proven one is the server's authentication, after it has
/// checked a credential. Shared by all requests with that credential.
#[derive(Debug)]
pub struct Identity {
    subject: Option<Subject>,
    method: Method,
    credential: Option<Credential>,
}

impl Identity {
    /// `subject`, proven by `method` with `credential`. To be called by who has
    /// checked the credential, and by no one else.
    pub const fn proven(subject: Subject, method: Method, credential: Option<Credential>) -> Self {
        Self { subject: Some(subject), method, credential }
    }

    /// Whoever asks for what is public. No role can be held by it.
    pub const fn nobody() -> Self {
        Self { subject: None, method: Method::NotPresented, credential: None }
    }

    /// The principal and its groups; `None` for nobody.
    pub const fn subject(&self) -> Option<&Subject> {
        self.subject.as_ref()
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

/// For a log: names are quoted and escaped.
impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.subject {
            Some(subject) => subject.principal().fmt(f),
            None => f.write_str("nobody"),
        }
    }
}
