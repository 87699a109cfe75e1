//! An outside opinion on signatures and RSA ciphertexts, for the conformance suite.

use keyreeve_backend::conformance::Outside;
use keyreeve_publickey::PublicKey;
use keyreeve_types::{RsaPadding, SignatureAlgorithm};

/// Judges and encrypts with the product's own public-key crate, which is aws-lc and is
/// itself judged by vectors. An outside opinion on SoftHSM, which computes with
/// OpenSSL; on the software keystore, only on what lies between it and the caller.
pub struct AwsLc;

impl Outside for AwsLc {
    fn verify(
        &self,
        spki: &[u8],
        algorithm: SignatureAlgorithm,
        input: &[u8],
        signature: &[u8],
    ) -> bool {
        let key = PublicKey::from_spki(spki).expect("a public key that parses");
        key.verify(algorithm, input, signature).expect("an algorithm that fits")
    }

    fn encrypt(&self, spki: &[u8], padding: RsaPadding, plaintext: &[u8]) -> Vec<u8> {
        let mut ciphertext = Vec::new();
        let key = PublicKey::from_spki(spki).expect("a public key that parses");
        key.encrypt(padding, plaintext, &mut ciphertext).expect("it fits the key");
        ciphertext
    }
}
