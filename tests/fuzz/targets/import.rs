//! Private keys made elsewhere.
//!
//! What is taken passes the check for keys that are in our own encoding, and that
//! encoding, where it is one that can be imported, is read as the same key.

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use keyreeve_types::{KeyOps, KeySpec, KeyType, Operation};
use p256::elliptic_curve::sec1::ToSec1Point;
use rsa::{
    pkcs8::DecodePrivateKey,
    traits::{PrivateKeyParts, PublicKeyParts},
};
use serde_json::json;

use super::{Target, keys};

/// PKCS#8.
pub(super) const DER: Target = Target { name: "import_der", max_len: 2048, seeds: ders, run };

/// JWK.
pub(super) const JWK: Target = Target { name: "import_jwk", max_len: 2048, seeds: jwks, run };

/// PEM of PKCS#8, PKCS#1 and SEC 1.
pub(super) const PEM: Target = Target { name: "import_pem", max_len: 2048, seeds: pems, run };

const SPECS: [KeySpec; 5] =
    [KeySpec::EcP256, KeySpec::EcP384, KeySpec::EcP521, KeySpec::EcSecp256k1, KeySpec::Rsa2048];

fn run(input: &[u8]) {
    for ops in [KeyOps::NONE, KeyOps::of(&[Operation::Sign])] {
        let Ok((spec, private)) = keyreeve_import::parse(input, ops) else { continue };
        assert_eq!(keyreeve_import::check(spec, &private), Ok(()), "{spec}: taken and not good");
        if matches!(spec.key_type(), KeyType::Rsa | KeyType::Ec) {
            let again = keyreeve_import::parse(private.expose(), ops);
            let (same, bytes) = again.expect("our own encoding");
            assert_eq!(same, spec);
            assert!(bytes.expose() == private.expose(), "{spec}: read as another key");
        }
    }
}

fn ders() -> Vec<Vec<u8>> {
    let mut ders: Vec<_> = SPECS.iter().map(|spec| keys::make(*spec).private).collect();
    // PrivateKeyInfo of RFC 8410 and of RFC 9881, around a seed.
    let ed25519 = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";
    ders.push([&ed25519[..], &[7; 32]].concat());
    let ml_dsa = b"\x30\x34\x02\x01\x00\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12\
                   \x04\x22\x80\x20";
    ders.push([&ml_dsa[..], &[7; 32]].concat());
    ders
}

fn pems() -> Vec<Vec<u8>> {
    let pem = |label: &str, der: &[u8]| {
        let body = STANDARD.encode(der);
        let lines: Vec<_> = body.as_bytes().chunks(64).map(String::from_utf8_lossy).collect();
        let lines = lines.join("\n");
        format!("-----BEGIN {label}-----\n{lines}\n-----END {label}-----\n").into_bytes()
    };
    let ders = ders();
    let mut pems: Vec<_> = ders.iter().map(|der| pem("PRIVATE KEY", der)).collect();
    // The older forms are what PKCS#8 has inside: behind the last algorithm identifier.
    let inside = |der: &[u8], header: usize| der[header..].to_vec();
    pems.push(pem("EC PRIVATE KEY", &inside(&ders[0], 26)));
    pems.push(pem("RSA PRIVATE KEY", &inside(&ders[4], 26)));
    pems
}

fn jwks() -> Vec<Vec<u8>> {
    let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    let p256 = p256::SecretKey::from_slice(&[7; 32]).expect("a scalar");
    let point = p256.public_key().to_sec1_point(false);
    let (x, y) = point.as_bytes()[1..].split_at(32);
    let rsa = keys::make(KeySpec::Rsa2048).private;
    let rsa = rsa::RsaPrivateKey::from_pkcs8_der(&rsa).expect("our own encoding");
    let (p, q) = (&rsa.primes()[0], &rsa.primes()[1]);
    let number = |n: &rsa::BoxedUint| text(&n.to_be_bytes_trimmed_vartime());
    let rsa = json!({
        "kty": "RSA", "n": number(rsa.n().as_ref()), "e": number(rsa.e()), "d": number(rsa.d()),
        "p": number(p), "q": number(q), "dp": number(rsa.dp().expect("computed")),
        "dq": number(rsa.dq().expect("computed")),
        "qi": number(&rsa.crt_coefficient().expect("computed")),
    });
    [
        json!({"kty": "EC", "crv": "P-256", "x": text(x), "y": text(y), "d": text(&[7; 32])}),
        json!({"kty": "OKP", "crv": "Ed25519", "d": text(&[7; 32])}),
        json!({"kty": "AKP", "alg": "ML-DSA-65", "priv": text(&[7; 32])}),
        json!({"kty": "oct", "k": text(&[7; 32]), "key_ops": ["encrypt"], "x5c": [{"a": null}]}),
        rsa,
    ]
    .map(|jwk| jwk.to_string().into_bytes())
    .to_vec()
}
