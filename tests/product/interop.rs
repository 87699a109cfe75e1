//! What Keyreeve signs, others verify: the openssl command line, and a JWT library
//! that shares no line with it.

use std::{
    fs,
    path::Path,
    process::{Command, Output},
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header, jwk::JwkSet};
use keyreeve_testkit::Keyreeve;
use serde_json::Value;

use crate::caller::{get, keyreeve};

/// JWS algorithm, the key's kind, and how openssl hashes and pads.
const ALGORITHMS: [(&str, &[&str], &[&str]); 5] = [
    ("ES256", &["--kty", "EC", "--crv", "P-256"], &["-sha256"]),
    ("ES384", &["--kty", "EC", "--crv", "P-384"], &["-sha384"]),
    ("RS256", &["--kty", "RSA", "--size", "2048"], &["-sha256"]),
    (
        "PS256",
        &["--kty", "RSA", "--size", "3072"],
        &["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"],
    ),
    ("EdDSA", &["--kty", "OKP", "--crv", "Ed25519"], &[]),
];
const CLAIMS: &str = r#"{"sub":"alice","exp":4102444800}"#;

/// Guards against tokens that only we can read: signed in the software keystore and in
/// the SoftHSM slot over gRPC, in each common algorithm, verified by others.
#[test]
fn tokens_verify_with_openssl_and_with_a_foreign_library() {
    let service = Keyreeve::start().expect("a service");
    for vault in ["dev", "dev-hsm"] {
        for (algorithm, kind, openssl) in ALGORITHMS {
            let name = format!("{vault}/{}", algorithm.to_lowercase());
            keyreeve(&service, &[&["key", "create", &name][..], kind].concat());
            let token =
                keyreeve(&service, &["jwt", "sign", &name, "--alg", algorithm, "--claims", CLAIMS]);
            let token = token.trim();
            let pem = keyreeve(&service, &["key", "show", &name, "--pem"]);
            verify_with_openssl(service.directory(), token, algorithm, &pem, openssl);
            let set = keyreeve(&service, &["jwt", "jwks", &name]);
            verify_with_library(token, algorithm, &set);
        }
    }
}

/// Guards against a verifier that finds no key for a token, that fetches the set on
/// every request, or that still trusts a key which was taken out.
#[test]
fn the_key_set_over_https_verifies_and_can_be_cached() {
    let service = Keyreeve::start().expect("a service");
    let fetch = |more: &str| {
        let path = "/vaults/dev-hsm/.well-known/jwks.json";
        get(service.setting("KEYREEVE_HTTPS_URL"), service.setting("KEYREEVE_CACERT"), path, more)
    };
    let sign = || {
        let sign = ["jwt", "sign", "dev-hsm/jwt", "--alg", "ES256", "--claims", CLAIMS];
        keyreeve(&service, &sign).trim().to_owned()
    };
    keyreeve(&service, &["key", "create", "dev-hsm/jwt", "--kty", "EC", "--crv", "P-256"]);
    let old = sign();

    let first = fetch("");
    assert_eq!(
        (first.status, first.header("content-type")),
        (200, Some("application/jwk-set+json"))
    );
    assert_eq!(first.header("cache-control"), Some("public, max-age=300"));
    verify_with_library(&old, "ES256", &first.body);
    let etag = first.header("etag").expect("an etag").to_owned();
    let same = fetch(&format!("if-none-match: {etag}\r\n"));
    assert_eq!((same.status, same.body.as_str()), (304, ""));
    assert_eq!(same.header("etag"), Some(&etag[..]));

    keyreeve(&service, &["key", "rotate", "dev-hsm/jwt"]);
    let new = sign();
    let both = fetch(&format!("if-none-match: {etag}\r\n"));
    assert_eq!(both.status, 200);
    verify_with_library(&old, "ES256", &both.body);
    verify_with_library(&new, "ES256", &both.body);

    let kid = decode_header(&old).expect("a header").kid.expect("a kid");
    let version = format!("dev-hsm/jwt/{kid}");
    keyreeve(&service, &["key", "update", &version, "--enabled", "false"]);
    let set: JwkSet = serde_json::from_str(&fetch("").body).expect("a JWK set");
    assert!(set.find(&kid).is_none(), "a disabled version is still published");
    assert_eq!(set.keys.len(), 1);
}

fn verify_with_library(token: &str, algorithm: &str, set: &str) {
    let set: JwkSet = serde_json::from_str(set).expect("a JWK set");
    let header = decode_header(token).expect("a header");
    let algorithm: Algorithm = algorithm.parse().expect("it knows the algorithm");
    assert_eq!(header.alg, algorithm);
    let jwk = set.find(&header.kid.expect("a kid")).expect("the key is in the set");
    let key = DecodingKey::from_jwk(jwk).expect("it takes the key");
    let decoded = decode::<Value>(token, &key, &Validation::new(algorithm)).expect("it verifies");
    assert_eq!(decoded.claims["sub"], "alice");
    let mut forged = token.to_owned();
    forged.replace_range(
        token.find('.').expect("a dot") + 2..token.find('.').expect("a dot") + 3,
        "x",
    );
    assert!(decode::<Value>(&forged, &key, &Validation::new(algorithm)).is_err(), "{algorithm:?}");
}

fn verify_with_openssl(directory: &Path, token: &str, algorithm: &str, pem: &str, how: &[&str]) {
    let (signed, signature) = token.rsplit_once('.').expect("three parts");
    let mut signature = URL_SAFE_NO_PAD.decode(signature).expect("base64url");
    if algorithm.starts_with("ES") {
        signature = to_der(&signature);
    }
    let file = |name: &str, content: &[u8]| {
        let path = directory.join(name);
        fs::write(&path, content).expect("written");
        path.display().to_string()
    };
    let (key, signature) = (file("key.pem", pem.as_bytes()), file("signature", &signature));
    let verify = |signed: &str| -> Output {
        let signed = file("signed", signed.as_bytes());
        let mut openssl = Command::new("openssl");
        if algorithm == "EdDSA" {
            openssl.args(["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey", &key]);
            openssl.args(["-sigfile", &signature, "-in", &signed]);
        } else {
            openssl.args(["dgst", "-verify", &key, "-signature", &signature]);
            openssl.args(how).arg(&signed);
        }
        openssl.output().expect("openssl is installed")
    };
    let output = verify(signed);
    assert!(output.status.success(), "{algorithm}: {output:?}");
    assert!(!verify(&format!("{signed}x")).status.success(), "{algorithm}: it verifies anything");
}

/// An ECDSA signature as openssl wants it: SEQUENCE { INTEGER r, INTEGER s }.
fn to_der(signature: &[u8]) -> Vec<u8> {
    let integer = |number: &[u8]| {
        let zeros = number.iter().take_while(|byte| **byte == 0).count();
        let number = &number[zeros.min(number.len() - 1)..];
        let sign = if number[0] >= 0x80 { &[0][..] } else { &[] };
        [&[2, (sign.len() + number.len()) as u8], sign, number].concat()
    };
    let (r, s) = signature.split_at(signature.len() / 2);
    let body = [integer(r), integer(s)].concat();
    [vec![0x30, body.len() as u8], body].concat()
}
