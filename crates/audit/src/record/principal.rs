//! The name of a principal: the only text in a record that somebody else chose.

use std::{fmt, str::FromStr, sync::Arc};

use keyreeve_tlog::sha256;

/// 1 to 256 bytes of UTF-8 without characters that could change how a log is read:
/// controls, line and paragraph separators, directional marks, zero-width characters.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PrincipalName(Arc<str>);

impl PrincipalName {
    /// Longest name, in bytes.
    pub const MAX_LEN: usize = 256;

    /// A name for whatever an issuer called its subject, so that an odd name never
    /// keeps a record from being written: misleading characters become `\u{…}`, and
    /// of a name that is too long the start and a hash of the whole remain.
    pub fn escape(text: &str) -> Self {
        let mut out = String::with_capacity(text.len());
        for c in text.chars() {
            if misleads(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
        }
        if out.is_empty() {
            out.push_str("\\u{}");
        }
        if out.len() > Self::MAX_LEN {
            let digest = hex::encode(&sha256(text.as_bytes()).0[..16]);
            let keep = out.floor_char_boundary(Self::MAX_LEN - digest.len() - "…sha256:".len());
            out.truncate(keep);
            out.push_str("…sha256:");
            out.push_str(&digest);
        }
        Self(out.into())
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{feff}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{fff9}'..='\u{fffb}'
            | '\u{e0000}'..='\u{e0fff}')
}

impl FromStr for PrincipalName {
    type Err = BadPrincipal;

    fn from_str(text: &str) -> Result<Self, BadPrincipal> {
        let lawful = !text.is_empty() && text.len() <= Self::MAX_LEN && !text.chars().any(misleads);
        if lawful { Ok(Self(text.into())) } else { Err(BadPrincipal) }
    }
}

impl fmt::Display for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for PrincipalName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrincipalName({self})")
    }
}

/// The text is not the name of a principal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadPrincipal;

impl fmt::Display for BadPrincipal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a principal's name is 1 to 256 bytes without control or invisible characters")
    }
}

impl std::error::Error for BadPrincipal {}
