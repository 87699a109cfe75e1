//! Tokens, key sets and client assertions, as strangers send them.
//!
//! A token that is accepted is one that was signed, byte for byte: whatever is changed in
//! it, somebody else would have said it.

use std::sync::{Arc, LazyLock};

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyreeve_identity::{
    ClientKey, Issuer, IssuerSettings, KeySet, Preset, Token, claimed_client, default_algorithms,
    verify_assertion,
};
use keyreeve_publickey::PublicKey;
use keyreeve_types::UnixTime;

use super::Target;

pub(super) const ASSERTION: Target =
    Target { name: "client_assertion", max_len: 1024, seeds: assertions, run: assertion };
pub(super) const KEYS: Target = Target { name: "key_set", max_len: 2048, seeds: sets, run: set };
pub(super) const TOKEN: Target = Target { name: "token", max_len: 1024, seeds: tokens, run: token };

const NOW: UnixTime = UnixTime(1_800_000_000);
const ENDPOINT: &str = "https://kr.example/oauth2/token";

static KEY: LazyLock<Ed25519KeyPair> =
    LazyLock::new(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("any seed is one"));

fn signed(claims: &str) -> Vec<u8> {
    let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
    let header = br#"{"alg":"EdDSA","kid":"k","typ":"JWT"}"#;
    let signed = format!("{}.{}", encode(header), encode(claims.as_bytes()));
    let signature = KEY.sign(signed.as_bytes());
    format!("{signed}.{}", encode(signature.as_ref())).into_bytes()
}

fn tokens() -> Vec<Vec<u8>> {
    let groups = r#""groups":["a","b"],"nbf":1700000000,"iat":1700000000,"#;
    let claims = |more: &str, aud: &str| {
        signed(&format!(
            r#"{{{more}"iss":"https://i.example","sub":"alice","aud":{aud},"exp":1900000000}}"#
        ))
    };
    vec![claims("", r#""kr""#), claims(groups, r#"["x","kr"]"#)]
}

fn token(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(parsed) = Token::parse(text) else { return };
    let issuer = Issuer::new(IssuerSettings {
        name: Arc::from("idp"),
        url: "https://i.example".to_owned(),
        audiences: vec!["kr".to_owned()],
        algorithms: default_algorithms(),
        leeway: 0,
        mapping: Preset::Keycloak.mapping(),
    });
    let keys = KeySet::parse(&sets()[0]).expect("a set");
    let accepted = issuer.verify(&keys, parsed, NOW).is_ok();
    assert!(!accepted || tokens().iter().any(|seed| seed == input), "{text}");
}

fn assertions() -> Vec<Vec<u8>> {
    vec![signed(&format!(
        r#"{{"iss":"c","sub":"c","aud":"{ENDPOINT}","jti":"1","exp":{}}}"#,
        NOW.0 + 300
    ))]
}

fn assertion(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(parsed) = Token::parse(text) else { return };
    let Some(client) = claimed_client(&parsed).map(str::to_owned) else { return };
    let key = PublicKey::from_ed25519(KEY.public_key().as_ref()).expect("a key");
    let keys = [ClientKey { id: "k", thumbprint: [1; 32], key: &key }];
    let accepted = verify_assertion(parsed, &client, &keys, &[ENDPOINT], NOW).is_ok();
    assert!(!accepted || assertions().iter().any(|seed| seed == input), "{text}");
}

fn sets() -> Vec<Vec<u8>> {
    let x = URL_SAFE_NO_PAD.encode(KEY.public_key().as_ref());
    let okp = format!(r#"{{"kty":"OKP","crv":"Ed25519","kid":"k","use":"sig","x":"{x}"}}"#);
    let ec = r#"{"kty":"EC","crv":"P-256","kid":"e","alg":"ES256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
    vec![format!(r#"{{"keys":[{okp}]}}"#).into(), format!(r#"{{"keys":[{okp},{ec}]}}"#).into()]
}

fn set(input: &[u8]) {
    let Ok(set) = KeySet::parse(input) else { return };
    assert!(set.len() + set.left_out() <= 128);
    assert!(set.same_keys(&KeySet::parse(input).expect("it was one")));
}
