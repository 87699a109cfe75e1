//! Where principals and tokens are stored.
//!
//! ```text
//! principals / {id}    a principal that Keyreeve keeps
//! tokens     / {id}    a token that Keyreeve issued
//! ```

use keyreeve_store::Key as StoreKey;

/// The path of a record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Path {
    /// A principal.
    Principal(Box<str>),
    /// A token.
    Token(Box<str>),
}

impl Path {
    /// The prefix of all principals.
    pub(crate) fn principals() -> StoreKey {
        StoreKey::new(["principals"])
    }

    /// The prefix of all tokens.
    pub(crate) fn tokens() -> StoreKey {
        StoreKey::new(["tokens"])
    }

    /// The path as the store has it.
    pub(crate) fn to_store(&self) -> StoreKey {
        match self {
            Self::Principal(id) => StoreKey::new(["principals", id]),
            Self::Token(id) => StoreKey::new(["tokens", id]),
        }
    }

    /// Reads a path back; `None` if it is the path of something else.
    pub(crate) fn from_store(key: &StoreKey) -> Option<Self> {
        let segments = key.segments()?;
        let [kind, id] = &segments[..] else { return None };
        let id = String::from_utf8(id.clone()).ok()?.into();
        match kind.as_slice() {
            b"principals" => Some(Self::Principal(id)),
            b"tokens" => Some(Self::Token(id)),
            _ => None,
        }
    }
}
