//! JWTs of configured issuers: each verified once, and then known until it ends.

use std::sync::Arc;

use keyreeve_identity::{Claims, Issuer, Refusal, Token, Verified};
use keyreeve_service::{Credential, Identity, Method};
use keyreeve_types::UnixTime;

use super::key_source::{KeySource, Pace};
use crate::config::IssuerConfig;

/// Most verified tokens that are remembered.
const REMEMBERED: usize = 16 * 1024;

/// The issuers, and what their tokens have proven.
pub(crate) struct Issuers {
    list: Vec<Configured>,
    verified: Verified<Proven>,
}

struct Configured {
    issuer: Issuer,
    source: KeySource,
}

#[derive(Debug)]
struct Proven {
    identity: Arc<Identity>,
    /// The place of the issuer.
    issuer: usize,
}

/// Why a token proves nobody, or not yet.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// It never will.
    Refused(Refusal),
    /// The issuer at this place may have its key by now.
    Refetch(usize),
}

impl Issuers {
    /// Reads what the issuers need from the system: to be made before its files are out
    /// of reach.
    pub(crate) fn new(configs: &[IssuerConfig], pace: Pace) -> Result<Self, String> {
        let list = configs.iter().map(|config| {
            let named = |why| format!("issuer `{}`: {why}", config.name);
            let issuer = config.issuer().map_err(|(field, why)| named(format!("{field} {why}")))?;
            Ok(Configured { issuer, source: KeySource::new(config, pace).map_err(named)? })
        });
        let list = list.collect::<Result<_, String>>()?;
        Ok(Self { list, verified: Verified::new(REMEMBERED) })
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Keeps the keys of all issuers. Never ends.
    pub(crate) async fn keep(self: Arc<Self>) {
        let mut keeping = tokio::task::JoinSet::new();
        for place in 0..self.list.len() {
            let issuers = Arc::clone(&self);
            keeping.spawn(async move { issuers.list[place].source.keep().await });
        }
        keeping.join_all().await;
    }

    /// Whom the bearer token with this hash was found to prove, not long ago.
    pub(super) fn proven(&self, hash: &[u8; 32], now: UnixTime) -> Option<Arc<Identity>> {
        let generation = |proven: &Proven| self.list[proven.issuer].source.generation();
        self.verified.get(hash, now, generation).map(|proven| Arc::clone(&proven.identity))
    }

    /// Whom a bearer token proves that is verified now.
    pub(super) fn prove(
        &self,
        token: &str,
        hash: [u8; 32],
        now: UnixTime,
    ) -> Result<Arc<Identity>, Trouble> {
        if self.list.is_empty() {
            return Err(Trouble::Refused(Refusal::UnknownIssuer));
        }
        let parsed = Token::parse(token).map_err(Trouble::Refused)?;
        let place = self.place(&parsed).map_err(Trouble::Refused)?;
        let Configured { issuer, source } = &self.list[place];
        let keys = source.keys().ok_or(Trouble::Refetch(place))?;
        let verified = issuer.verify(&keys.set, parsed, now);
        let (subject, claims) = verified.map_err(|refusal| trouble(refusal, place))?;
        // A token that names itself is known by that name in the issuer's own log.
        let id = claims.id().map_err(Trouble::Refused)?.unwrap_or(token);
        let credential = Some(Credential::fingerprint_of(id.as_bytes()));
        let identity = Arc::new(Identity::proven(subject, Method::Oidc, credential));
        let proven = Arc::new(Proven { identity: Arc::clone(&identity), issuer: place });
        self.verified.enter(hash, proven, claims.expires(), keys.generation, now);
        Ok(identity)
    }

    /// What a token for one of `audiences` claims, once it is verified.
    pub(crate) fn claims(
        &self,
        token: Token<'_>,
        audiences: &[&str],
        now: UnixTime,
    ) -> Result<Claims, Trouble> {
        let place = self.place(&token).map_err(Trouble::Refused)?;
        let Configured { issuer, source } = &self.list[place];
        let keys = source.keys().ok_or(Trouble::Refetch(place))?;
        let claims = issuer.verify_for(&keys.set, token, audiences, now);
        claims.map_err(|refusal| trouble(refusal, place))
    }

    /// Whether keys of the issuer at `place` are here.
    pub(crate) fn has_keys(&self, place: usize) -> bool {
        self.list.get(place).is_some_and(|one| one.source.keys().is_some())
    }

    /// Has the keys of the issuer at `place` fetched, if that has not just been done.
    pub(crate) async fn refetched(&self, place: usize) {
        if let Some(one) = self.list.get(place) {
            one.source.refetched().await;
        }
    }

    fn place(&self, token: &Token<'_>) -> Result<usize, Refusal> {
        let claimed = token.claimed_issuer().ok_or(Refusal::Issuer)?;
        let place = self.list.iter().position(|one| one.issuer.url() == claimed);
        place.ok_or(Refusal::UnknownIssuer)
    }
}

fn trouble(refusal: Refusal, place: usize) -> Trouble {
    match refusal {
        Refusal::UnknownKey => Trouble::Refetch(place),
        refusal => Trouble::Refused(refusal),
    }
}
