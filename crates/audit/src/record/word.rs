//! Words: what the program or its configuration calls something.

use std::{borrow::Cow, fmt};

/// 1 to 64 characters of `0-9 A-Z a-z . _ : -`.
///
/// Where it comes from is what makes it safe: a literal of this program, or a name
/// from the configuration file. Text from a request MUST NOT become a word.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Word(Cow<'static, str>);

impl Word {
    /// Longest word, in bytes (all of them ASCII).
    pub const MAX_LEN: usize = 64;

    /// A word of this program.
    ///
    /// # Panics
    /// If `text` breaks the rule; evaluated in a constant, that is a build error.
    pub const fn new(text: &'static str) -> Self {
        assert!(lawful(text.as_bytes()), "a word is 1 to 64 of 0-9 A-Z a-z . _ : -");
        Self(Cow::Borrowed(text))
    }

    /// A word of the configuration, such as the name of a slot or of a listener.
    ///
    /// # Errors
    /// [`BadWord`] if it breaks the rule.
    pub fn configured(text: &str) -> Result<Self, BadWord> {
        if lawful(text.as_bytes()) { Ok(Self(Cow::Owned(text.to_owned()))) } else { Err(BadWord) }
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

const fn lawful(bytes: &[u8]) -> bool {
    let mut i = 0;
    while i < bytes.len() {
        if !bytes[i].is_ascii_alphanumeric() && !matches!(bytes[i], b'.' | b'_' | b':' | b'-') {
            return false;
        }
        i += 1;
    }
    !bytes.is_empty() && bytes.len() <= Word::MAX_LEN
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Word({self})")
    }
}

/// The text is not a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadWord;

impl fmt::Display for BadWord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name in the audit log is 1 to 64 characters of 0-9 A-Z a-z . _ : -")
    }
}

impl std::error::Error for BadWord {}
