//! Secrets as types.
//!
//! A value that must not be seen is wrapped once, where it enters, and every
//! place that reads it says so by calling [`Secret::expose`]: one search finds
//! them all. The type has no `Debug`, `Display`, `PartialEq` or `Serialize` of
//! its contents, and wipes them when dropped.

use std::fmt;

use zeroize::Zeroize;

/// A value that is never printed, compared or serialised, and wiped on drop.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes custody of `value`. Copies the caller still holds are the caller's to wipe.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Reads the secret. Each call is a place to audit.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Changes the secret in place. Each call is a place to audit.
    pub const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a secret reaching a log through `{:?}` of a struct around it.
    #[test]
    fn debug_shows_nothing_of_the_secret() {
        let secret = Secret::new(b"canary-7f3a".to_vec());
        assert_eq!(format!("{secret:?}"), "Secret(redacted)");
    }
}
