//! Cross-checks with the `openssl` command line.

use std::{fs, path::PathBuf, process::Command};

use keyreeve_backend::Session;
use keyreeve_types::{AesMode, KeySpec, SignatureAlgorithm};

use crate::libraries::{generate, private, sign};

const MESSAGE: &[u8] = b"what we sign openssl must verify";

/// A directory of files for one call of `openssl`.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().unwrap())
    }

    fn write(&self, name: &str, bytes: &[u8]) -> String {
        let path: PathBuf = self.0.path().join(name);
        fs::write(&path, bytes).unwrap();
        path.to_str().unwrap().to_owned()
    }
}

fn openssl(arguments: &[&str]) -> (bool, Vec<u8>) {
    let output = Command::new("openssl").args(arguments).output().expect("openssl is installed");
    (output.status.success(), output.stdout)
}

/// Guards against signatures and public keys that OpenSSL does not take.
#[test]
fn openssl_verifies_our_signatures() {
    use SignatureAlgorithm as A;
    for (spec, algorithm, hash) in [
        (KeySpec::Rsa2048, A::Rs256, "sha256"),
        (KeySpec::Rsa2048, A::Ps256, "sha256"),
        (KeySpec::Rsa3072, A::Rs384, "sha384"),
        (KeySpec::Rsa3072, A::Ps512, "sha512"),
        (KeySpec::EcP256, A::Es256, "sha256"),
        (KeySpec::EcP384, A::Es384, "sha384"),
        (KeySpec::EcP521, A::Es512, "sha512"),
        (KeySpec::EcSecp256k1, A::Es256K, "sha256"),
        (KeySpec::Ed25519, A::EdDsa, ""),
    ] {
        let (mut session, new) = generate(spec);
        let mut signature = sign(&mut session, &new.key, algorithm, MESSAGE);
        if spec.curve().is_some() {
            signature = der(&signature);
        }
        let files = Files::new();
        let public = files.write("public.der", new.public.as_ref().unwrap());
        let sig = files.write("signature", &signature);
        let message = files.write("message", MESSAGE);
        let digest = format!("-{hash}");
        let mut arguments = match algorithm {
            A::EdDsa => vec!["pkeyutl", "-verify", "-pubin", "-rawin", "-keyform", "DER"],
            _ => vec!["dgst", &digest, "-keyform", "DER", "-verify", &public],
        };
        if matches!(algorithm, A::Ps256 | A::Ps512) {
            let padding = ["rsa_padding_mode:pss", "rsa_pss_saltlen:digest"];
            arguments.extend(padding.iter().flat_map(|option| ["-sigopt", option]));
        }
        match algorithm {
            A::EdDsa => {
                arguments.extend(["-inkey", &public, "-sigfile", &sig, "-in", &message]);
            }
            _ => arguments.extend(["-signature", &sig, &message]),
        }
        let (verified, said) = openssl(&arguments);
        assert!(verified, "{algorithm}: {}", String::from_utf8_lossy(&said));
    }
}

/// Guards against an encoding of private keys that others cannot read.
#[test]
fn openssl_reads_our_private_keys() {
    for spec in
        [KeySpec::Rsa2048, KeySpec::EcP256, KeySpec::EcP384, KeySpec::EcP521, KeySpec::EcSecp256k1]
    {
        let (_, new) = generate(spec);
        let files = Files::new();
        let key = files.write("private.der", private(&new));
        let arguments = ["pkey", "-inform", "DER", "-in", &key, "-check", "-pubout", "-outform"];
        let (good, said) = openssl(&[&arguments[..], &["DER"]].concat());
        assert!(good, "{spec}: {}", String::from_utf8_lossy(&said));
        let public = new.public.as_ref().unwrap();
        assert!(said.ends_with(public), "{spec}: another public half");
    }
}

/// Guards against CBC with a padding or an order of blocks of our own.
#[test]
fn openssl_decrypts_our_cbc() {
    for (spec, cipher) in [
        (KeySpec::Aes128, "-aes-128-cbc"),
        (KeySpec::Aes192, "-aes-192-cbc"),
        (KeySpec::Aes256, "-aes-256-cbc"),
    ] {
        let (mut session, new) = generate(spec);
        let mut ciphertext = Vec::new();
        let made =
            session.encrypt(&new.key, AesMode::CbcPad, b"", MESSAGE, &mut ciphertext).unwrap();
        let files = Files::new();
        let input = files.write("ciphertext", &ciphertext);
        let (key, iv) = (hex::encode(private(&new)), hex::encode(made.iv()));
        let (good, plaintext) =
            openssl(&["enc", "-d", cipher, "-K", &key, "-iv", &iv, "-in", &input]);
        assert!(good, "{spec}");
        assert_eq!(plaintext, MESSAGE, "{spec}");
    }
}

/// `ECDSA-Sig-Value` DER (RFC 3279 section 2.2.3) of r‖s.
fn der(fixed: &[u8]) -> Vec<u8> {
    let (r, s) = fixed.split_at(fixed.len() / 2);
    let integer = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|b| **b == 0).count();
        let digits = &bytes[zeros..];
        let sign = if digits[0] & 0x80 != 0 { &[0][..] } else { &[] };
        let body = [sign, digits].concat();
        [&[2, u8::try_from(body.len()).unwrap()], &body[..]].concat()
    };
    let body = [integer(r), integer(s)].concat();
    let len = u8::try_from(body.len()).unwrap();
    let header = if len < 0x80 { vec![0x30, len] } else { vec![0x30, 0x81, len] };
    [header, body].concat()
}
