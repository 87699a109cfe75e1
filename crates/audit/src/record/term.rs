//! Terms: rights, permissions, scopes and ranges as they are written.

use std::{fmt, str::FromStr};

/// 1 to 320 characters of `0-9 A-Z a-z . _ : - / *`: the name of a right or a pattern of
/// such names, a scope, a range of addresses, the name of a listener.
///
/// It is text of a request, and so MUST have passed the rule of what it is before it
/// becomes a term.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Term(Box<str>);

impl Term {
    /// Longest term, in bytes (all of them ASCII): a scope with two names is shorter.
    pub const MAX_LEN: usize = 320;

    /// The term.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Term {
    type Err = BadTerm;

    fn from_str(text: &str) -> Result<Self, BadTerm> {
        let lawful = |b: u8| b.is_ascii_alphanumeric() || b"._:-/*".contains(&b);
        match !text.is_empty() && text.len() <= Self::MAX_LEN && text.bytes().all(lawful) {
            true => Ok(Self(text.into())),
            false => Err(BadTerm),
        }
    }
}

impl fmt::Display for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Term {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Term({self})")
    }
}

/// The text is not a term.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadTerm;

impl fmt::Display for BadTerm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a term in the audit log is 1 to 320 characters of 0-9 A-Z a-z . _ : - / *")
    }
}

impl std::error::Error for BadTerm {}
