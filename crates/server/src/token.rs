//! Bearer tokens: made here, known to the service by their SHA-256 alone.

use aws_lc_rs::rand;
use keyreeve_identity::secret;
use keyreeve_types::Secret;

/// A token that was just made.
pub struct NewToken {
    /// What the caller presents: `kr_` and 43 characters of base64url, 256 random
    /// bits. The prefix lets secret scanners find a leaked one.
    pub token: Secret<String>,
    /// What the configuration holds: SHA-256 of the token's characters, 64 hex
    /// digits.
    pub sha256: String,
}

/// Makes a token from the system's random source.
pub fn generate() -> Result<NewToken, RandomSourceFailed> {
    let mut random = Secret::new([0; 32]);
    rand::fill(random.expose_mut()).map_err(|_| RandomSourceFailed)?;
    let token = secret::new(secret::TOKEN, &random);
    let sha256 = hex::encode(secret::hash(token.expose().as_bytes()));
    Ok(NewToken { token, sha256 })
}

/// The system gave no random bytes. Nothing secret can be made; look at the kernel
/// and at the sandbox.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RandomSourceFailed;

impl std::fmt::Display for RandomSourceFailed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the system gave no random bytes")
    }
}

impl std::error::Error for RandomSourceFailed {}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a printed hash that does not admit the printed token, and
    /// against a generator that repeats itself.
    #[test]
    fn the_hash_is_the_tokens_and_no_two_are_alike() {
        let (a, b) = (generate().expect("random"), generate().expect("random"));
        assert_eq!(hex::encode(secret::hash(a.token.expose().as_bytes())), a.sha256);
        assert_ne!(a.sha256, b.sha256);
        assert_eq!(a.token.expose().len(), 46);
    }
}
