//! The public keys that verify what a vault, or one key, signed: a JWK set
//! (RFC 7517 section 5).
//!
//! It holds every version that may verify now or will: enabled, and allowed to
//! verify. A version that is not valid yet is in it, so that verifiers know it
//! before its first signature; one that has expired is in it, because what it
//! signed before stays valid. So the set changes with records and not with time,
//! and is made once for each snapshot.

use std::{fmt::Write as _, sync::Arc};

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;
use keyreeve_publickey::digest;
use keyreeve_types::{Digest, KeyOps, Operation, SignatureAlgorithm};
use serde_json::{Value, json};

use crate::{
    Caller, Error, KeyVersion, Service,
    gate::Ask,
    name::{KeyName, VaultName},
    registry,
};

/// Whose keys a set holds.
#[derive(Clone, Copy)]
pub enum JwksOf<'a> {
    /// Those of all keys of a vault.
    Vault(VaultName<'a>),
    /// Those of one key.
    Key(KeyName<'a>),
}

/// A JWK set.
#[derive(Debug)]
pub struct Jwks {
    json: String,
    etag: String,
}

impl Jwks {
    /// The set, as JSON.
    pub fn json(&self) -> &str {
        &self.json
    }

    /// Changes when the set changes: 32 hex digits, without quotes.
    pub fn etag(&self) -> &str {
        &self.etag
    }

    fn new<'v>(versions: impl Iterator<Item = &'v Arc<KeyVersion>>) -> Self {
        let keys: Vec<Value> = versions.filter_map(|version| jwk(version)).collect();
        let json = json!({ "keys": keys }).to_string();
        let mut etag = String::with_capacity(32);
        for byte in &digest(Digest::Sha256, json.as_bytes()).as_ref()[..16] {
            // Writing to a string cannot fail.
            let _ = write!(etag, "{byte:02x}");
        }
        Self { json, etag }
    }
}

impl Service {
    /// The JWK set of a vault or key. Public keys are for whoever asks, from where the
    /// vault can be reached.
    pub async fn get_jwks(
        &self,
        caller: &Caller,
        of: JwksOf<'_>,
        deadline: Deadline,
    ) -> Result<Arc<Jwks>, Error> {
        let resource = match of {
            JwksOf::Vault(vault) => vault.resource(),
            JwksOf::Key(key) => key.resource(),
        };
        let ask = Ask::Public(Action::GetJwks, resource);
        self.run(caller, ask, deadline, move |_permit| async move {
            let now = self.shared().registry.now();
            Ok(Arc::clone(match of {
                JwksOf::Vault(name) => {
                    let entry = registry::entry(&now, name)?;
                    entry.jwks.get_or_init(|| {
                        let keys = entry.keys.values();
                        Arc::new(Jwks::new(keys.flat_map(|key| key.versions_from(0))))
                    })
                }
                JwksOf::Key(name) => {
                    let key = registry::key(&now, name)?;
                    key.jwks.get_or_init(|| Arc::new(Jwks::new(key.versions_from(0))))
                }
            }))
        })
        .await
    }
}

/// The version as a member of a set, if it belongs there.
fn jwk(version: &KeyVersion) -> Option<Value> {
    let policy = version.policy();
    let public = version.public()?;
    if !policy.enabled || !policy.ops.contains(Operation::Verify) {
        return None;
    }
    let mut jwk = public.jwk(version.kid(), KeyOps::NONE);
    jwk["use"] = "sig".into();
    let mut algorithms = SignatureAlgorithm::ALL.iter().filter(|a| a.fits(version.spec()));
    if let (Some(only), None) = (algorithms.next(), algorithms.next()) {
        jwk["alg"] = only.name().into();
    }
    Some(jwk)
}
