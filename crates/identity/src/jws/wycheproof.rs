//! The JWS vectors of Wycheproof. Their payloads are no claims, so it is the part before
//! the payload is read that they are held against: header, key, signature.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use wycheproof_ng_kdf_jose::json_web::{TestName, TestSet};

use super::{Head, default_algorithms};
use crate::{KeySet, Refusal};

/// As an issuer with `keys` and every algorithm verifies a token.
fn verify(keys: &KeySet, jws: &str) -> Result<(), Refusal> {
    let head = Head::parse(jws)?;
    let kid = head.kid.as_deref().ok_or(Refusal::Header("no kid"))?;
    let (key, only) = keys.find(kid).ok_or(Refusal::UnknownKey)?;
    if only.is_some_and(|only| only != head.algorithm) {
        return Err(Refusal::Algorithm);
    }
    head.check(key, &default_algorithms())
}

/// Guards against forgeries that others have made before: signatures of the wrong length
/// or encoding, algorithms that do not go with the key, keys that are for something else,
/// another serialization.
#[test]
fn forgeries_are_refused_and_what_is_ours_is_taken() {
    let set = TestSet::load(TestName::JsonWebSignature).expect("vectors");
    let (mut taken, mut refused) = (0, BTreeMap::<String, usize>::new());
    let mut forgeries = 0;
    for group in &set.test_groups {
        // Without a public half it is a MAC, with which nobody proves who they are.
        let public = group.public_key.clone();
        let keys = match public {
            Some(Value::Object(set)) if set.contains_key("keys") => Value::Object(set),
            Some(key) => json!({ "keys": [key] }),
            None => json!({ "keys": [group.private_key] }),
        };
        let keys = KeySet::parse(keys.to_string().as_bytes()).unwrap_or_default();
        for test in &group.tests {
            let jws = match &test.jws {
                Some(Value::String(text)) => text.clone(),
                Some(other) => other.to_string(),
                None => continue,
            };
            let outcome = verify(&keys, &jws);
            let shown = format!("{}: {} {}", test.tc_id, group.group_comment, test.comment);
            match (test.result.must_fail(), outcome) {
                (false, Ok(())) => taken += 1,
                (false, Err(why)) => {
                    *refused.entry(why.reason().to_owned()).or_default() += 1;
                }
                (true, Err(_)) => forgeries += 1,
                (true, Ok(())) => panic!("{shown} is taken"),
            }
        }
    }
    eprintln!("{taken} taken, {forgeries} forgeries refused; lawful, not ours: {refused:?}");
    assert!(taken >= 30, "{taken}: {refused:?}");
    assert!(forgeries >= 30, "{forgeries}");
}
