//! An RSA private key with its public half.
//!
//! Both belong together: every signature is verified with the public half before
//! it leaves, because one wrong signature computed with the Chinese remainder
//! theorem gives away a factor (Boneh, DeMillo and Lipton, 1997).

use std::sync::OnceLock;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der, PublicKeyX509Der},
    rsa::{OaepPrivateDecryptingKey, Pkcs1PrivateDecryptingKey, PrivateDecryptingKey},
    signature::{KeyPair, RsaKeyPair},
};
use keyreeve_backend::InvalidInput;
use keyreeve_publickey::PublicKey;
use keyreeve_types::KeySpec;

use crate::key::get_or_make;

/// An RSA private key. The forms for decrypting are made when first used, as most
/// keys either sign or decrypt.
pub(crate) struct RsaKey {
    pair: RsaKeyPair,
    public: PublicKey,
    oaep: OnceLock<OaepPrivateDecryptingKey>,
    pkcs1_v15: OnceLock<Pkcs1PrivateDecryptingKey>,
}

impl RsaKey {
    /// Parses PKCS#8 DER and checks that the modulus has the size of `spec`.
    pub(crate) fn parse(spec: KeySpec, pkcs8: &[u8]) -> Result<Self, InvalidInput> {
        let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| InvalidInput::MalformedKey)?;
        let key = Self::new(pair)?;
        if key.public.spec() == spec { Ok(key) } else { Err(InvalidInput::WrongKeyType) }
    }

    pub(crate) fn new(pair: RsaKeyPair) -> Result<Self, InvalidInput> {
        let spki: PublicKeyX509Der<'_> =
            pair.public_key().as_der().map_err(|_| InvalidInput::MalformedKey)?;
        let public = PublicKey::from_spki(spki.as_ref())?;
        Ok(Self { pair, public, oaep: OnceLock::new(), pkcs1_v15: OnceLock::new() })
    }

    pub(crate) fn pair(&self) -> &RsaKeyPair {
        &self.pair
    }

    pub(crate) fn public(&self) -> &PublicKey {
        &self.public
    }

    pub(crate) fn oaep(&self) -> Option<&OaepPrivateDecryptingKey> {
        get_or_make(&self.oaep, || OaepPrivateDecryptingKey::new(self.decrypting_key()?).ok())
    }

    pub(crate) fn pkcs1_v15(&self) -> Option<&Pkcs1PrivateDecryptingKey> {
        get_or_make(&self.pkcs1_v15, || Pkcs1PrivateDecryptingKey::new(self.decrypting_key()?).ok())
    }

    fn decrypting_key(&self) -> Option<PrivateDecryptingKey> {
        let pkcs8: Pkcs8V1Der<'_> = self.pair.as_der().ok()?;
        PrivateDecryptingKey::from_pkcs8(pkcs8.as_ref()).ok()
    }
}

#[cfg(test)]
impl RsaKey {
    /// A key whose public half is another's: its signatures do not verify, as
    /// those of a faulty computation would not.
    pub(crate) fn with_public_half_of(self, other: Self) -> Self {
        Self { public: other.public, ..self }
    }
}
