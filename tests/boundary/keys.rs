//! Keys whose private bytes this test knows, because it made them.

use std::process::Command;

use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair as _};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use keyreeve_client::{Client, v1};
use p256::elliptic_curve::sec1::ToSec1Point as _;
use p256::pkcs8::EncodePrivateKey as _;
use rsa::{
    pkcs8::DecodePrivateKey as _,
    traits::{PrivateKeyParts as _, PublicKeyParts as _},
};
use serde_json::json;

/// A key, as it is imported, and its private parts.
pub(crate) struct Known {
    pub(crate) name: &'static str,
    /// JWK, or PKCS#8 as PEM or DER.
    file: Vec<u8>,
    pub(crate) private: Vec<(String, Vec<u8>)>,
}

/// RSA, EC, Ed25519, AES and HMAC keys: the asymmetric ones as JWK and as PKCS#8.
/// `ec-off` is imported disabled.
pub(crate) fn make() -> Vec<Known> {
    let mut keys = vec![
        rsa("rsa-jwk", true),
        rsa("rsa-pkcs8", false),
        ec("ec-jwk", true),
        ec("ec-pkcs8", false),
        ec("ec-off", false),
        ed25519("ed-jwk", true),
        ed25519("ed-pkcs8", false),
    ];
    for (name, length) in [("aes-gcm", 32), ("aes-wrap", 16), ("hmac", 64)] {
        let key = random(length);
        let file = json!({"kty": "oct", "k": encoded(&key)}).to_string().into_bytes();
        keys.push(Known { name, file, private: vec![(format!("{name} k"), key)] });
    }
    keys
}

/// Imports a key into the vault `dev`.
pub(crate) async fn import(client: &Client, key: &Known) {
    let operations: &[&str] = match key.name {
        "aes-gcm" => &["encrypt", "decrypt"],
        "aes-wrap" => &["wrapKey", "unwrapKey"],
        // This is what tells it from an AES key.
        "hmac" => &["sign", "verify"],
        _ => &[],
    };
    let attributes = v1::Key {
        operations: operations.iter().map(|name| (*name).to_owned()).collect(),
        enabled: (key.name == "ec-off").then_some(false),
        ..Default::default()
    };
    let made = client.key(&format!("dev/{}", key.name)).import(attributes, &key.file).await;
    made.unwrap_or_else(|error| panic!("{}: {error}", key.name));
}

pub(crate) fn random(length: usize) -> Vec<u8> {
    let mut bytes = vec![0; length];
    aws_lc_rs::rand::fill(&mut bytes).expect("random bytes");
    bytes
}

fn rsa(name: &'static str, as_jwk: bool) -> Known {
    let mut openssl = Command::new("openssl");
    openssl.args(["genpkey", "-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"]);
    let pem = openssl.output().expect("openssl is installed").stdout;
    let text = std::str::from_utf8(&pem).expect("PEM is text");
    let mut key = rsa::RsaPrivateKey::from_pkcs8_pem(text).expect("an RSA key");
    key.precompute().expect("a consistent key");
    let primes: Vec<_> = key.primes().iter().map(|p| p.to_be_bytes_trimmed_vartime()).collect();
    let parts = [
        ("d", key.d().to_be_bytes_trimmed_vartime()),
        ("p", primes[0].clone()),
        ("q", primes[1].clone()),
        ("dp", key.dp().expect("precomputed").to_be_bytes_trimmed_vartime()),
        ("dq", key.dq().expect("precomputed").to_be_bytes_trimmed_vartime()),
        ("qi", key.crt_coefficient().expect("precomputed").to_be_bytes_trimmed_vartime()),
    ];
    let mut jwk = json!({
        "kty": "RSA",
        "n": encoded(&key.n().to_be_bytes_trimmed_vartime()),
        "e": encoded(&key.e().to_be_bytes_trimmed_vartime()),
    });
    for (part, bytes) in &parts {
        jwk[*part] = encoded(bytes).into();
    }
    let private = parts.into_iter().map(|(part, bytes)| (format!("{name} {part}"), bytes.into()));
    let file = if as_jwk { jwk.to_string().into_bytes() } else { pem };
    Known { name, file, private: private.collect() }
}

fn ec(name: &'static str, as_jwk: bool) -> Known {
    let scalar = random(32);
    let key = p256::SecretKey::from_slice(&scalar).expect("below the order, but for 2^-32");
    let point = key.public_key().to_sec1_point(false);
    let (x, y) = (point.x().expect("not infinity"), point.y().expect("not compressed"));
    let jwk = json!({
        "kty": "EC", "crv": "P-256", "x": encoded(x), "y": encoded(y), "d": encoded(&scalar),
    });
    let file = if as_jwk {
        jwk.to_string().into_bytes()
    } else {
        key.to_pkcs8_der().expect("encodable").as_bytes().to_vec()
    };
    Known { name, file, private: vec![(format!("{name} d"), scalar)] }
}

fn ed25519(name: &'static str, as_jwk: bool) -> Known {
    let seed = random(32);
    let pair = Ed25519KeyPair::from_seed_unchecked(&seed).expect("32 bytes");
    let file = if as_jwk {
        let x = encoded(pair.public_key().as_ref());
        json!({"kty": "OKP", "crv": "Ed25519", "x": x, "d": encoded(&seed)})
            .to_string()
            .into_bytes()
    } else {
        // RFC 8410 section 7.
        let prefix = hex::decode("302e020100300506032b657004220420").expect("hex");
        [prefix, seed.clone()].concat()
    };
    Known { name, file, private: vec![(format!("{name} seed"), seed)] }
}

fn encoded(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}
