//! Keys made elsewhere (by OpenSSL), to import.

use keyreeve_types::KeySpec;

/// A private key in the encoding of [`crate::PrivateKey`], and its public half.
pub(super) struct Fixture {
    pub(super) private: Vec<u8>,
    pub(super) public: Option<Vec<u8>>,
}

/// The key of kind `spec`.
pub(super) fn fixture(spec: KeySpec) -> Fixture {
    let (private, public): (&[u8], &[u8]) = match spec {
        KeySpec::Rsa2048 => {
            (include_bytes!("keys/rsa-2048.pkcs8"), include_bytes!("keys/rsa-2048.spki"))
        }
        KeySpec::Rsa3072 => {
            (include_bytes!("keys/rsa-3072.pkcs8"), include_bytes!("keys/rsa-3072.spki"))
        }
        KeySpec::Rsa4096 => {
            (include_bytes!("keys/rsa-4096.pkcs8"), include_bytes!("keys/rsa-4096.spki"))
        }
        KeySpec::EcP256 => {
            (include_bytes!("keys/ec-p256.pkcs8"), include_bytes!("keys/ec-p256.spki"))
        }
        KeySpec::EcP384 => {
            (include_bytes!("keys/ec-p384.pkcs8"), include_bytes!("keys/ec-p384.spki"))
        }
        KeySpec::EcP521 => {
            (include_bytes!("keys/ec-p521.pkcs8"), include_bytes!("keys/ec-p521.spki"))
        }
        KeySpec::EcSecp256k1 => {
            (include_bytes!("keys/ec-secp256k1.pkcs8"), include_bytes!("keys/ec-secp256k1.spki"))
        }
        KeySpec::Ed25519 => return ed25519(),
        KeySpec::MlDsa65 => return Fixture { private: pattern(32), public: None },
        _ => {
            let len = spec.bits().expect("a symmetric key has a size") / 8;
            return Fixture { private: pattern(len as usize), public: None };
        }
    };
    Fixture { private: private.to_vec(), public: Some(public.to_vec()) }
}

/// RFC 8032 section 7.1, test 1.
fn ed25519() -> Fixture {
    let hex = |text| hex::decode(text).expect("hex");
    let private = hex("9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60");
    let public = hex("302a300506032b6570032100\
                      d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a");
    Fixture { private, public: Some(public) }
}

fn pattern(len: usize) -> Vec<u8> {
    (0..len).map(|i| i as u8 ^ 0x5a).collect()
}
