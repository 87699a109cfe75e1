//! JWTs and the key sets that verify them.

use keyreeve_service::{
    Kind,
    crypto::{Content, JwksOf, JwtAlgorithm, SignJwt, Verify},
    keys::{Changes, UpdateKey},
};
use keyreeve_types::{KeySpec, MacAlgorithm, SignatureAlgorithm};
use serde_json::Value;

use super::{Fixture, key, soon, vault, version_of};

fn decode(part: &str) -> Vec<u8> {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    URL_SAFE_NO_PAD.decode(part).expect("base64url")
}

/// Guards against a token that does not verify, or whose claims were rewritten.
#[tokio::test]
async fn a_jwt_verifies_and_says_what_was_said() {
    let it = Fixture::start().await;
    let made = it.key("jwt", KeySpec::EcP256).await;
    let claims = r#"{ "sub": "a",  "n": 1.0 }"#;
    let request = SignJwt {
        key: key("jwt"),
        algorithm: JwtAlgorithm::Signature(SignatureAlgorithm::Es256),
        claims,
        header: r#"{"cty":"x"}"#,
    };
    let signed = it.service.sign_jwt(&it.caller, request, soon()).await.expect("a token");
    let parts: Vec<&str> = signed.jwt.split('.').collect();
    let header: Value = serde_json::from_slice(&decode(parts[0])).expect("JSON");
    assert_eq!(header["alg"], "ES256");
    assert_eq!(header["typ"], "JWT");
    assert_eq!(header["cty"], "x");
    assert_eq!(header["kid"], made.id().to_string());
    assert_eq!(decode(parts[1]), claims.as_bytes());
    let text = &signed.jwt[..parts[0].len() + 1 + parts[1].len()];
    let verify = Verify {
        key: key("jwt"),
        algorithm: SignatureAlgorithm::Es256,
        content: Content::Message(text.as_bytes()),
        signature: &decode(parts[2]),
    };
    assert!(it.service.verify(&it.caller, verify, soon()).await.expect("an answer").valid);

    it.key("mac", KeySpec::Hmac256).await;
    let algorithm = JwtAlgorithm::Mac(MacAlgorithm::Hs256);
    let request = SignJwt { key: key("mac"), algorithm, claims, header: "" };
    let signed = it.service.sign_jwt(&it.caller, request, soon()).await.expect("a token");
    assert_eq!(decode(signed.jwt.rsplit('.').next().expect("a part")).len(), 32);

    for (claims, header) in [("[]", ""), (claims, r#"{"alg":"none"}"#)] {
        let request = SignJwt { claims, header, ..request };
        let refused = it.service.sign_jwt(&it.caller, request, soon()).await.err();
        assert!(matches!(refused.map(|e| e.kind()), Some(Kind::InvalidArgument { .. })));
    }
}

/// Guards against a set that shows a key nobody should trust, hides one that
/// verifies, or keeps its etag when it changes.
#[tokio::test]
async fn a_key_set_holds_what_may_verify() {
    let it = Fixture::start().await;
    let first = it.key("jwt", KeySpec::EcP256).await;
    it.key("rsa", KeySpec::Rsa2048).await;
    it.key("aes", KeySpec::Aes256).await;
    let read = async |of| it.service.get_jwks(&it.caller, of, soon()).await.expect("a set");
    let kids = |json: &str| -> Vec<String> {
        let set: Value = serde_json::from_str(json).expect("JSON");
        let keys = set["keys"].as_array().expect("keys");
        keys.iter().map(|k| k["kid"].as_str().expect("a kid").to_owned()).collect()
    };
    let before = read(JwksOf::Vault(vault("prod"))).await;
    assert_eq!(kids(before.json()).len(), 2, "the AES key is not in it");
    let set: Value = serde_json::from_str(before.json()).expect("JSON");
    assert_eq!((&set["keys"][0]["alg"], &set["keys"][0]["use"]), (&"ES256".into(), &"sig".into()));
    assert!(set["keys"][1].get("alg").is_none(), "RSA has several");
    assert!(set["keys"][0].get("d").is_none());

    let second = it.service.rotate_key(&it.caller, key("jwt"), soon()).await.expect("a version");
    let changes = Changes { enabled: Some(false), ..Changes::default() };
    let request = UpdateKey { key: version_of("jwt", &first), changes, etag: "" };
    it.service.update_key(&it.caller, request, soon()).await.expect("a change");
    let after = read(JwksOf::Key(key("jwt"))).await;
    assert_eq!(kids(after.json()), [second.id().to_string()]);
    assert_ne!(read(JwksOf::Vault(vault("prod"))).await.etag(), before.etag());
}
