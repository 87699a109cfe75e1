//! Two issuers whose keys have the same names, and what is accepted of them.

use std::sync::Arc;

use keyreeve_authz::Subject;
use keyreeve_identity::{
    Issuer, IssuerSettings, KeySet, Preset, Refusal, Token, default_algorithms,
};
use keyreeve_types::UnixTime;
use serde_json::json;

use crate::signer::{ALGORITHMS, Signer};

pub(crate) const NOW: UnixTime = UnixTime(1_800_000_000);
pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const OTHER: &str = "https://other.example";
pub(crate) const AUDIENCE: &str = "https://keyreeve.example";

/// Issuers, their signers and their keys.
pub(crate) struct World {
    pub(crate) issuers: [Issuer; 2],
    pub(crate) keys: [KeySet; 2],
    /// Those of the first issuer, and those of the second, who trusts them less: it
    /// may use EdDSA alone.
    pub(crate) signers: [Vec<Signer>; 2],
}

impl World {
    pub(crate) fn new() -> Self {
        let signers = [0, 1].map(|whose| {
            let make = |one: &&'static str| Signer::new(one, &format!("k-{one}"), whose);
            ALGORITHMS.iter().map(make).collect::<Vec<_>>()
        });
        let keys = [0, 1].map(|whose| key_set(&signers[whose]));
        let eddsa = vec!["EdDSA".parse().expect("an algorithm")];
        let issuers =
            [issuer("first", ISSUER, default_algorithms()), issuer("second", OTHER, eddsa)];
        Self { issuers, keys, signers }
    }

    /// What a server does with a token: choose the issuer by what it claims, verify.
    pub(crate) fn verify(&self, token: &str) -> Result<Subject, Refusal> {
        let token = Token::parse(token)?;
        let claimed = token.claimed_issuer().ok_or(Refusal::Issuer)?;
        let which = self.issuers.iter().position(|issuer| issuer.url() == claimed);
        let which = which.ok_or(Refusal::UnknownIssuer)?;
        self.issuers[which].verify(&self.keys[which], token, NOW).map(|(subject, _)| subject)
    }
}

pub(crate) fn issuer(
    name: &str,
    url: &str,
    algorithms: Vec<keyreeve_types::SignatureAlgorithm>,
) -> Issuer {
    Issuer::new(IssuerSettings {
        name: Arc::from(name),
        url: url.to_owned(),
        audiences: vec![AUDIENCE.to_owned()],
        algorithms,
        leeway: 60,
        mapping: Preset::Kubernetes.mapping(),
    })
}

pub(crate) fn key_set(signers: &[Signer]) -> KeySet {
    let keys: Vec<_> = signers.iter().map(Signer::jwk).collect();
    KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).expect("a key set")
}

/// Claims that are in order.
pub(crate) fn claims(issuer: &str) -> String {
    format!(
        r#"{{"iss":"{issuer}","sub":"alice","aud":"{AUDIENCE}","exp":{},"nbf":{},"iat":{}}}"#,
        NOW.0 + 600,
        NOW.0 - 10,
        NOW.0 - 10
    )
}
