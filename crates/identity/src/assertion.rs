//! Client assertions (RFC 7523, `private_key_jwt`): a client signs a token about
//! itself, for our token endpoint, with a key that was registered for it.
//!
//! `aud` must be one text, the endpoint itself. A list could name another server, which
//! could then present the assertion here.

use keyreeve_publickey::PublicKey;
use keyreeve_types::UnixTime;

use crate::{Claims, Json, Refusal, Token, base64url, jws::default_algorithms};

/// Longest life of an assertion, in seconds.
const MAX_LIFE: i64 = 600;
/// How far clocks may differ, in seconds.
const LEEWAY: i64 = 60;

/// A key that a client may sign assertions with.
#[derive(Debug)]
pub struct ClientKey<'k> {
    /// The id of the credential: what `kid` may name.
    pub id: &'k str,
    /// SHA-256 of the certificate, which `x5t#S256` may name.
    pub thumbprint: [u8; 32],
    /// The public key.
    pub key: &'k PublicKey,
}

/// A client proved itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assertion {
    /// Which of its keys it used: the index in the keys that were passed in.
    pub key: usize,
    /// The assertion's id, not to be taken twice before it ends.
    pub id: String,
    /// When it ends.
    pub expires: UnixTime,
}

/// Which client a token claims to be from, if it is an assertion of a client about
/// itself: for looking up its keys, nothing else.
pub fn claimed_client<'t>(token: &'t Token<'_>) -> Option<&'t str> {
    let subject = token.unproven().get("sub").and_then(Json::text)?;
    (token.claimed_issuer() == Some(subject)).then_some(subject)
}

/// Verifies that `client`, who has `keys`, made `token` for one of `endpoints`.
pub fn verify_assertion(
    token: Token<'_>,
    client: &str,
    keys: &[ClientKey<'_>],
    endpoints: &[&str],
    now: UnixTime,
) -> Result<Assertion, Refusal> {
    if claimed_client(&token) != Some(client) {
        return Err(Refusal::Issuer);
    }
    if !matches!(token.unproven().get("aud"), Some(Json::Text(_))) {
        return Err(Refusal::Audience);
    }
    let algorithms = default_algorithms();
    let signed = |key: &ClientKey<'_>| token.check(key.key, &algorithms).is_ok();
    let named = |key: &ClientKey<'_>| match (token.kid(), token.thumbprint()) {
        (_, Some(thumbprint)) => base64url::encode(&key.thumbprint) == thumbprint,
        (Some(kid), None) => names(kid, key),
        (None, None) => true,
    };
    if !keys.iter().any(named) {
        return Err(Refusal::UnknownKey);
    }
    let key = keys.iter().position(|key| named(key) && signed(key)).ok_or(Refusal::Signature)?;
    let claims = token.verify(keys[key].key, &algorithms)?;
    let claims = Claims::check(claims, client, endpoints, LEEWAY, now)?;
    if claims.expires().0 > now.0 + MAX_LIFE + 2 * LEEWAY {
        return Err(Refusal::Expired);
    }
    let id = claims.id()?.ok_or(Refusal::Claim)?.to_owned();
    Ok(Assertion { key, id, expires: claims.expires() })
}

/// A `kid` is the credential's id, or the certificate's thumbprint in base64url or hex.
fn names(kid: &str, key: &ClientKey<'_>) -> bool {
    kid == key.id
        || kid == base64url::encode(&key.thumbprint)
        || kid.eq_ignore_ascii_case(&hex::encode(key.thumbprint))
}
