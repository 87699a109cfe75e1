//! `[[token]]`: who may call, by the SHA-256 of a bearer token.
//!
//! The file holds no token, so that reading it gives nobody access. A token has
//! 256 random bits (`keyreeve token generate`), which is why a plain hash does.

use std::collections::BTreeSet;

use keyreeve_types::Name;
use serde::Deserialize;

use super::Report;

/// Most tokens: the front gets them in one packet.
const MAX_TOKENS: usize = 1000;

/// `[[token]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TokenConfig {
    /// Who has it, for the log: 1 to 127 of `0-9 a-z A-Z -`. Several tokens may
    /// share a name while one replaces the other.
    pub name: String,
    /// SHA-256 of the token's characters: 64 hex digits.
    pub sha256: String,
}

pub(super) fn check(report: &mut Report, tokens: &[TokenConfig]) -> Vec<(Name, [u8; 32])> {
    if tokens.is_empty() {
        report.add(
            "token",
            "there is no [[token]], so nobody could call",
            "add what `keyreeve token generate` prints",
        );
    }
    if tokens.len() > MAX_TOKENS {
        report.add(
            "token",
            format!("there are {} tokens, more than {MAX_TOKENS}", tokens.len()),
            "remove those that are no longer used",
        );
    }
    let mut seen = BTreeSet::new();
    let mut checked = Vec::new();
    for (index, token) in tokens.iter().enumerate() {
        let name = token.name.parse::<Name>();
        if name.is_err() {
            report.add(
                format!("token[{index}].name"),
                format!("`{}` is not a name", token.name),
                "use 1 to 127 characters of 0-9, a-z, A-Z and '-'",
            );
        }
        let mut hash = [0; 32];
        let decoded = hex::decode_to_slice(&token.sha256, &mut hash);
        if decoded.is_err() {
            // What stands there may be the token itself: it is not repeated.
            report.add(
                format!("token[{index}].sha256"),
                "is not 64 hex digits",
                "use the sha256 that `keyreeve token generate` prints, not the token",
            );
        } else if !seen.insert(hash) {
            report.add(
                format!("token[{index}].sha256"),
                "is the same as another token's",
                "give each caller a token of its own",
            );
        }
        if let (Ok(name), Ok(())) = (name, decoded) {
            checked.push((name, hash));
        }
    }
    checked
}
