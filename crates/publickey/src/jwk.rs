//! Public keys as JWK (RFC 7517, RFC 7518 section 6, RFC 8037; `AKP` of
//! draft-ietf-cose-dilithium for ML-DSA).

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyreeve_types::{KeyOps, KeySpec};
use serde_json::{Value, json};

use crate::{PublicKey, public_key::Parts};

impl PublicKey {
    /// The key as a JWK with `kid` and `key_ops`; without `key_ops` if `ops` is
    /// empty. Binary members are base64url without padding.
    ///
    /// `ops` is written as it is: who publishes a set for verifying passes verify
    /// alone.
    pub fn jwk(&self, kid: &str, ops: KeyOps) -> Value {
        let mut jwk = match &self.parts {
            Parts::Rsa(key) => json!({"n": base64(key.n()), "e": base64(key.e())}),
            Parts::Ec { point, .. } | Parts::Secp256k1 { point, .. } => {
                let (x, y) = point[1..].split_at((point.len() - 1) / 2);
                json!({"x": base64(x), "y": base64(y)})
            }
            Parts::Raw { bytes, .. } if self.spec == KeySpec::MlDsa65 => {
                json!({"alg": "ML-DSA-65", "pub": base64(bytes)})
            }
            Parts::Raw { bytes, .. } => json!({"x": base64(bytes)}),
        };
        jwk["kty"] = self.spec.key_type().name().into();
        jwk["kid"] = kid.into();
        if let Some(crv) = self.spec.crv() {
            jwk["crv"] = crv.into();
        }
        if !ops.is_empty() {
            jwk["key_ops"] = ops.iter().map(|op| op.name()).collect();
        }
        jwk
    }
}

fn base64(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use keyreeve_types::Operation;

    /// Guards against a JWK that differs from the one RFC 8037 appendix A.2 prints.
    #[test]
    fn an_ed25519_jwk_is_the_one_of_rfc_8037() {
        let x = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
        let bytes = URL_SAFE_NO_PAD.decode(x).expect("base64url");
        let key = PublicKey::from_ed25519(&bytes).expect("a valid key");
        let jwk = key.jwk("k1", KeyOps::of(&[Operation::Verify]));
        let expected =
            json!({"kty": "OKP", "crv": "Ed25519", "x": x, "kid": "k1", "key_ops": ["verify"]});
        assert_eq!(jwk, expected);
        assert!(key.jwk("k1", KeyOps::NONE).get("key_ops").is_none());
    }
}
