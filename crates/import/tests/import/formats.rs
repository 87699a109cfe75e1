//! Every format of every kind.

use std::{fs, process::Command};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD as BASE64};
use keyreeve_backend::InvalidInput;
use keyreeve_types::{KeyOps, KeySpec, Operation};
use pkcs8::{SecretDocument, der::Decode};

use crate::{parse, pem};

const CURVES: [(&str, KeySpec); 4] = [
    ("P-256", KeySpec::EcP256),
    ("P-384", KeySpec::EcP384),
    ("P-521", KeySpec::EcP521),
    ("secp256k1", KeySpec::EcSecp256k1),
];

/// Guards against a key that OpenSSL writes and we cannot read, in any of its forms.
#[test]
fn keys_of_openssl_are_read_in_every_form() {
    let mut keys = vec![(KeySpec::Rsa2048, pem("RSA", "rsa_keygen_bits:2048"))];
    for (curve, spec) in CURVES {
        keys.push((spec, pem("EC", &format!("ec_paramgen_curve:{curve}"))));
    }
    for (spec, pkcs8) in keys {
        assert_eq!(parse(&pkcs8), Ok(spec));
        let text = std::str::from_utf8(&pkcs8).unwrap();
        let (_, document) = SecretDocument::from_pem(text).unwrap();
        assert_eq!(parse(document.as_bytes()), Ok(spec), "{spec} as DER");
        assert_eq!(parse(text.replace('\n', "\r\n").as_bytes()), Ok(spec), "{spec} with CRLF");
        let traditional = convert(&pkcs8, &["pkey", "-traditional"]);
        assert!(!traditional.starts_with(b"-----BEGIN PRIVATE"), "{spec}");
        assert_eq!(parse(&traditional), Ok(spec), "{spec} in its older form");
        if spec.curve().is_some() {
            let curve =
                b"-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n";
            assert_eq!(parse(&[curve, &traditional[..]].concat()), Ok(spec), "{spec}");
        }
    }
    let ed25519 = crate::openssl(&["genpkey", "-quiet", "-algorithm", "ED25519"]);
    assert_eq!(parse(&ed25519), Ok(KeySpec::Ed25519));
}

/// Guards against a converted key that is another key, and against an encoding of
/// our own that OpenSSL does not read.
#[test]
fn what_comes_out_is_the_key_that_went_in() {
    let given = pem("EC", "ec_paramgen_curve:P-384");
    let (_, private) = keyreeve_import::parse(&given, KeyOps::NONE).unwrap();
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.der");
    fs::write(&path, private.expose()).unwrap();
    let public = |arguments: &[&str]| {
        let output = Command::new("openssl").args(arguments).arg("-pubout").output().unwrap();
        assert!(output.status.success());
        output.stdout
    };
    let out = public(&["pkey", "-inform", "DER", "-in", path.to_str().unwrap()]);
    assert_eq!(out, convert(&given, &["pkey", "-pubout"]));
}

/// Guards against JWK members read wrongly, and spellings of a curve refused.
#[test]
fn jwk_of_every_kind_is_read() {
    for (name, spec) in CURVES {
        let (jwk, _) = ec_jwk(name);
        assert_eq!(parse(jwk.as_bytes()), Ok(spec), "{name}");
    }
    let (jwk, _) = ec_jwk("secp256k1");
    assert_eq!(parse(jwk.replace("secp256k1", "P-256K").as_bytes()), Ok(KeySpec::EcSecp256k1));
    assert_eq!(parse(rsa_jwk().as_bytes()), Ok(KeySpec::Rsa2048));
    // RFC 8037 appendix A.1.
    let okp = r#"{"kty":"OKP","crv":"Ed25519",
        "d":"nWGxne_9WmC6hEr0kuwsxERJxXN3MmkZcDusAxyuf2A",
        "x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert_eq!(parse(okp.replace("N3", "e3").as_bytes()), Err(InvalidInput::MalformedKey));
    let okp = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo",
        "d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"}"#;
    assert_eq!(parse(okp.as_bytes()), Ok(KeySpec::Ed25519));
    let seed = BASE64.encode([7; 32]);
    let akp = format!(r#"{{"kty":"AKP","alg":"ML-DSA-65","priv":"{seed}"}}"#);
    assert_eq!(parse(akp.as_bytes()), Ok(KeySpec::MlDsa65));
}

/// Guards against an AES key that computes MACs, or the reverse.
#[test]
fn an_oct_jwk_is_aes_or_hmac_by_its_operations() {
    let key = BASE64.encode([9; 32]);
    let jwk = format!(r#"{{"kty":"oct","k":"{key}","future":{{"a":[1,2]}},"ext":true}}"#);
    let spec = |ops: &[Operation]| {
        keyreeve_import::parse(jwk.as_bytes(), KeyOps::of(ops)).map(|(spec, _)| spec)
    };
    assert_eq!(spec(&[]), Ok(KeySpec::Aes256));
    assert_eq!(spec(&[Operation::WrapKey]), Ok(KeySpec::Aes256));
    assert_eq!(spec(&[Operation::Sign]), Ok(KeySpec::Hmac256));
}

/// Guards against an ML-DSA key whose expanded form was exchanged.
#[test]
fn an_ml_dsa_seed_must_expand_to_what_stands_beside_it() {
    let seed = [3; 32];
    let pair = aws_lc_rs::signature::PqdsaKeyPair::from_seed(
        &aws_lc_rs::signature::ML_DSA_65_SIGNING,
        &seed,
    )
    .unwrap();
    let raw = aws_lc_rs::encoding::AsRawBytes::as_raw_bytes(&pair.private_key()).unwrap();
    let sequence = |tag: u8, parts: &[&[u8]]| {
        let body = parts.concat();
        let len = u16::try_from(body.len()).unwrap().to_be_bytes();
        [&[tag, 0x82, len[0], len[1]], &body[..]].concat()
    };
    let pkcs8 = |expanded: &[u8]| {
        let seed = [&[4, 32], &seed[..]].concat();
        let both = sequence(0x30, &[&seed, &sequence(4, &[expanded])]);
        let oid = [0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 3, 18];
        sequence(0x30, &[&[2, 1, 0], &oid, &sequence(4, &[&both])])
    };
    assert_eq!(parse(&pkcs8(raw.as_ref())), Ok(KeySpec::MlDsa65));
    let mut other = raw.as_ref().to_vec();
    other[4000] ^= 1;
    assert_eq!(parse(&pkcs8(&other)), Err(InvalidInput::MalformedKey));
}

/// A JWK of a new EC key, and its scalar.
pub(crate) fn ec_jwk(curve: &str) -> (String, Vec<u8>) {
    let pkcs8 = pem("EC", &format!("ec_paramgen_curve:{curve}"));
    let (_, document) = SecretDocument::from_pem(std::str::from_utf8(&pkcs8).unwrap()).unwrap();
    let info = pkcs8::PrivateKeyInfoRef::from_der(document.as_bytes()).unwrap();
    let key = sec1::EcPrivateKey::from_der(info.private_key.as_bytes()).unwrap();
    let (x, y) = key.public_key.unwrap()[1..].split_at(key.private_key.len());
    let (x, y, d) = (BASE64.encode(x), BASE64.encode(y), BASE64.encode(key.private_key));
    let jwk = format!(r#"{{"kty":"EC","crv":"{curve}","x":"{x}","y":"{y}","d":"{d}"}}"#);
    (jwk, key.private_key.to_vec())
}

/// A JWK of a new RSA key.
pub(crate) fn rsa_jwk() -> String {
    let pkcs8 = pem("RSA", "rsa_keygen_bits:2048");
    let (_, document) = SecretDocument::from_pem(std::str::from_utf8(&pkcs8).unwrap()).unwrap();
    let info = pkcs8::PrivateKeyInfoRef::from_der(document.as_bytes()).unwrap();
    let key = pkcs1::RsaPrivateKeyRef::from_der(info.private_key.as_bytes()).unwrap();
    let members = [
        ("n", key.modulus),
        ("e", key.public_exponent),
        ("d", key.private_exponent),
        ("p", key.prime1),
        ("q", key.prime2),
        ("dp", key.exponent1),
        ("dq", key.exponent2),
        ("qi", key.coefficient),
    ];
    let text: String = members
        .iter()
        .map(|(name, value)| format!(r#","{name}":"{}""#, BASE64.encode(value.as_bytes())))
        .collect();
    format!(r#"{{"kty":"RSA"{text}}}"#)
}

fn convert(pem: &[u8], arguments: &[&str]) -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("key.pem");
    fs::write(&path, pem).unwrap();
    crate::openssl(&[arguments, &["-in", path.to_str().unwrap()]].concat())
}
