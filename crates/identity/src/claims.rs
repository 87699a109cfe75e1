//! The claims of a token whose signature was verified.
//!
//! A claim that is there and has another type than it should have refuses the token. It
//! never counts as absent: `"exp":"1700000000"` would then never expire.

use std::slice;

use keyreeve_types::UnixTime;

use crate::{Json, Refusal};

/// Latest time that is taken for one: the year 9999.
const LAST: i64 = 253_402_300_799;
/// Most audiences of a token.
const MAX_AUDIENCES: usize = 32;
/// Longest `sub` and `jti`, in bytes.
const MAX_TEXT: usize = 2048;

/// What a token says, once it is known who says it.
#[derive(Debug, Clone)]
pub struct Claims {
    claims: Json,
    expires: UnixTime,
}

impl Claims {
    /// Checks issuer, audience and times. `leeway` in seconds is what clocks may differ.
    pub(crate) fn check(
        claims: Json,
        issuer: &str,
        audiences: &[&str],
        leeway: i64,
        now: UnixTime,
    ) -> Result<Self, Refusal> {
        if claims.get("iss").and_then(Json::text) != Some(issuer) {
            return Err(Refusal::Issuer);
        }
        check_audience(claims.get("aud"), audiences)?;
        let expires = time(&claims, "exp").map_err(|()| Refusal::Expired)?;
        let expires = expires.ok_or(Refusal::Expired)?;
        if now.0 >= expires + leeway {
            return Err(Refusal::Expired);
        }
        for name in ["nbf", "iat"] {
            let from = time(&claims, name).map_err(|()| Refusal::NotYetValid)?;
            if from.is_some_and(|from| now.0 + leeway < from) {
                return Err(Refusal::NotYetValid);
            }
        }
        Ok(Self { claims, expires: UnixTime(expires + leeway) })
    }

    /// From when on it is refused, leeway included.
    pub fn expires(&self) -> UnixTime {
        self.expires
    }

    /// `sub`, which every token has.
    pub fn subject(&self) -> Result<&str, Refusal> {
        self.text("sub")?.ok_or(Refusal::Subject)
    }

    /// `jti`, if there is one.
    pub fn id(&self) -> Result<Option<&str>, Refusal> {
        self.text("jti")
    }

    /// Whether `audience` is in its `aud`.
    pub fn is_for(&self, audience: &str) -> bool {
        match self.claims.get("aud") {
            Some(Json::Text(text)) => text == audience,
            Some(Json::List(list)) => list.iter().any(|one| one.text() == Some(audience)),
            _ => false,
        }
    }

    /// All of them.
    pub fn json(&self) -> &Json {
        &self.claims
    }

    fn text(&self, name: &str) -> Result<Option<&str>, Refusal> {
        match self.claims.get(name) {
            None => Ok(None),
            Some(Json::Text(text)) if !text.is_empty() && text.len() <= MAX_TEXT => Ok(Some(text)),
            Some(_) => Err(Refusal::Claim),
        }
    }
}

/// One of `ours` must be in it: a text, or a list of texts.
fn check_audience(audience: Option<&Json>, ours: &[&str]) -> Result<(), Refusal> {
    let list = match audience {
        Some(one @ Json::Text(_)) => slice::from_ref(one),
        Some(Json::List(list)) if list.len() <= MAX_AUDIENCES => list,
        _ => return Err(Refusal::Audience),
    };
    let mut meant = false;
    for one in list {
        meant |= ours.contains(&one.text().ok_or(Refusal::Audience)?);
    }
    if meant { Ok(()) } else { Err(Refusal::Audience) }
}

/// A NumericDate (RFC 7519 section 2) in whole seconds. Fractions are refused: none of
/// the known issuers writes one.
fn time(claims: &Json, name: &str) -> Result<Option<i64>, ()> {
    match claims.get(name) {
        None => Ok(None),
        Some(Json::Integer(seconds)) if (0..=LAST).contains(seconds) => Ok(Some(*seconds)),
        Some(_) => Err(()),
    }
}
