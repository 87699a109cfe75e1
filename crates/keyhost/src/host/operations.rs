//! What an open key does.
//!
//! Each checks that the algorithm fits the kind of the key before the backend sees
//! it. Results are put together in the scratch buffer and lent to the response.

use keyreeve_backend::{InvalidInput, KeyBackend, Sealed, Session};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, MacAlgorithm, Operation, SignatureAlgorithm, WrapAlgorithm,
};
use serde_bytes::Bytes;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::{
    open_keys::OpenKey,
    serve::{Desk, Refusal},
};
use crate::frame::{DataKeySeal, Encrypted, MAX_PAYLOAD, MAX_TOGETHER, Opening, Response};

impl<'a, B: KeyBackend> Desk<'a, B> {
    pub(super) fn sign(
        self,
        open: &OpenKey<B::Key>,
        algorithm: SignatureAlgorithm,
        input: &[u8],
    ) -> Result<Response<'a>, Refusal> {
        fits(algorithm.fits(open.policy.spec))?;
        self.session.sign(&open.key, algorithm, input, self.scratch)?;
        Ok(Response::Bytes(self.scratch))
    }

    /// Several with one key, end to end. One that fails fails them all.
    pub(super) fn sign_each(
        self,
        open: &OpenKey<B::Key>,
        algorithm: SignatureAlgorithm,
        inputs: &[&Bytes],
    ) -> Result<Response<'a>, Refusal> {
        fits(algorithm.fits(open.policy.spec))?;
        if inputs.len() > MAX_TOGETHER {
            return Err(Refusal::Malformed);
        }
        for input in inputs {
            self.progress.step();
            self.session.sign(&open.key, algorithm, input, self.scratch)?;
        }
        Ok(Response::Bytes(self.scratch))
    }

    pub(super) fn mac(
        self,
        open: &OpenKey<B::Key>,
        algorithm: MacAlgorithm,
        message: &[u8],
    ) -> Result<Response<'a>, Refusal> {
        fits(algorithm.fits(open.policy.spec))?;
        self.session.mac(&open.key, algorithm, message, self.scratch)?;
        Ok(Response::Bytes(self.scratch))
    }

    pub(super) fn verify_mac(
        self,
        open: &OpenKey<B::Key>,
        algorithm: MacAlgorithm,
        message: &[u8],
        tag: &[u8],
    ) -> Result<Response<'a>, Refusal> {
        fits(algorithm.fits(open.policy.spec))?;
        self.session.mac(&open.key, algorithm, message, self.scratch)?;
        Ok(Response::Matches(self.scratch.ct_eq(tag).into()))
    }

    pub(super) fn encrypt(
        self,
        open: &OpenKey<B::Key>,
        mode: AesMode,
        aad: &[u8],
        plaintext: &[u8],
    ) -> Result<Response<'a>, Refusal> {
        fits(open.policy.spec.is_aes())?;
        let parts = self.session.encrypt(&open.key, mode, aad, plaintext, self.scratch)?;
        let len = self.scratch.len();
        self.scratch.extend_from_slice(parts.iv());
        self.scratch.extend_from_slice(parts.tag());
        let (ciphertext, rest) = self.scratch.split_at(len);
        let (iv, tag) = rest.split_at(parts.iv().len());
        Ok(Response::Encrypted(Encrypted { iv, ciphertext, tag }))
    }

    pub(super) fn decrypt(
        self,
        open: &OpenKey<B::Key>,
        algorithm: EncryptionAlgorithm,
        sealed: Sealed<'_>,
    ) -> Result<Response<'a>, Refusal> {
        fits(algorithm.fits(open.policy.spec))?;
        self.session.decrypt(&open.key, algorithm, sealed, self.scratch)?;
        Ok(Response::Bytes(self.scratch))
    }

    pub(super) fn wrap(
        self,
        open: &OpenKey<B::Key>,
        padded: bool,
        plaintext: &[u8],
    ) -> Result<Response<'a>, Refusal> {
        fits(open.policy.spec.is_aes())?;
        self.session.wrap(&open.key, padded, plaintext, self.scratch)?;
        Ok(Response::Bytes(self.scratch))
    }

    pub(super) fn unwrap(
        self,
        open: &OpenKey<B::Key>,
        algorithm: WrapAlgorithm,
        wrapped: &[u8],
    ) -> Result<Response<'a>, Refusal> {
        fits(algorithm.fits(open.policy.spec))?;
        self.session.unwrap(&open.key, algorithm, wrapped, self.scratch)?;
        Ok(Response::Bytes(self.scratch))
    }

    /// Draws a data key and seals it in the same step, so that one which was asked
    /// for wrapped only never leaves this process.
    pub(super) fn generate_data_key(
        mut self,
        under: DataKeySeal<'_>,
        opening: Option<&Opening<'_>>,
        size: u16,
        wrapped_only: bool,
    ) -> Result<Response<'a>, Refusal> {
        let mut key = Zeroizing::new(vec![0; usize::from(size)]);
        self.session.random(&mut key)?;
        let clear = if wrapped_only { 0 } else { key.len() };
        self.scratch.extend_from_slice(&key[..clear]);

        let (mut iv, mut tag) = (Vec::new(), Vec::new());
        match under {
            DataKeySeal::Wrap { key: kek, padded } => {
                let open = self.key(kek, opening, Operation::WrapKey)?;
                fits(open.policy.spec.is_aes())?;
                self.session.wrap(&open.key, padded, &key, self.scratch)?;
            }
            DataKeySeal::Gcm { key: kek, aad } => {
                let open = self.key(kek, opening, Operation::Encrypt)?;
                fits(open.policy.spec.is_aes())?;
                let parts =
                    self.session.encrypt(&open.key, AesMode::Gcm, aad, &key, self.scratch)?;
                (iv, tag) = (parts.iv().to_vec(), parts.tag().to_vec());
            }
            DataKeySeal::Rsa { padding, public } => {
                PublicKey::from_spki(public)?.encrypt(padding, &key, self.scratch)?;
            }
        }
        let sealed_end = self.scratch.len();
        self.scratch.extend_from_slice(&iv);
        self.scratch.extend_from_slice(&tag);
        let (sealed, rest) = self.scratch.split_at(sealed_end);
        let (key, ciphertext) = sealed.split_at(clear);
        let (iv, tag) = rest.split_at(iv.len());
        Ok(Response::DataKey { key, sealed: Encrypted { iv, ciphertext, tag } })
    }

    pub(super) fn random(self, size: u16) -> Result<Response<'a>, Refusal> {
        let size = usize::from(size);
        if size > MAX_PAYLOAD {
            return Err(InvalidInput::TooLong.into());
        }
        self.scratch.resize(size, 0);
        self.session.random(self.scratch)?;
        Ok(Response::Bytes(self.scratch))
    }
}

const fn fits(fits: bool) -> Result<(), Refusal> {
    if fits { Ok(()) } else { Err(Refusal::WrongAlgorithm) }
}
