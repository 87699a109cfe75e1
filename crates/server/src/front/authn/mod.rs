//! Who calls: the one place that proves it.
//!
//! There are two schemes, asked in this order: a bearer token (RFC 6750), which one of
//! the configuration, one that Keyreeve issued or a JWT of a configured issuer can be;
//! and the certificate of the connection. Each ends in one of three ways, which are
//! never mixed up: nothing was presented, something was presented and proven, something
//! was presented and failed. What fails is never treated as if it had not been there,
//! and the next scheme is not asked.
//!
//! Where what decides is missing, such as the keys of an issuer, the answer is a
//! refusal. This module refuses to decide what a caller may do.

mod bearer;
mod certificate;
mod configured;
mod fetch;
mod issuers;
mod key_source;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, header::AUTHORIZATION};
use keyreeve_identity::secret;
use keyreeve_service::{Clock, Identity, Shared, Source};

use super::attempts::{Attempts, address};
pub(crate) use certificate::{Certificates, Presented};
pub(crate) use configured::Tokens;
pub(crate) use issuers::{Issuers, Trouble};
pub(crate) use key_source::Pace;

/// Everything that proves who calls.
pub(crate) struct Authn {
    tokens: Tokens,
    certificates: Option<Certificates>,
    issuers: Arc<Issuers>,
    shared: Arc<Shared>,
    clock: Clock,
    attempts: Attempts,
}

/// Bearer tokens from one address that prove nobody, in a minute.
const FAILURES: u32 = 600;

/// What a request said about who sent it.
#[derive(Debug)]
pub(crate) enum Credential {
    /// Nothing.
    NotPresented,
    /// A credential that proves somebody.
    Proven(Arc<Identity>),
    /// Something that proves nobody.
    Failed,
    /// A token of an issuer whose keys are not here.
    NoKeys,
    /// Something that nobody looked at, because too much from there has failed, and how
    /// long that lasts.
    NotLookedAt(Duration),
}

/// How far a look at a request got.
#[derive(Debug)]
pub(crate) enum Attempt {
    /// To the end.
    Done(Credential),
    /// To a key that the issuer at this place may have by now.
    Refetch(usize),
}

impl Authn {
    pub(crate) fn new(
        tokens: Tokens,
        certificates: Option<Certificates>,
        issuers: Arc<Issuers>,
        shared: Arc<Shared>,
    ) -> Self {
        Self {
            tokens,
            certificates,
            issuers,
            shared,
            clock: Clock::system(),
            attempts: Attempts::new(FAILURES),
        }
    }

    /// Reads the credential of a request that came from `from` on a connection with
    /// `presented`.
    pub(crate) fn authenticate(
        &self,
        headers: &HeaderMap,
        presented: &Presented,
        from: &Source,
    ) -> Attempt {
        let mut values = headers.get_all(AUTHORIZATION).into_iter();
        if let Some(value) = values.next() {
            if values.next().is_some() {
                // Two credentials: whoever is in between may have read the other one.
                return Attempt::Done(Credential::Failed);
            }
            return match bearer::token(value.as_bytes()) {
                Some(token) => self.by_token(token, from),
                None => Attempt::Done(Credential::Failed),
            };
        }
        Attempt::Done(match presented {
            Presented::Nothing => Credential::NotPresented,
            Presented::Failed => Credential::Failed,
            Presented::Proven { identity, expires, chain } => {
                let lasts = self.clock.now().0 < expires.0;
                if lasts && self.certificates.as_ref().is_some_and(|c| c.still_take(chain)) {
                    Credential::Proven(Arc::clone(identity))
                } else {
                    Credential::Failed
                }
            }
        })
    }

    /// The same once more, after the issuer at `issuer` was asked for its keys.
    pub(crate) async fn again(
        &self,
        issuer: usize,
        headers: &HeaderMap,
        presented: &Presented,
        from: &Source,
    ) -> Credential {
        self.issuers.refetched(issuer).await;
        match self.authenticate(headers, presented, from) {
            Attempt::Done(credential) => credential,
            Attempt::Refetch(issuer) if self.issuers.has_keys(issuer) => Credential::Failed,
            Attempt::Refetch(_) => Credential::NoKeys,
        }
    }

    /// Who is at the other end, by the certificates of the handshake.
    pub(crate) fn present(
        &self,
        chain: Option<&[rustls_pki_types::CertificateDer<'_>]>,
    ) -> Presented {
        let chain = chain.unwrap_or_default();
        match (&self.certificates, chain.first()) {
            (Some(certificates), Some(leaf)) => certificates.present(leaf, chain, self.clock.now()),
            (_, None) => Presented::Nothing,
            // None was asked for, so rustls lets none through.
            (None, Some(_)) => Presented::Failed,
        }
    }

    fn by_token(&self, token: &str, from: &Source) -> Attempt {
        let hash = secret::hash(token.as_bytes());
        let now = self.clock.now();
        let known = self.tokens.find(&hash).or_else(|| self.shared.prove_token(&hash));
        if let Some(identity) = known.or_else(|| self.issuers.proven(&hash, now)) {
            return Attempt::Done(Credential::Proven(identity));
        }
        let address = address(from);
        if let Some(wait) = self.attempts.wait(address, Instant::now()) {
            return Attempt::Done(Credential::NotLookedAt(wait));
        }
        match self.issuers.prove(token, hash, now) {
            Ok(identity) => Attempt::Done(Credential::Proven(identity)),
            Err(Trouble::Refetch(issuer)) => Attempt::Refetch(issuer),
            Err(Trouble::Refused(refusal)) => {
                self.attempts.failed(address, Instant::now());
                tracing::debug!(why = refusal.reason(), "a bearer token proves nobody");
                Attempt::Done(Credential::Failed)
            }
        }
    }
}

impl Credential {
    /// What to tell a caller who needs to be known and is not. Never says what was
    /// presented, nor why it failed: the log says that.
    pub(crate) fn message(&self) -> &'static str {
        match self {
            Self::NotPresented => {
                "this call needs a token: send the header `authorization: Bearer TOKEN`; the \
                 command line and the SDK take it from KEYREEVE_TOKEN"
            }
            Self::Failed => {
                "the credential proves nobody to this service: check that KEYREEVE_TOKEN is \
                 complete, belongs to this service and has not ended or been revoked, or that the \
                 certificate is one that is configured"
            }
            Self::NoKeys => {
                "the keys of the token's issuer cannot be had at the moment, so the token cannot \
                 be verified; try again"
            }
            Self::NotLookedAt(_) => {
                "too many credentials from this address proved nobody; wait a minute, and check \
                 KEYREEVE_TOKEN"
            }
            // Nobody who is proven is told this.
            Self::Proven(_) => "",
        }
    }
}

#[cfg(test)]
pub(in crate::front) mod tests;
