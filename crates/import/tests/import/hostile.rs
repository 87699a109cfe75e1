//! Keys that are wrong, by accident or by intent.

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use crypto_bigint::{BoxedUint, ConcatenatingMul};
use keyreeve_backend::InvalidInput;
use keyreeve_types::KeyOps;
use proptest::prelude::*;

use crate::{
    formats::{ec_jwk, rsa_jwk},
    parse, pem,
};

/// Replaces the value of a member by what `change` makes of its bytes.
fn with(jwk: &str, member: &str, change: impl Fn(&mut Vec<u8>)) -> String {
    let start = jwk.find(&format!(r#""{member}":""#)).unwrap() + member.len() + 4;
    let end = start + jwk[start..].find('"').unwrap();
    let mut bytes = BASE64.decode(&jwk[start..end]).unwrap();
    change(&mut bytes);
    format!("{}{}{}", &jwk[..start], BASE64.encode(bytes), &jwk[end..])
}

fn flip_last_bit(bytes: &mut [u8]) {
    *bytes.last_mut().unwrap() ^= 1;
}

/// Guards against a public half that is not the private one's, off the curve, or
/// scalars out of range.
#[test]
fn ec_parts_that_do_not_belong_together_are_refused() {
    for curve in ["P-256", "P-384", "P-521", "secp256k1"] {
        let (jwk, _) = ec_jwk(curve);
        let (other, _) = ec_jwk(curve);
        let malformed = Err(InvalidInput::MalformedKey);
        let off = with(&jwk, "y", |v| flip_last_bit(v));
        assert_eq!(parse(off.as_bytes()), Err(InvalidInput::PointNotOnCurve), "{curve}");
        let swapped = with(&jwk, "d", |d| {
            let from = other.find(r#""d":""#).unwrap() + 5;
            *d = BASE64.decode(other[from..].trim_end_matches("\"}")).unwrap();
        });
        assert_eq!(parse(swapped.as_bytes()), malformed, "{curve}: another key's scalar");
        let zero = with(&jwk, "d", |d| d.fill(0));
        assert_eq!(parse(zero.as_bytes()), malformed, "{curve}: zero");
        let large = with(&jwk, "d", |d| d.fill(0xff));
        assert_eq!(parse(large.as_bytes()), malformed, "{curve}: above the order");
        let short = with(&jwk, "d", |d| d.truncate(d.len() - 1));
        assert_eq!(parse(short.as_bytes()), malformed, "{curve}: too short");
        let wrong = jwk.replace(curve, if curve == "P-256" { "secp256k1" } else { "P-256" });
        assert!(parse(wrong.as_bytes()).is_err(), "{curve}: another curve");
    }
}

/// Guards against RSA parts that are inconsistent: a wrong value for the Chinese
/// remainder theorem leaks the key with its first signature.
#[test]
fn rsa_parts_that_do_not_belong_together_are_refused() {
    let jwk = rsa_jwk();
    for member in ["d", "dp", "dq", "qi"] {
        let wrong = with(&jwk, member, |v| flip_last_bit(v));
        assert_eq!(parse(wrong.as_bytes()), Err(InvalidInput::MalformedKey), "{member}");
    }
    for member in ["p", "q"] {
        let wrong = with(&jwk, member, |v| v[64] ^= 1);
        assert_eq!(parse(wrong.as_bytes()), Err(InvalidInput::RsaNotPrime), "{member}");
    }
    let even = with(&jwk, "n", |v| flip_last_bit(v));
    assert_eq!(parse(even.as_bytes()), Err(InvalidInput::UnsupportedRsaKey));
    let e = with(&jwk, "e", |e| *e = vec![3]);
    assert_eq!(parse(e.as_bytes()), Err(InvalidInput::UnsupportedRsaKey));
    let oth = jwk.replace(r#"{"kty""#, r#"{"oth":[],"kty""#);
    assert_eq!(parse(oth.as_bytes()), Err(InvalidInput::UnsupportedRsaKey));
    let bits = pem("RSA", "rsa_keygen_bits:1024");
    assert_eq!(parse(&bits), Err(InvalidInput::UnsupportedRsaKey));
}

/// Guards against a modulus that Fermat's method or trial division factors, and
/// against a factor that is no prime.
#[test]
fn weak_rsa_keys_are_refused() {
    let jwk = rsa_jwk();
    let rsa = |p: &[u8], q: &[u8]| {
        let jwk = with(&jwk, "n", |n| *n = product(p, q));
        let jwk = with(&jwk, "p", |v| *v = p.to_vec());
        with(&jwk, "q", |v| *v = q.to_vec())
    };
    let p = member(&jwk, "p");
    // Two odd numbers that differ in their low bits only; whether they are prime
    // is not reached.
    let mut near = p.clone();
    near[100] ^= 2;
    assert_eq!(parse(rsa(&p, &near).as_bytes()), Err(InvalidInput::WeakKey), "close factors");
    // A factor that is the product of two primes, so that no small number divides it.
    let (n, composite) = loop {
        let composite = product(&prime(512), &prime(512));
        let n = product(&p, &composite);
        if composite[0] & 0x80 != 0 && n[0] & 0x80 != 0 {
            break (n, composite);
        }
    };
    let spoiled = with(&with(&jwk, "n", |v| v.clone_from(&n)), "q", |v| v.clone_from(&composite));
    assert_eq!(parse(spoiled.as_bytes()), Err(InvalidInput::RsaNotPrime), "a composite factor");
    let multiple_of_three = with(&jwk, "n", |n| {
        let last = n.len() - 1;
        let remainder = |n: &[u8]| n.iter().fold(0, |r, b| (r * 256 + u32::from(*b)) % 3);
        n[last] =
            [1, 3, 5].into_iter().find(|b| remainder(&[&n[..last], &[*b]].concat()) == 0).unwrap();
    });
    let answer = parse(multiple_of_three.as_bytes());
    assert_eq!(answer, Err(InvalidInput::WeakKey), "a small factor");
}

fn product(a: &[u8], b: &[u8]) -> Vec<u8> {
    let number = |b: &[u8]| BoxedUint::from_be_slice(b, b.len() as u32 * 8).unwrap();
    number(a).concatenating_mul(&number(b)).to_be_bytes().to_vec()
}

/// A prime made by OpenSSL.
fn prime(bits: usize) -> Vec<u8> {
    let text = crate::openssl(&["prime", "-generate", "-hex", "-bits", &bits.to_string()]);
    let digits = std::str::from_utf8(&text).unwrap().trim();
    let byte = |i: usize| u8::from_str_radix(&digits[2 * i..2 * i + 2], 16).unwrap();
    (0..digits.len() / 2).map(byte).collect()
}

fn member(jwk: &str, name: &str) -> Vec<u8> {
    let start = jwk.find(&format!(r#""{name}":""#)).unwrap() + name.len() + 4;
    BASE64.decode(&jwk[start..start + jwk[start..].find('"').unwrap()]).unwrap()
}

/// Guards against two readers of one JWK that see two keys.
#[test]
fn a_jwk_that_reads_two_ways_is_refused() {
    let (jwk, _) = ec_jwk("P-256");
    let malformed = Err(InvalidInput::MalformedKey);
    let twice = jwk.replace(r#"{"kty":"EC""#, r#"{"kty":"EC","kty":"EC""#);
    assert_eq!(parse(twice.as_bytes()), malformed, "a member twice");
    let unknown = jwk.replace(r#"{"kty""#, r#"{"zz":1,"zz":1,"kty""#);
    assert_eq!(parse(unknown.as_bytes()), malformed, "an unknown member twice");
    let escaped = jwk.replace(r#"{"kty":"EC""#, r#"{"kty":"E\u0043""#);
    assert_eq!(parse(escaped.as_bytes()), malformed, "an escaped value");
    let padded = jwk.replace("\"}", "=\"}");
    assert_eq!(parse(padded.as_bytes()), malformed, "padding");
    assert_eq!(parse(format!("{jwk} {{}}").as_bytes()), malformed, "two values");
    let number = jwk.replace(r#""kty":"EC""#, r#""kty":1"#);
    assert_eq!(parse(number.as_bytes()), malformed, "a number for a text");
}

/// Guards against an input that keeps a keyhost busy by its size alone.
#[test]
fn what_is_too_long_is_refused() {
    let bytes = vec![b'{'; keyreeve_import::MAX_LEN + 1];
    assert_eq!(parse(&bytes), Err(InvalidInput::TooLong));
    let nested = vec![b'['; keyreeve_import::MAX_LEN - 8];
    let jwk = [br#"{"a":"#, &nested[..]].concat();
    assert_eq!(parse(&jwk), Err(InvalidInput::MalformedKey));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Guards against a parser that panics on hostile bytes, in each format.
    #[test]
    fn arbitrary_bytes_never_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..400),
        start in prop::sample::select(vec![
            &b""[..], b"{", b"{\"kty\":\"RSA\",", b"0", b"0\x82\x01\x00\x02\x01\x00",
            b"-----BEGIN PRIVATE KEY-----\n", b"-----BEGIN EC PARAMETERS-----",
        ]),
    ) {
        let _ = keyreeve_import::parse(&[start, &bytes[..]].concat(), KeyOps::NONE);
    }

    /// Guards against a panic, or a key accepted, behind a valid beginning.
    #[test]
    fn a_damaged_key_never_panics(at in any::<prop::sample::Index>(), to in any::<u8>()) {
        let mut der = DAMAGED.to_vec();
        let at = at.index(der.len());
        der[at] = to;
        let _ = keyreeve_import::parse(&der, KeyOps::NONE);
    }
}

/// A P-256 key in PKCS#8.
const DAMAGED: &[u8] = include_bytes!("../../../backend/src/conformance/keys/ec-p256.pkcs8");
