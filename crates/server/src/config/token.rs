//! `[[token]]`: who may call, by the SHA-256 of a bearer token, and what they may do
//! before anybody has assigned anything.
//!
//! The file holds no token, so that reading it gives nobody access. A token has
//! 256 random bits (`keyreeve token generate`), which is why a plain hash does.

use std::collections::BTreeSet;

use keyreeve_authz::{Role, RoleId};
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
    /// Built-in roles that it holds at `/`, by name or GUID, for as long as they stand
    /// here. None by default: it may do what it is assigned.
    #[serde(default)]
    pub roles: Vec<String>,
}

/// A token in which everything was looked at.
#[derive(Debug, Clone)]
pub struct Token {
    /// Who has it.
    pub name: Name,
    /// SHA-256 of the token's characters.
    pub sha256: [u8; 32],
    /// What it holds at `/`: built-in roles, each once.
    pub roles: Vec<RoleId>,
}

pub(super) fn check(report: &mut Report, tokens: &[TokenConfig]) -> Vec<Token> {
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
        let roles = check_roles(report, index, &token.roles);
        if let (Ok(name), Ok(())) = (name, decoded) {
            checked.push(Token { name, sha256: hash, roles });
        }
    }
    checked
}

/// Custom roles are in the store, which nobody has opened yet and which can change
/// while the service runs.
fn check_roles(report: &mut Report, index: usize, roles: &[String]) -> Vec<RoleId> {
    let mut checked = BTreeSet::new();
    for (place, text) in roles.iter().enumerate() {
        let field = || format!("token[{index}].roles[{place}]");
        match Role::find_built_in(text) {
            None => report.add(
                field(),
                format!("`{text}` is no built-in role"),
                "use a name or GUID of docs/roles.md; assign a custom role with `keyreeve \
                 assignment create`",
            ),
            Some(role) if !checked.insert(role.id()) => {
                report.add(field(), format!("`{text}` is named twice"), "name each role once");
            }
            Some(_) => {}
        }
    }
    checked.into_iter().collect()
}
