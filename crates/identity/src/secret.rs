//! Secrets that Keyreeve gives out: tokens and client secrets.
//!
//! Each has 256 random bits, so that what is kept is its plain SHA-256: nobody finds
//! the secret from it, and nothing slow is on the way of a call. A prefix says what it
//! is, so that scanners for leaked secrets find one.

use aws_lc_rs::digest::{Context, SHA256};
use keyreeve_types::Secret;
use subtle::ConstantTimeEq;

use crate::base64url;

/// What a bearer token begins with.
pub const TOKEN: &str = "kr_";
/// What a client secret begins with.
pub const CLIENT_SECRET: &str = "krs_";

/// The secret made of `random`: `prefix` and 43 characters of base64url.
pub fn new(prefix: &str, random: &Secret<[u8; 32]>) -> Secret<String> {
    let text = Secret::new(base64url::encode(random.expose()));
    let mut whole = String::with_capacity(prefix.len() + text.expose().len());
    whole.push_str(prefix);
    whole.push_str(text.expose());
    Secret::new(whole)
}

/// SHA-256 of what was presented.
pub fn hash(presented: &[u8]) -> [u8; 32] {
    sha256(&[presented])
}

/// Whether two hashes are the same, in a time that does not tell where they differ.
pub fn same(one: &[u8; 32], other: &[u8; 32]) -> bool {
    one.ct_eq(other).into()
}

pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut context = Context::new(&SHA256);
    parts.iter().for_each(|part| context.update(part));
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against secrets that are shorter than they look, and against a
    /// comparison that admits what it should not.
    #[test]
    fn a_secret_is_what_it_was_made_of() {
        let secret = new(TOKEN, &Secret::new([7; 32]));
        assert_eq!(secret.expose().len(), 46);
        let hash = hash(secret.expose().as_bytes());
        let mut other = hash;
        other[31] ^= 1;
        assert!(same(&hash, &hash) && !same(&hash, &other));
    }
}
