//! Private keys as JWK (RFC 7517, RFC 7518 section 6, RFC 8037; `AKP` for ML-DSA).
//!
//! A member given twice is refused: two readers that pick different ones would see
//! two keys. Unknown members are ignored, as RFC 7517 section 4 demands. Values
//! are read where they lie; only the decoded bytes are copied, and wiped.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use keyreeve_backend::{InvalidInput, PrivateKey};
use keyreeve_types::{Curve, KeyOps, KeySpec, is_nested_deeper};
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use crate::{Parts, private, rsa::RsaParts};

/// Most members of a JWK; the largest that exists has a dozen.
const MAX_MEMBERS: usize = 64;

/// Deepest nesting: a JWK has lists of texts, and private members are flat as well.
const MAX_DEPTH: usize = 8;

pub(crate) fn parse(json: &[u8], ops: KeyOps) -> Result<(KeySpec, PrivateKey), InvalidInput> {
    if is_nested_deeper(json, MAX_DEPTH) {
        return Err(InvalidInput::MalformedKey);
    }
    let jwk: Jwk<'_> = serde_json::from_slice(json).map_err(|_| InvalidInput::MalformedKey)?;
    match (jwk.required("kty")?, jwk.text("crv")?) {
        ("RSA", _) => rsa(&jwk),
        ("EC", Some("P-256")) => ec(&jwk, Curve::P256),
        ("EC", Some("P-384")) => ec(&jwk, Curve::P384),
        ("EC", Some("P-521")) => ec(&jwk, Curve::P521),
        // RFC 8812, and Key Vault's name for the same curve.
        ("EC", Some("secp256k1" | "P-256K")) => ec(&jwk, Curve::Secp256k1),
        ("OKP", Some("Ed25519")) => {
            let (seed, public) = (jwk.bytes("d")?, jwk.optional_bytes("x")?);
            Parts::Ed25519 { seed: &seed, public: as_slice(&public) }.check()
        }
        ("AKP", _) if jwk.text("alg")? == Some("ML-DSA-65") => {
            let (seed, public) = (jwk.bytes("priv")?, jwk.optional_bytes("pub")?);
            Parts::MlDsa65 { seed: &seed, expanded: None, public: as_slice(&public) }.check()
        }
        ("oct", _) => {
            let key = jwk.bytes("k")?;
            let bits = u32::try_from(key.len() * 8).map_err(|_| InvalidInput::TooLong)?;
            let spec = KeySpec::from_jose("oct", None, Some(bits), ops)
                .map_err(|_| InvalidInput::WrongKeyType)?;
            Ok((spec, private(&key)))
        }
        _ => Err(InvalidInput::WrongKeyType),
    }
}

fn rsa(jwk: &Jwk<'_>) -> Result<(KeySpec, PrivateKey), InvalidInput> {
    if jwk.has("oth") {
        return Err(InvalidInput::UnsupportedRsaKey);
    }
    let (n, e, d) = (jwk.bytes("n")?, jwk.bytes("e")?, jwk.bytes("d")?);
    let (p, q) = (jwk.bytes("p")?, jwk.bytes("q")?);
    let (dp, dq, qi) = (jwk.bytes("dp")?, jwk.bytes("dq")?, jwk.bytes("qi")?);
    let parts = RsaParts { n: &n, e: &e, d: &d, p: &p, q: &q, dp: &dp, dq: &dq, qi: &qi };
    Parts::Rsa(parts).check()
}

fn ec(jwk: &Jwk<'_>, curve: Curve) -> Result<(KeySpec, PrivateKey), InvalidInput> {
    let (x, y, scalar) = (jwk.bytes("x")?, jwk.bytes("y")?, jwk.bytes("d")?);
    if x.len() != curve.field_len() || y.len() != curve.field_len() {
        return Err(InvalidInput::MalformedKey);
    }
    let point = [&[4], x.as_slice(), y.as_slice()].concat();
    Parts::Ec { curve, scalar: &scalar, point: Some(&point) }.check()
}

type Bytes = Zeroizing<Vec<u8>>;

fn as_slice(bytes: &Option<Bytes>) -> Option<&[u8]> {
    bytes.as_ref().map(|bytes| bytes.as_slice())
}

/// The members of a JWK, none of them twice.
struct Jwk<'a>(Vec<(&'a str, Member<'a>)>);

/// The value of a member. Text with escapes counts as something else: no member
/// that we read has a reason to hold one, and unescaping would copy it.
enum Member<'a> {
    Text(&'a str),
    Other,
}

impl<'a> Jwk<'a> {
    fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(known, _)| *known == name)
    }

    fn text(&self, name: &str) -> Result<Option<&'a str>, InvalidInput> {
        match self.0.iter().find(|(known, _)| *known == name) {
            Some((_, Member::Text(text))) => Ok(Some(text)),
            Some((_, Member::Other)) => Err(InvalidInput::MalformedKey),
            None => Ok(None),
        }
    }

    fn required(&self, name: &str) -> Result<&'a str, InvalidInput> {
        self.text(name)?.ok_or(InvalidInput::MalformedKey)
    }

    fn bytes(&self, name: &str) -> Result<Bytes, InvalidInput> {
        self.optional_bytes(name)?.ok_or(InvalidInput::MalformedKey)
    }

    fn optional_bytes(&self, name: &str) -> Result<Option<Bytes>, InvalidInput> {
        let Some(text) = self.text(name)? else { return Ok(None) };
        let mut bytes = Zeroizing::new(vec![0; base64::decoded_len_estimate(text.len())]);
        let len = URL_SAFE_NO_PAD
            .decode_slice(text, &mut bytes)
            .map_err(|_| InvalidInput::MalformedKey)?;
        bytes.truncate(len);
        Ok(Some(bytes))
    }
}

impl<'de> Deserialize<'de> for Jwk<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Jwk<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a JWK")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Jwk<'de>, A::Error> {
        let mut jwk = Jwk(Vec::new());
        while let Some(name) = map.next_key::<&str>()? {
            if jwk.has(name) || jwk.0.len() == MAX_MEMBERS {
                return Err(serde::de::Error::custom("a member twice, or too many"));
            }
            jwk.0.push((name, map.next_value()?));
        }
        Ok(jwk)
    }
}

impl<'de> Deserialize<'de> for Member<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyMember)
    }
}

struct AnyMember;

impl<'de> Visitor<'de> for AnyMember {
    type Value = Member<'de>;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Member<'de>, E> {
        Ok(Member::Text(text))
    }

    fn visit_str<E>(self, _: &str) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_unit<E>(self) -> Result<Member<'de>, E> {
        Ok(Member::Other)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Member<'de>, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Member::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Member<'de>, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Member::Other)
    }
}
