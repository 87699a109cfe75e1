//! The outside opinion for the conformance suite, and a random generator for the
//! `rsa` crate.

use keyreeve_backend::conformance::Outside;
use keyreeve_publickey::PublicKey;
use keyreeve_types::{RsaPadding, SignatureAlgorithm};
use ring::rand::{SecureRandom, SystemRandom};
use rsa::{
    Oaep, Pkcs1v15Encrypt, RsaPublicKey,
    pkcs8::DecodePublicKey,
    rand_core::{TryCryptoRng, TryRng},
    sha2::Sha256,
};
use sha1::Sha1;

/// Judges with our public-key crate, which the vectors judge, and encrypts with
/// the `rsa` crate.
pub(crate) struct OtherLibraries;

impl Outside for OtherLibraries {
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
        let key = RsaPublicKey::from_public_key_der(spki).expect("a public key that parses");
        match padding {
            RsaPadding::Oaep => key.encrypt(&mut Rng, Oaep::<Sha1>::new(), plaintext),
            RsaPadding::Oaep256 => key.encrypt(&mut Rng, Oaep::<Sha256>::new(), plaintext),
            RsaPadding::Pkcs1V15 => key.encrypt(&mut Rng, Pkcs1v15Encrypt, plaintext),
        }
        .expect("it fits the key")
    }
}

/// ring's generator, as the `rsa` crate wants one.
pub(crate) struct Rng;

impl TryRng for Rng {
    type Error = std::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        let mut bytes = [0; 4];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        SystemRandom::new().fill(bytes).expect("random bytes");
        Ok(())
    }
}

impl TryCryptoRng for Rng {}
