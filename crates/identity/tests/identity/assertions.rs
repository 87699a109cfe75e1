//! Client assertions: a client proves itself to our token endpoint and to no other.

use keyreeve_identity::{Assertion, ClientKey, Refusal, Token, claimed_client, verify_assertion};
use keyreeve_publickey::PublicKey;
use serde_json::{Value, json};

use crate::{
    signer::{Signer, encode, sha256},
    world::NOW,
};

const CLIENT: &str = "11111111-2222-3333-4444-555555555555";
const ENDPOINT: &str = "https://keyreeve.example/oauth2/token";

fn public(signer: &Signer) -> PublicKey {
    PublicKey::from_ec_point(keyreeve_types::Curve::P256, &signer.public_bytes()).expect("a key")
}

fn claims() -> Value {
    json!({
        "iss": CLIENT, "sub": CLIENT, "aud": ENDPOINT, "jti": "j1",
        "exp": NOW.0 + 600, "nbf": NOW.0, "iat": NOW.0,
    })
}

fn verify(signer: &Signer, header: &Value, claims: &Value) -> Result<Assertion, Refusal> {
    // Two registered keys: the one asked about, and one that somebody else holds.
    let (known, other) = (known(), Signer::new("ES256", "x", 0));
    let (one, two) = (public(&other), public(known));
    let keys = [
        ClientKey { id: "k0", thumbprint: sha256(b"certificate 0"), key: &one },
        ClientKey { id: "k1", thumbprint: sha256(b"certificate 1"), key: &two },
    ];
    let token = signer.sign(header.to_string().as_bytes(), claims.to_string().as_bytes());
    let token = Token::parse(&token)?;
    let client = claimed_client(&token).ok_or(Refusal::Issuer)?.to_owned();
    if client != CLIENT {
        return Err(Refusal::Issuer);
    }
    verify_assertion(token, CLIENT, &keys, &[ENDPOINT, "https://kr/x/oauth2/v2.0/token"], NOW)
}

fn known() -> &'static Signer {
    static KNOWN: std::sync::LazyLock<Signer> =
        std::sync::LazyLock::new(|| Signer::new("ES256", "k1", 0));
    &KNOWN
}

/// Guards against a client that cannot log in with what its library sends: a key id, a
/// thumbprint, or neither.
#[test]
fn a_registered_key_proves_the_client() {
    let thumbprint = encode(&sha256(b"certificate 1"));
    for header in [
        json!({"alg": "ES256", "kid": "k1"}),
        json!({"alg": "ES256", "kid": hex::encode(sha256(b"certificate 1")).to_uppercase()}),
        json!({"alg": "ES256", "x5t#S256": thumbprint, "typ": "JWT"}),
        json!({"alg": "ES256", "x5t": "c2hhMQ"}),
        json!({"alg": "ES256", "typ": "client-authentication+jwt"}),
    ] {
        let assertion = verify(known(), &header, &claims()).expect("an assertion");
        assert_eq!((assertion.key, assertion.id.as_str()), (1, "j1"), "{header}");
        assert!(assertion.expires.0 >= NOW.0 + 600);
    }
}

/// Guards against an assertion for another server, of another client, without an end or
/// without an id.
#[test]
fn what_is_not_the_clients_word_to_us_is_refused() {
    let header = json!({"alg": "ES256", "kid": "k1"});
    let changed = |name: &str, value: Value| {
        let mut all = claims();
        all[name] = value;
        all
    };
    for (name, value) in [
        ("aud", json!([ENDPOINT])),
        ("aud", json!([ENDPOINT, "https://evil.example/token"])),
        ("aud", json!("https://evil.example/token")),
        ("aud", json!(format!("{ENDPOINT}/"))),
        ("iss", json!("another")),
        ("sub", json!("another")),
        ("jti", json!(null)),
        ("jti", json!(1)),
        ("jti", json!("")),
        ("exp", json!(NOW.0 + 3600)),
        ("exp", json!(NOW.0 - 60)),
        ("exp", json!("never")),
        ("nbf", json!(NOW.0 + 100)),
    ] {
        assert!(verify(known(), &header, &changed(name, value.clone())).is_err(), "{name} {value}");
    }
    let thief = Signer::new("ES256", "k1", 0);
    assert_eq!(verify(&thief, &header, &claims()), Err(Refusal::Signature));
    let wrong = json!({"alg": "ES256", "kid": "k0"});
    assert_eq!(verify(known(), &wrong, &claims()), Err(Refusal::Signature));
    let unknown = json!({"alg": "ES256", "kid": "k9"});
    assert_eq!(verify(known(), &unknown, &claims()), Err(Refusal::UnknownKey));
}
