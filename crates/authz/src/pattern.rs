//! Patterns in role definitions: the name of a right, in which `*` stands for any run
//! of characters, `/` included, and for none. Case does not matter.

use std::fmt;

use crate::{Plane, Rights};

/// A pattern that matches some right of its plane.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    text: Box<str>,
    rights: Rights,
}

/// Why a text is no pattern.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadPattern {
    /// It is empty or longer than [`Pattern::MAX_LEN`] bytes.
    Length,
    /// It matches no right of its list's plane. In a list of exceptions a slip of the
    /// pen would widen the role, so it is not passed over.
    MatchesNothing,
}

impl Pattern {
    /// Longest pattern, in bytes.
    pub const MAX_LEN: usize = 256;

    /// Reads a pattern for rights of `plane`.
    pub fn new(text: &str, plane: Plane) -> Result<Self, BadPattern> {
        if text.is_empty() || text.len() > Self::MAX_LEN {
            return Err(BadPattern::Length);
        }
        let rights: Rights = Rights::on(plane).iter().filter(|r| matches(text, r.name())).collect();
        match rights == Rights::NONE {
            true => Err(BadPattern::MatchesNothing),
            false => Ok(Self { text: text.into(), rights }),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The rights that it matches.
    pub const fn rights(&self) -> Rights {
        self.rights
    }
}

/// Whether `pattern` matches all of `text`. On a mismatch the last `*` takes one byte
/// more, so that the time is bounded by the product of the lengths.
fn matches(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut star = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(byte) if byte.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match &mut star {
                Some((at, taken)) => {
                    *taken += 1;
                    (p, t) = (*at + 1, *taken);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|byte| *byte == b'*')
}

impl fmt::Display for BadPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Length => "a pattern is 1 to 256 bytes long",
            Self::MatchesNothing => {
                "the pattern matches no right of its list; correct it or leave it out"
            }
        })
    }
}

impl std::error::Error for BadPattern {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::Right;

    /// The rule as one would say it: `*` takes nothing, or one more.
    fn naive(pattern: &[u8], text: &[u8]) -> bool {
        match (pattern.split_first(), text.split_first()) {
            (None, None) => true,
            (Some((b'*', rest)), _) => {
                naive(rest, text) || !text.is_empty() && naive(pattern, &text[1..])
            }
            (Some((p, rest)), Some((t, text))) => p.eq_ignore_ascii_case(t) && naive(rest, text),
            _ => false,
        }
    }

    proptest! {
        /// Guards against a matcher that skips the wrong star, where a role grants what
        /// its patterns do not say.
        #[test]
        fn matching_is_what_the_rule_says(pattern in "[abA/*]{0,8}", text in "[ab/]{0,10}") {
            prop_assert_eq!(
                matches(&pattern, &text),
                naive(pattern.as_bytes(), text.as_bytes())
            );
        }

        /// Guards against a pattern that compiles to other rights than it matches.
        #[test]
        fn a_pattern_compiles_to_the_rights_it_matches(
            right in proptest::sample::select(&Right::ALL[..]),
            cut in any::<prop::sample::Index>(),
            head: bool,
            data: bool,
        ) {
            let at = cut.index(right.name().len());
            let (before, after) = right.name().split_at(at);
            let text = if head { format!("{before}*") } else { format!("*{after}") };
            let plane = if data { Plane::Data } else { Plane::Management };
            let expected: Rights = Right::ALL
                .into_iter()
                .filter(|r| r.plane() == plane && naive(text.as_bytes(), r.name().as_bytes()))
                .collect();
            let compiled = Pattern::new(&text, plane).map(|p| p.rights()).unwrap_or_default();
            prop_assert_eq!(compiled, expected);
        }
    }

    /// Guards against a hostile pattern that takes exponential time.
    #[test]
    fn many_stars_cost_no_more_than_their_number() {
        let pattern = "*a".repeat(128);
        assert_eq!(Pattern::new(&pattern, Plane::Data), Err(BadPattern::MatchesNothing));
        assert_eq!(Pattern::new(&"*".repeat(257), Plane::Data), Err(BadPattern::Length));
    }
}
