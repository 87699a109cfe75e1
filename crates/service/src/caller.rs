//! Who calls.

use std::sync::Arc;

/// A principal that has been authenticated.
///
/// The one place that makes one is the server's authentication, after it has
/// checked a credential; a door passes on what it finds with the request.
#[derive(Debug, Clone)]
pub struct Caller {
    name: Arc<str>,
}

impl Caller {
    /// A caller of that name. To be called by who has checked the credential, and
    /// by no one else.
    pub fn authenticated(name: impl Into<Arc<str>>) -> Self {
        Self { name: name.into() }
    }

    /// What it is called in logs.
    pub fn name(&self) -> &str {
        &self.name
    }
}
