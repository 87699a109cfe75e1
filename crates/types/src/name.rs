//! Names of vaults and of the objects in them.
//!
//! The rule is Key Vault's, `^[0-9a-zA-Z-]{1,127}$`, and names compare without
//! regard to case there. Two spellings of one name must never reach two records,
//! so a [`Name`] folds to lower case for comparison once, when it is made, and
//! remembers the spelling it came with for display.

use std::{fmt, hash, str::FromStr};

/// The name of a vault or of an object in one. Compares and hashes without case.
#[derive(Clone)]
pub struct Name {
    spelling: Box<str>,
    folded: Box<str>,
}

impl Name {
    /// Longest name, in bytes (all of them ASCII).
    pub const MAX_LEN: usize = 127;

    /// The name as it was first written.
    pub fn as_str(&self) -> &str {
        &self.spelling
    }

    /// The lower-case form: what storage keys and comparisons are made of.
    pub fn folded(&self) -> &str {
        &self.folded
    }
}

impl FromStr for Name {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        if text.is_empty() || text.len() > Self::MAX_LEN || !text.bytes().all(is_allowed) {
            return Err(BadName);
        }
        Ok(Self { spelling: text.into(), folded: text.to_ascii_lowercase().into() })
    }
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.folded == other.folded
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.folded.cmp(&other.folded)
    }
}

impl hash::Hash for Name {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.folded.hash(state);
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.spelling)
    }
}

impl fmt::Debug for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Name({})", self.spelling)
    }
}

/// A name in lower case, in place: for looking a name up, or writing it down, without
/// an allocation.
#[derive(Clone, Copy)]
pub struct FoldedName {
    bytes: [u8; Name::MAX_LEN],
    len: u8,
}

impl FoldedName {
    /// The folded form of `text`.
    ///
    /// # Errors
    /// [`BadName`] as for a [`Name`].
    pub const fn new(text: &str) -> Result<Self, BadName> {
        let from = text.as_bytes();
        if from.is_empty() || from.len() > Name::MAX_LEN {
            return Err(BadName);
        }
        let mut bytes = [0; Name::MAX_LEN];
        let mut i = 0;
        while i < from.len() {
            if !is_allowed(from[i]) {
                return Err(BadName);
            }
            bytes[i] = from[i].to_ascii_lowercase();
            i += 1;
        }
        Ok(Self { bytes, len: from.len() as u8 })
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        // Only ASCII was let in.
        std::str::from_utf8(&self.bytes[..usize::from(self.len)]).unwrap_or_default()
    }
}

impl FromStr for FoldedName {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        Self::new(text)
    }
}

impl PartialEq for FoldedName {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for FoldedName {}

impl fmt::Debug for FoldedName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FoldedName({})", self.as_str())
    }
}

const fn is_allowed(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'-'
}

/// The text is not a name: it must be 1 to 127 of `0-9 a-z A-Z -`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadName;

impl fmt::Display for BadName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name is 1 to 127 characters of 0-9, a-z, A-Z and '-'")
    }
}

impl std::error::Error for BadName {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Guards against two records for one name: `Prod` and `prod` are the same vault.
    #[test]
    fn names_compare_without_case_and_keep_their_spelling() {
        let upper: Name = "Prod-1".parse().expect("a valid name");
        let lower: Name = "prod-1".parse().expect("a valid name");
        assert_eq!(upper, lower);
        assert_eq!(upper.as_str(), "Prod-1");
        assert_eq!(upper.folded(), lower.folded());
    }

    /// Guards against look-alikes, traversal and separators inside a name.
    #[test]
    fn what_is_not_a_name_is_refused() {
        for text in ["", "a/b", "a.b", "ä", "a b", "..", "a\0", "K\u{212a}", &"x".repeat(128)] {
            assert_eq!(text.parse::<Name>(), Err(BadName), "{text:?}");
        }
    }

    proptest! {
        /// Guards against a parser that panics or accepts beyond the rule.
        #[test]
        fn parsing_accepts_exactly_the_rule(text in "\\PC{0,140}") {
            let lawful = (1..=127).contains(&text.len())
                && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            prop_assert_eq!(text.parse::<Name>().is_ok(), lawful);
        }

        /// Guards against two rules for names, and two ways to fold them.
        #[test]
        fn a_folded_name_is_that_of_the_name(text in "\\PC{0,140}|[a-zA-Z0-9-]{1,130}") {
            let (folded, name) = (text.parse::<FoldedName>(), text.parse::<Name>());
            prop_assert_eq!(
                folded.as_ref().map(FoldedName::as_str).ok(),
                name.as_ref().map(Name::folded).ok()
            );
        }
    }
}
