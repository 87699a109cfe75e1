//! The JSON in a JWT.
//!
//! Claims are signed as the caller wrote them, so what is checked here must be what
//! every reader sees: one object, and no member twice, at any depth. Readers differ
//! in which of two they take (RFC 7519 section 4).

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, SeqAccess, Visitor},
};

use keyreeve_types::is_nested_deeper;

use crate::Error;

/// Deepest nesting of claims and headers: what verifies a JWT has a bound, too.
const MAX_DEPTH: usize = 32;

/// The header of a JWT: `alg` and `kid`, then what the caller adds to it.
pub(crate) fn header(added: &str, algorithm: &str, kid: &str) -> Result<String, Error> {
    // Both names are ours and need no escapes.
    let mut header = format!(r#"{{"alg":"{algorithm}","kid":"{kid}""#);
    let added = if added.is_empty() { "{}" } else { added };
    let members = members("header", added)?;
    for set_here in ["alg", "kid"] {
        if members.contains(set_here) {
            return Err(Error::invalid(
                "header",
                format!("{set_here} is set by the service; leave it out"),
            ));
        }
    }
    if members.contains("b64") {
        return Err(Error::invalid("header", "b64 (RFC 7797) is not supported"));
    }
    if !members.contains("typ") {
        header.push_str(r#","typ":"JWT""#);
    }
    if !members.is_empty() {
        // The object's inside, as it was written.
        let inside = added.trim().strip_prefix('{').and_then(|s| s.strip_suffix('}'));
        let inside = inside.ok_or_else(|| Error::invalid("header", "it must be a JSON object"))?;
        header.push(',');
        header.push_str(inside);
    }
    header.push('}');
    Ok(header)
}

/// Checks that `claims` is a claims set.
pub(crate) fn check_claims(claims: &str) -> Result<(), Error> {
    members("claims", claims).map(drop)
}

/// The names of the members of the JSON object `text`, of which none comes twice,
/// nor in any object within.
fn members(field: &'static str, text: &str) -> Result<HashSet<String>, Error> {
    if is_nested_deeper(text.as_bytes(), MAX_DEPTH) {
        let message = format!("it is nested more than {MAX_DEPTH} levels deep");
        return Err(Error::invalid(field, message));
    }
    match serde_json::from_str::<Json>(text) {
        Ok(Json::Object(members)) => Ok(members),
        Ok(Json::Other) => Err(Error::invalid(field, "it must be a JSON object")),
        Err(e) => {
            let what = if e.is_data() { "a member comes twice" } else { "it is not JSON" };
            let at = format!("line {} column {}", e.line(), e.column());
            Err(Error::invalid(field, format!("{what}, at {at}")))
        }
    }
}

/// JSON without its values: names of members, checked to be different at each level.
enum Json {
    Object(HashSet<String>),
    Other,
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members = HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            map.next_value::<Json>()?;
            if !members.insert(name) {
                return Err(A::Error::custom("a member comes twice"));
            }
        }
        Ok(Json::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        while seq.next_element::<Json>()?.is_some() {}
        Ok(Json::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_str<E>(self, _: &str) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Other)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Guards against a caller that sets the algorithm or key id itself, also by
    /// way of an escape.
    #[test]
    fn the_header_is_ours_first() {
        let made = |added| header(added, "ES256", "k1");
        let plain = r#"{"alg":"ES256","kid":"k1","typ":"JWT"}"#;
        assert_eq!(made("").ok().as_deref(), Some(plain));
        assert_eq!(made(" { } ").ok().as_deref(), Some(plain));
        assert_eq!(
            made(r#"{"typ":"at+jwt","x":{}}"#).ok().as_deref(),
            Some(r#"{"alg":"ES256","kid":"k1","typ":"at+jwt","x":{}}"#)
        );
        for refused in [
            r#"{"alg":"none"}"#,
            r#"{"\u0061lg":"none"}"#,
            r#"{"kid":"x"}"#,
            r#"{"b64":false}"#,
            r#"{"x":1,"x":2}"#,
            "[]",
            "{",
            "{}{}",
        ] {
            assert!(made(refused).is_err(), "{refused}");
        }
    }

    /// Guards against claims that two readers understand differently.
    #[test]
    fn claims_are_one_object_without_doubles() {
        for good in ["{}", r#"{"sub":"a","exp":1.5e3,"x":[{"a":null},{"a":true}],"n":-1}"#] {
            assert!(check_claims(good).is_ok(), "{good}");
        }
        for bad in ["", "1", "\"{}\"", "{}x", r#"{"a":{"b":1,"b":2}}"#, r#"[{"a":1}]"#] {
            assert!(check_claims(bad).is_err(), "{bad}");
        }
        let deep = "{\"a\":".repeat(5000);
        assert!(check_claims(&deep).is_err());
    }

    proptest! {
        /// Guards against a panic, and against a header that is no JSON object or
        /// has another algorithm than ours.
        #[test]
        fn a_header_that_is_made_reads_back(added in "\\PC{0,40}|\\{(\"[a-z]\":[0-9],?){0,3}\\}") {
            if let Ok(made) = header(&added, "ES256", "k1") {
                let read: serde_json::Value = serde_json::from_str(&made).expect("JSON");
                prop_assert_eq!(&read["alg"], "ES256");
                prop_assert_eq!(&read["kid"], "k1");
            }
        }
    }
}
