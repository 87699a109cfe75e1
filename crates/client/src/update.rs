//! What of a key is to change.

use std::time::SystemTime;

use crate::v1;

/// A change of a key's attributes. What is not named stays.
#[derive(Debug, Clone, Default)]
pub struct KeyUpdate {
    pub(crate) key: v1::Key,
    pub(crate) paths: Vec<String>,
}

impl KeyUpdate {
    /// Changes nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the version may be used.
    #[must_use]
    pub fn enabled(mut self, enabled: bool) -> Self {
        self.key.enabled = Some(enabled);
        self.naming("enabled")
    }

    /// Not usable before; `None` clears it.
    #[must_use]
    pub fn not_before(mut self, time: Option<SystemTime>) -> Self {
        self.key.not_before_time = time.map(Into::into);
        self.naming("not_before_time")
    }

    /// Makes nothing new from then on; `None` clears it.
    #[must_use]
    pub fn expires(mut self, time: Option<SystemTime>) -> Self {
        self.key.expire_time = time.map(Into::into);
        self.naming("expire_time")
    }

    /// What it may do: never more than it was made with.
    #[must_use]
    pub fn operations<'a>(mut self, names: impl IntoIterator<Item = &'a str>) -> Self {
        self.key.operations = names.into_iter().map(str::to_owned).collect();
        self.naming("operations")
    }

    /// Its tags, all of them.
    #[must_use]
    pub fn tags<'a>(mut self, tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> Self {
        self.key.tags = tags.into_iter().map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
        self.naming("tags")
    }

    /// Refuses the change (`ABORTED`) if the version is no longer the one read with
    /// this etag.
    #[must_use]
    pub fn if_unchanged(mut self, etag: &str) -> Self {
        etag.clone_into(&mut self.key.etag);
        self
    }

    fn naming(mut self, path: &str) -> Self {
        if !self.paths.iter().any(|p| p == path) {
            self.paths.push(path.to_owned());
        }
        self
    }
}
