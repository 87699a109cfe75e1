//! Prove a client to the token endpoint: by its secret, by an assertion it signed, or
//! by a token of another issuer.
//!
//! Whatever fails, the answer is the same: a caller does not learn whether there is such
//! a client, whether it is disabled, or how close a guess was. An unknown client costs
//! what a known one costs, a hash.

use std::sync::Arc;

use keyreeve_audit::record::{Credential, Id, Method};
use keyreeve_identity::{ClientKey, Refusal, Replays, Token, secret, verify_assertion};
use keyreeve_types::UnixTime;

use crate::{Account, Identity, Shared};

/// What a client presents.
pub enum ClientProof<'a> {
    /// A client secret.
    Secret(&'a [u8]),
    /// An assertion that the client signed for one of `endpoints`.
    Assertion {
        /// The assertion.
        token: Token<'a>,
        /// What its `aud` may be.
        endpoints: &'a [&'a str],
        /// Those that were presented before.
        replays: &'a Replays,
    },
    /// What a verified token of a configured issuer says: the `iss`, the `sub`, and an
    /// audience it was verified for.
    Federated {
        /// The token's `iss`.
        issuer: &'a str,
        /// Its `sub`.
        subject: &'a str,
        /// The audience.
        audience: &'a str,
    },
}

/// Why a client is not proven. For the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotProven {
    /// There is no such client, or it is disabled.
    NoClient,
    /// Nothing of the client's matches what was presented.
    NoMatch,
    /// The assertion was refused.
    Refused(Refusal),
}

impl Shared {
    /// The client `id`, if there is one and it is enabled. For finding out what could
    /// prove it.
    pub fn client(&self, id: &str) -> Option<Arc<Account>> {
        let people = self.directory.now();
        let account = people.accounts.get(id.to_ascii_lowercase().as_str())?;
        account.enabled().then(|| Arc::clone(account))
    }

    /// Proves that whoever presents `proof` is the client `id`.
    pub fn prove_client(
        &self,
        id: &str,
        proof: ClientProof<'_>,
    ) -> Result<Arc<Identity>, NotProven> {
        let now = self.clock.now();
        let account = self.client(id);
        let (method, used) = match proof {
            ClientProof::Secret(presented) => {
                let hash = secret::hash(presented);
                let account = account.as_ref().ok_or(NotProven::NoClient)?;
                let used = by_secret(account, &hash, now).ok_or(NotProven::NoMatch)?;
                (Method::ClientSecret, used)
            }
            ClientProof::Assertion { token, endpoints, replays } => {
                let account = account.as_ref().ok_or(NotProven::NoClient)?;
                let used = by_assertion(account, token, endpoints, replays, now);
                (Method::ClientAssertion, used.map_err(NotProven::Refused)?)
            }
            ClientProof::Federated { issuer, subject, audience } => {
                let account = account.as_ref().ok_or(NotProven::NoClient)?;
                let found = account.federated().iter().find(|one| {
                    one.issuer == issuer && one.subject == subject && one.audience == audience
                });
                let used = found.map(|one| one.id.clone()).ok_or(NotProven::NoMatch)?;
                (Method::Federated, used)
            }
        };
        let account = account.ok_or(NotProven::NoClient)?;
        let credential = u128::from_str_radix(&used, 16).ok();
        let credential = credential.map(|id| Credential::assigned(Id(id.to_be_bytes())));
        let subject = account.subject().clone();
        Ok(Arc::new(Identity::proven(subject, method, credential)))
    }
}

/// Which secret it is. All of them are compared, each in constant time.
fn by_secret(account: &Account, hash: &[u8; 32], now: UnixTime) -> Option<String> {
    let mut found = None;
    for known in account.secrets() {
        if secret::same(&known.sha256, hash) && now.0 < known.expires.0 {
            found = Some(known.id.clone());
        }
    }
    found
}

fn by_assertion(
    account: &Account,
    token: Token<'_>,
    endpoints: &[&str],
    replays: &Replays,
    now: UnixTime,
) -> Result<String, Refusal> {
    let lasting = account.certificates().iter().filter(|one| now.0 < one.expires.0);
    let keys: Vec<_> = lasting
        .map(|one| ClientKey { id: &one.id, thumbprint: one.thumbprint, key: &one.key })
        .collect();
    let assertion = verify_assertion(token, account.id(), &keys, endpoints, now)?;
    replays.take(account.id(), &assertion.id, assertion.expires, now)?;
    Ok(keys[assertion.key].id.to_owned())
}
