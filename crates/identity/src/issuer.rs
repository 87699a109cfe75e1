//! A configured issuer, and what its tokens prove.
//!
//! Which keys, which algorithms, which audience and which claim names the principal:
//! all of it is configured here, by who trusts the issuer. An issuer's keys verify
//! tokens of that issuer and of no other, whatever their `kid`.

use std::sync::Arc;

use keyreeve_authz::Subject;
use keyreeve_types::{SignatureAlgorithm, UnixTime};

use crate::{Claims, KeySet, Mapping, Refusal, Token};

/// An issuer whose tokens are taken.
#[derive(Debug, Clone)]
pub struct Issuer {
    settings: IssuerSettings,
}

/// What is configured about an issuer.
#[derive(Debug, Clone)]
pub struct IssuerSettings {
    /// What we call it. Principals carry this name.
    pub name: Arc<str>,
    /// Its `iss`, compared byte for byte.
    pub url: String,
    /// The audiences of tokens for us; one of them must be in `aud`.
    pub audiences: Vec<String>,
    /// What its tokens may be signed with.
    pub algorithms: Vec<SignatureAlgorithm>,
    /// How far clocks may differ, in seconds: 0 to [`Issuer::MAX_LEEWAY`].
    pub leeway: i64,
    /// Which claims say who it is.
    pub mapping: Mapping,
}

impl Issuer {
    /// Most seconds that clocks may differ.
    pub const MAX_LEEWAY: i64 = 300;

    /// An issuer of these settings. A leeway beyond the limit is brought down to it.
    pub fn new(mut settings: IssuerSettings) -> Self {
        settings.leeway = settings.leeway.clamp(0, Self::MAX_LEEWAY);
        Self { settings }
    }

    /// What we call it.
    pub fn name(&self) -> &Arc<str> {
        &self.settings.name
    }

    /// Its `iss`.
    pub fn url(&self) -> &str {
        &self.settings.url
    }

    /// Verifies a token for us: who presents it, and until when it may be believed.
    pub fn verify(
        &self,
        keys: &KeySet,
        token: Token<'_>,
        now: UnixTime,
    ) -> Result<(Subject, Claims), Refusal> {
        let audiences: Vec<&str> = self.settings.audiences.iter().map(String::as_str).collect();
        let claims = self.claims(keys, token, &audiences, now)?;
        let subject = self.settings.mapping.subject(&self.settings.name, &claims)?;
        Ok((subject, claims))
    }

    /// Verifies a token that was issued for one of `audiences`, as a federated credential
    /// names them. What its subject may do here is not this issuer's to say.
    pub fn verify_for(
        &self,
        keys: &KeySet,
        token: Token<'_>,
        audiences: &[&str],
        now: UnixTime,
    ) -> Result<Claims, Refusal> {
        self.claims(keys, token, audiences, now)
    }

    fn claims(
        &self,
        keys: &KeySet,
        token: Token<'_>,
        audiences: &[&str],
        now: UnixTime,
    ) -> Result<Claims, Refusal> {
        let settings = &self.settings;
        // Before anything is computed: a token of another issuer costs nothing here.
        if token.claimed_issuer() != Some(&settings.url) {
            return Err(Refusal::Issuer);
        }
        if !settings.algorithms.contains(&token.algorithm()) {
            return Err(Refusal::Algorithm);
        }
        let kid = token.kid().ok_or(Refusal::Header("no kid"))?;
        let (key, only) = keys.find(kid).ok_or(Refusal::UnknownKey)?;
        if only.is_some_and(|only| only != token.algorithm()) {
            return Err(Refusal::Algorithm);
        }
        let claims = token.verify(key, &settings.algorithms)?;
        Claims::check(claims, &settings.url, audiences, settings.leeway, now)
    }
}
