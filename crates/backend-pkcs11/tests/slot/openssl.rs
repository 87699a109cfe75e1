//! A second opinion: what the token signs, the `openssl` command verifies, and what it
//! encrypts, the token decrypts.

use std::{fs, path::Path, process::Command};

use keyreeve_backend::{Sealed, Session};
use keyreeve_publickey::Input;
use keyreeve_testkit::with_direct;
use keyreeve_types::{EncryptionAlgorithm, KeySpec, RsaPadding, SignatureAlgorithm};
use tempfile::TempDir;

use crate::fixture::{DECRYPT, SIGN, generated, session};

const MESSAGE: &[u8] = b"the same message for both";

/// Guards against a signature that only we believe in: a wrong DigestInfo, salt or
/// encoding.
#[test]
fn openssl_verifies_what_the_token_signs() {
    with_direct(|token| {
        use SignatureAlgorithm::{
            EdDsa, Es256, Es256K, Es384, Es512, Ps256, Ps512, Rs256, Rs384, Rs512,
        };
        let cases: [(KeySpec, SignatureAlgorithm, &[&str]); 10] = [
            (KeySpec::EcP256, Es256, &["-sha256"]),
            (KeySpec::EcP384, Es384, &["-sha384"]),
            (KeySpec::EcP521, Es512, &["-sha512"]),
            (KeySpec::EcSecp256k1, Es256K, &["-sha256"]),
            (KeySpec::Rsa2048, Rs256, &["-sha256"]),
            (KeySpec::Rsa2048, Rs384, &["-sha384"]),
            (KeySpec::Rsa3072, Rs512, &["-sha512"]),
            (
                KeySpec::Rsa2048,
                Ps256,
                &["-sha256", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:32"],
            ),
            (
                KeySpec::Rsa3072,
                Ps512,
                &["-sha512", "-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:64"],
            ),
            (KeySpec::Ed25519, EdDsa, &[]),
        ];
        let mut session = session(token);
        for (spec, algorithm, options) in cases {
            let (key, public) = generated(&mut session, spec.code() + 1, spec, SIGN);
            let mut signature = Vec::new();
            let input = Input::new(algorithm, MESSAGE);
            session.sign(&key, algorithm, input.as_ref(), &mut signature).unwrap();
            if spec.curve().is_some() {
                signature = der(&signature);
            }
            let files = Files::new(&public.unwrap().pem(), MESSAGE, &signature);
            assert!(files.verifies(spec, options), "{algorithm}");
            let files = Files { dir: files.dir };
            fs::write(files.path("message"), b"another message").unwrap();
            assert!(!files.verifies(spec, options), "{algorithm}: openssl verifies anything");
        }
    });
}

/// Guards against OAEP with another hash or label than the JOSE name says.
#[test]
fn the_token_decrypts_what_openssl_encrypts() {
    with_direct(|token| {
        let mut session = session(token);
        let (key, public) = generated(&mut session, 1, KeySpec::Rsa2048, DECRYPT);
        let files = Files::new(&public.unwrap().pem(), MESSAGE, &[]);
        let done = Command::new("openssl")
            .args(["pkeyutl", "-encrypt", "-pubin", "-pkeyopt", "rsa_padding_mode:oaep"])
            .arg("-inkey")
            .arg(files.path("key.pem"))
            .arg("-in")
            .arg(files.path("message"))
            .arg("-out")
            .arg(files.path("sealed"))
            .status()
            .unwrap();
        assert!(done.success());
        let sealed = fs::read(files.path("sealed")).unwrap();
        let mut plaintext = Vec::new();
        let oaep = EncryptionAlgorithm::Rsa(RsaPadding::Oaep);
        session.decrypt(&key, oaep, Sealed::rsa(&sealed), &mut plaintext).unwrap();
        assert_eq!(plaintext, MESSAGE);
    });
}

struct Files {
    dir: TempDir,
}

impl Files {
    fn new(pem: &str, message: &[u8], signature: &[u8]) -> Self {
        let files = Self { dir: tempfile::tempdir().unwrap() };
        fs::write(files.path("key.pem"), pem).unwrap();
        fs::write(files.path("message"), message).unwrap();
        fs::write(files.path("signature"), signature).unwrap();
        files
    }

    fn path(&self, name: &str) -> std::path::PathBuf {
        Path::new(self.dir.path()).join(name)
    }

    fn verifies(&self, spec: KeySpec, options: &[&str]) -> bool {
        let mut command = Command::new("openssl");
        if spec == KeySpec::Ed25519 {
            command.args(["pkeyutl", "-verify", "-rawin", "-pubin", "-inkey"]);
            command.arg(self.path("key.pem")).arg("-sigfile").arg(self.path("signature"));
            command.arg("-in").arg(self.path("message"));
        } else {
            command.arg("dgst").args(options).arg("-verify").arg(self.path("key.pem"));
            command.arg("-signature").arg(self.path("signature")).arg(self.path("message"));
        }
        command.output().unwrap().status.success()
    }
}

/// r‖s as the DER that openssl takes (RFC 3279 section 2.2.3).
fn der(signature: &[u8]) -> Vec<u8> {
    let (r, s) = signature.split_at(signature.len() / 2);
    let integer = |bytes: &[u8]| {
        let leading = bytes.iter().take_while(|byte| **byte == 0).count();
        let mut value = bytes[leading..].to_vec();
        if value.first().is_none_or(|byte| byte & 0x80 != 0) {
            value.insert(0, 0);
        }
        tagged(0x02, &value)
    };
    tagged(0x30, &[integer(r), integer(s)].concat())
}

fn tagged(tag: u8, value: &[u8]) -> Vec<u8> {
    let len = u8::try_from(value.len()).unwrap();
    let header = if len < 0x80 { vec![tag, len] } else { vec![tag, 0x81, len] };
    [header, value.to_vec()].concat()
}
