//! A token as it comes: compact JWS (RFC 7515 section 7.1), and no other form.
//!
//! Whatever in a header could choose a key or change how it is verified is refused,
//! not ignored: who sends `jwk` or `crit` expects it to have an effect. `alg` chooses
//! nothing either: it must be one of those the verifier was configured with, and go
//! with the key that `kid` finds among the issuer's own.

use keyreeve_publickey::{Input, PublicKey};
use keyreeve_types::SignatureAlgorithm;

use crate::{Json, Refusal, base64url};

/// Longest token, in bytes. What is longer does not fit into the headers of a request.
pub const MAX_TOKEN: usize = 15 * 1024;
/// Longest `kid`, in bytes.
const MAX_KID: usize = 512;

/// Members of a header that are refused.
const REFUSED: [&str; 11] =
    ["crit", "b64", "jwk", "jku", "x5u", "x5c", "zip", "enc", "cty", "epk", "apu"];

/// Types of token (RFC 8725 section 3.11) that may be presented; absent is one, too.
const TYPES: [&str; 3] = ["jwt", "at+jwt", "client-authentication+jwt"];

/// A token that was taken apart, and of which nothing is proven.
#[derive(Debug)]
pub struct Token<'t> {
    head: Head<'t>,
    claims: Json,
}

/// A JWS whose payload was not looked at.
#[derive(Debug)]
struct Head<'t> {
    signed: &'t str,
    payload: &'t str,
    signature: Vec<u8>,
    algorithm: SignatureAlgorithm,
    kid: Option<String>,
    thumbprint: Option<String>,
}

impl<'t> Token<'t> {
    /// Takes `text` apart.
    pub fn parse(text: &'t str) -> Result<Self, Refusal> {
        let head = Head::parse(text)?;
        let claims = object(head.payload)?;
        Ok(Self { head, claims })
    }

    /// Which key it claims to be signed with. For a look-up among keys, nothing else.
    pub fn kid(&self) -> Option<&str> {
        self.head.kid.as_deref()
    }

    /// The SHA-256 thumbprint of the certificate it claims to be signed with, in base64url.
    pub(crate) fn thumbprint(&self) -> Option<&str> {
        self.head.thumbprint.as_deref()
    }

    /// Who it claims issued it. For choosing whom to ask, nothing else.
    pub fn claimed_issuer(&self) -> Option<&str> {
        self.claims.get("iss").and_then(Json::text)
    }

    /// What it claims. Means nothing before [`Token::verify`].
    pub(crate) fn unproven(&self) -> &Json {
        &self.claims
    }

    /// Verifies the signature with `key`, by one of `algorithms`, and gives out the claims.
    pub(crate) fn verify(
        self,
        key: &PublicKey,
        algorithms: &[SignatureAlgorithm],
    ) -> Result<Json, Refusal> {
        self.check(key, algorithms)?;
        Ok(self.claims)
    }

    pub(crate) fn check(
        &self,
        key: &PublicKey,
        algorithms: &[SignatureAlgorithm],
    ) -> Result<(), Refusal> {
        self.head.check(key, algorithms)
    }

    pub(crate) const fn algorithm(&self) -> SignatureAlgorithm {
        self.head.algorithm
    }
}

impl<'t> Head<'t> {
    fn parse(text: &'t str) -> Result<Self, Refusal> {
        if text.len() > MAX_TOKEN {
            return Err(Refusal::TooLong);
        }
        let (signed, signature) = text.rsplit_once('.').ok_or(Refusal::Malformed)?;
        let (header, payload) = signed.split_once('.').ok_or(Refusal::Malformed)?;
        let signature = base64url::decode(signature).ok_or(Refusal::Malformed)?;
        if signature.is_empty() || payload.contains('.') {
            return Err(Refusal::Malformed);
        }
        let header = object(header)?;
        if let Some(member) = REFUSED.into_iter().find(|name| header.get(name).is_some()) {
            return Err(Refusal::Header(member));
        }
        check_type(&header)?;
        let algorithm = header.get("alg").and_then(Json::text).ok_or(Refusal::Algorithm)?;
        let algorithm = algorithm.parse().map_err(|_| Refusal::Algorithm)?;
        let kid = optional_text(&header, "kid")?;
        let thumbprint = optional_text(&header, "x5t#S256")?;
        Ok(Self { signed, payload, signature, algorithm, kid, thumbprint })
    }

    fn check(&self, key: &PublicKey, algorithms: &[SignatureAlgorithm]) -> Result<(), Refusal> {
        if !algorithms.contains(&self.algorithm) || !verifies_tokens(self.algorithm) {
            return Err(Refusal::Algorithm);
        }
        let input = Input::new(self.algorithm, self.signed.as_bytes());
        match key.verify(self.algorithm, input.as_ref(), &self.signature) {
            Ok(true) => Ok(()),
            Ok(false) => Err(Refusal::Signature),
            Err(_) => Err(Refusal::Algorithm),
        }
    }
}

/// What is taken from an issuer or client whose algorithms are not configured: all
/// that [`verifies_tokens`].
pub fn default_algorithms() -> Vec<SignatureAlgorithm> {
    SignatureAlgorithm::ALL.into_iter().filter(|one| verifies_tokens(*one)).collect()
}

/// Whether tokens may be signed with `algorithm` at all: RS, PS, ES with a NIST curve,
/// EdDSA.
pub const fn verifies_tokens(algorithm: SignatureAlgorithm) -> bool {
    !matches!(algorithm, SignatureAlgorithm::Es256K | SignatureAlgorithm::MlDsa65)
}

fn object(segment: &str) -> Result<Json, Refusal> {
    let bytes = base64url::decode(segment).ok_or(Refusal::Malformed)?;
    match Json::parse(&bytes) {
        Ok(object @ Json::Object(_)) => Ok(object),
        _ => Err(Refusal::Malformed),
    }
}

fn check_type(header: &Json) -> Result<(), Refusal> {
    let Some(kind) = header.get("typ") else { return Ok(()) };
    let kind = kind.text().ok_or(Refusal::Header("typ"))?.to_ascii_lowercase();
    let kind = kind.strip_prefix("application/").unwrap_or(&kind);
    if TYPES.contains(&kind) { Ok(()) } else { Err(Refusal::Header("typ")) }
}

fn optional_text(header: &Json, name: &'static str) -> Result<Option<String>, Refusal> {
    match header.get(name) {
        None => Ok(None),
        Some(Json::Text(text)) if text.len() <= MAX_KID => Ok(Some(text.clone())),
        Some(_) => Err(Refusal::Header(name)),
    }
}

#[cfg(test)]
mod wycheproof;
