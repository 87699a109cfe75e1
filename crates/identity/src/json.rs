//! JSON as it is taken from strangers: no member twice, neither deep nor wide.
//!
//! Two readers that see a member twice may choose different ones (RFC 8259 section 4);
//! names are compared after their escapes are resolved. Depth and the number of values
//! are bounded while reading, so that what is refused was never built.

use std::{cell::Cell, fmt};

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// Deepest nesting. Tokens of the known issuers reach four.
const MAX_DEPTH: usize = 12;
/// Most values in a document, at all levels together.
const MAX_VALUES: usize = 8192;

/// A JSON value in which no member comes twice.
#[derive(Debug, Clone, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number without fraction and exponent, from -2^63 to 2^63 - 1.
    Integer(i64),
    /// Any other number. Nothing here has a use for one.
    Fraction,
    /// Text.
    Text(String),
    /// An array.
    List(Vec<Self>),
    /// An object, in the order of the document.
    Object(Vec<(String, Self)>),
}

/// The text is not JSON, has a member twice, or is too deep or too large.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadJson;

impl Json {
    /// Reads a whole document.
    pub fn parse(text: &[u8]) -> Result<Self, BadJson> {
        let left = Cell::new(MAX_VALUES);
        let mut deserializer = serde_json::Deserializer::from_slice(text);
        let value = Reader { depth: 0, left: &left }.deserialize(&mut deserializer);
        let value = value.map_err(|_| BadJson)?;
        deserializer.end().map_err(|_| BadJson)?;
        Ok(value)
    }

    /// The member of that name; `None` as well if this is no object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(known, _)| known == name).map(|(_, value)| value)
    }

    /// The text, if it is text.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }
}

#[derive(Clone, Copy)]
struct Reader<'a> {
    depth: usize,
    left: &'a Cell<usize>,
}

impl Reader<'_> {
    fn inside<E: Error>(self) -> Result<Self, E> {
        if self.depth == MAX_DEPTH {
            return Err(E::custom("too deep"));
        }
        Ok(Self { depth: self.depth + 1, ..self })
    }
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Json;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Json, D::Error> {
        let left = self.left.get().checked_sub(1).ok_or_else(|| D::Error::custom("too many"))?;
        self.left.set(left);
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let inside = self.inside()?;
        let mut members: Vec<(String, Json)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        while let Some(name) = map.next_key::<String>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("a member comes twice"));
            }
            members.push((name, map.next_value_seed(inside)?));
        }
        Ok(Json::Object(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let inside = self.inside()?;
        let mut list = Vec::new();
        while let Some(value) = seq.next_element_seed(inside)? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json, E> {
        Ok(Json::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json, E> {
        Ok(Json::Integer(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json, E> {
        Ok(i64::try_from(value).map_or(Json::Fraction, Json::Integer))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Fraction)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }
}

impl fmt::Display for BadJson {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("it is not JSON, has a member twice, or is too deep or too large")
    }
}

impl std::error::Error for BadJson {}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Guards against claims that two readers understand differently, and against a
    /// document that costs a stack or a heap.
    #[test]
    fn doubles_depth_and_crowds_are_refused() {
        let deep = |n: usize| format!("{}1{}", "[".repeat(n), "]".repeat(n));
        let wide = |n: usize| format!("[{}1]", "1,".repeat(n));
        for good in [r#"{"a":{"a":1},"b":[null,true,-1,1.5]}"#, &deep(12), &wide(8000)] {
            assert!(Json::parse(good.as_bytes()).is_ok(), "{good}");
        }
        for bad in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"[{"x":{"b":1,"b":1}}]"#,
            "{}x",
            "{}{}",
            "",
            "\u{feff}{}",
            r#"{"a":"\ud800"}"#,
            "{'a':1}",
            r#"{"a":1,}"#,
            "[01]",
            "NaN",
            &deep(13),
            &deep(10_000),
            &wide(9000),
        ] {
            assert_eq!(Json::parse(bad.as_bytes()), Err(BadJson), "{bad:.40}");
        }
        assert_eq!(Json::parse(b"{\"a\":\"\xff\"}"), Err(BadJson));
    }

    /// Guards against a time that is read from a number which only resembles one.
    #[test]
    fn only_integers_are_integers() {
        for text in ["1.0", "1e3", "9223372036854775808", "-9223372036854775809"] {
            assert_eq!(Json::parse(text.as_bytes()), Ok(Json::Fraction), "{text}");
        }
        assert_eq!(Json::parse(b"-5"), Ok(Json::Integer(-5)));
    }

    proptest! {
        /// Guards against a panic, and against a reader that takes what serde_json's own
        /// reader does not.
        #[test]
        fn what_is_read_is_json(text in "[\\{\\}\\[\\]\",:a-c0-9\\\\u. -]{0,40}") {
            if Json::parse(text.as_bytes()).is_ok() {
                prop_assert!(serde_json::from_str::<serde_json::Value>(&text).is_ok());
            }
        }
    }
}
