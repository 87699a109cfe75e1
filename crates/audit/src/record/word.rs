//! Words: what the program or its configuration calls something.

use std::{cmp::Ordering, fmt, hash};

/// 1 to 64 characters of `0-9 A-Z a-z . _ : -`.
///
/// Where it comes from is what makes it safe: a literal of this program, or a name
/// from the configuration file. Text from a request MUST NOT become a word.
#[derive(Clone, Copy)]
pub struct Word(Form);

/// A record is made for every request, so that neither form is on the heap.
#[derive(Clone, Copy)]
enum Form {
    Literal(&'static str),
    InPlace { bytes: [u8; Word::MAX_LEN], len: u8 },
}

impl Word {
    /// Longest word, in bytes (all of them ASCII).
    pub const MAX_LEN: usize = 64;

    /// A word of this program.
    ///
    /// # Panics
    /// If `text` breaks the rule; evaluated in a constant, that is a build error.
    pub const fn new(text: &'static str) -> Self {
        assert!(lawful(text.as_bytes()), "a word is 1 to 64 of 0-9 A-Z a-z . _ : -");
        Self(Form::Literal(text))
    }

    /// A word of the configuration, such as the name of a slot or of a listener.
    ///
    /// # Errors
    /// [`BadWord`] if it breaks the rule.
    pub fn configured(text: &str) -> Result<Self, BadWord> {
        if !lawful(text.as_bytes()) {
            return Err(BadWord);
        }
        let mut bytes = [0; Self::MAX_LEN];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        Ok(Self(Form::InPlace { bytes, len: text.len() as u8 }))
    }

    /// The word.
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Form::Literal(text) => text,
            // Only ASCII was let in.
            Form::InPlace { bytes, len } => {
                std::str::from_utf8(&bytes[..usize::from(*len)]).unwrap_or_default()
            }
        }
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

impl PartialEq for Word {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Word {}

impl PartialOrd for Word {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Word {
    fn cmp(&self, other: &Self) -> Ordering {
        self.as_str().cmp(other.as_str())
    }
}

impl hash::Hash for Word {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.as_str().hash(state);
    }
}

impl fmt::Display for Word {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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
