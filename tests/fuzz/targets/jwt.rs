//! The JSON in a JWT: headers that callers add to, and claims.
//!
//! What is signed reads as one thing to everyone: one object, with the service's own
//! members in it and none twice.

use keyreeve_service::fuzzing::{jws_header, takes_claims};
use serde_json::Value;

use super::Target;

pub(super) const TARGET: Target = Target { name: "jwt", max_len: 1024, seeds, run };

fn seeds() -> Vec<Vec<u8>> {
    [
        "",
        "{}",
        r#"{"typ":"at+jwt","x5t":"a","crit":["exp"],"exp":1}"#,
        r#"{"sub":"a","exp":1.5e3,"x":[{"a":null},{"a":true}],"n":-1,"u":"\u0061\ud83d\ude00"}"#,
    ]
    .map(|text| text.as_bytes().to_vec())
    .to_vec()
}

fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    if takes_claims(text) {
        let claims: Value = serde_json::from_str(text).expect("claims are JSON");
        assert!(claims.is_object());
        let again = claims.to_string();
        assert!(takes_claims(&again), "claims without doubles have them: {again}");
    }
    let Some(header) = jws_header(text, "ES256", "k1") else { return };
    assert!(takes_claims(&header), "a header with a member twice: {header}");
    let header: Value = serde_json::from_str(&header).expect("a header is JSON");
    assert_eq!((&header["alg"], &header["kid"]), (&"ES256".into(), &"k1".into()));
    assert!(header.get("b64").is_none() && header["typ"] != Value::Null || text.contains("typ"));
    if !text.is_empty() {
        let added: Value = serde_json::from_str(text).expect("what is added is JSON");
        for (name, value) in added.as_object().expect("an object") {
            assert_eq!(&header[name], value);
        }
    }
}
