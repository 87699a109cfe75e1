//! Which keys of a set are taken.

use keyreeve_identity::{BadKeySet, KeySet};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::signer::Signer;

fn taken(keys: &[Value]) -> usize {
    let set = KeySet::parse(json!({ "keys": keys }).to_string().as_bytes()).expect("a set");
    assert_eq!(set.len() + set.left_out(), keys.len());
    set.len()
}

/// Guards against keys in a set that were never meant to sign tokens.
#[test]
fn only_keys_that_may_sign_tokens_are_taken() {
    let good = Signer::new("ES256", "a", 0).jwk();
    let with = |name: &str, value: Value| {
        let mut jwk = good.clone();
        jwk[name] = value;
        jwk
    };
    assert_eq!(taken(std::slice::from_ref(&good)), 1);
    assert_eq!(taken(&[with("alg", json!("ES256")), with("kid", json!("b"))]), 2);
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!(1)),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!("verify")),
        ("alg", json!("HS256")),
        ("alg", json!("RS256")),
        ("alg", json!("none")),
        ("alg", json!(null)),
        ("kid", json!(1)),
        ("kty", json!("oct")),
        ("crv", json!("secp256k1")),
        ("x", json!("AAAA")),
        ("d", json!("AAAA")),
        ("k", json!("AAAA")),
    ] {
        assert_eq!(taken(&[with(name, value.clone())]), 0, "{name} {value}");
    }
}

/// Guards against a guess which of two keys was meant.
#[test]
fn a_kid_that_comes_twice_is_nobodys() {
    let [one, two, three] = ["a", "a", "b"].map(|kid| Signer::new("EdDSA", kid, 0).jwk());
    assert_eq!(taken(&[one, two, three]), 1);
}

/// Guards against a set that is too large to be one, and a document that is none.
#[test]
fn a_set_is_an_object_with_a_list_of_objects() {
    let parse = |text: &str| KeySet::parse(text.as_bytes()).err();
    for bad in ["", "[]", "{}", r#"{"keys":{}}"#, r#"{"keys":[1]}"#, r#"{"keys":[],"keys":[]}"#] {
        assert_eq!(parse(bad), Some(BadKeySet::Malformed), "{bad}");
    }
    assert_eq!(parse(r#"{"keys":[]}"#), None);
    let many = json!({"keys": vec![json!({}); 129]}).to_string();
    assert_eq!(parse(&many), Some(BadKeySet::TooLarge));
    assert_eq!(parse(&" ".repeat(KeySet::MAX_LEN + 1)), Some(BadKeySet::TooLarge));
}

proptest! {
    /// Guards against a panic on whatever an issuer, or who poses as one, answers.
    #[test]
    fn a_damaged_set_never_panics(at in 0usize..200, to in any::<u8>()) {
        let key = r#"{"kty":"EC","crv":"P-256","kid":"a","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"}"#;
        let mut document = format!(r#"{{"keys":[{key}]}}"#).into_bytes();
        if let Some(byte) = document.get_mut(at) {
            *byte = to;
        }
        let _ = KeySet::parse(&document);
    }
}
