//! Keys made elsewhere, sealed to this keyhost.
//!
//! The key pair is made anew with every start and never leaves memory. What was
//! sealed to it can be opened here only, so an imported private key crosses the
//! front as ciphertext. HPKE (RFC 9180), base mode, single shot; the suite and the
//! labels are in `keys.proto`.

use std::io;

use keyreeve_types::Secret;
use rustls::crypto::{
    aws_lc_rs::hpke::DH_KEM_X25519_HKDF_SHA256_AES_256 as SUITE,
    hpke::{EncapsulatedSecret, Hpke, HpkePrivateKey},
};

use crate::frame::Recipient;

/// The HPKE `info` of an import.
pub(crate) const INFO: &[u8] = b"keyreeve import v1";

/// The import key pair of one start of a keyhost.
pub(super) struct ImportKey {
    private: HpkePrivateKey,
    recipient: Recipient,
}

impl ImportKey {
    pub(super) fn new() -> io::Result<Self> {
        let failed = |_| io::Error::other("no import key could be made");
        let (public, private) = SUITE.generate_key_pair().map_err(failed)?;
        let public_key = public.0.try_into().map_err(|_| io::Error::other("not an X25519 key"))?;
        let mut id = [0; 8];
        aws_lc_rs::rand::fill(&mut id).map_err(|_| io::Error::other("no random bytes"))?;
        let recipient = Recipient { id: u64::from_be_bytes(id), public_key };
        Ok(Self { private, recipient })
    }

    pub(super) fn recipient(&self) -> Recipient {
        self.recipient.clone()
    }

    /// Opens what was sealed to it; `None` if it does not open.
    pub(super) fn open(
        &self,
        encapsulated: &[u8],
        aad: &[u8],
        ciphertext: &[u8],
    ) -> Option<Secret<Vec<u8>>> {
        let encapsulated = EncapsulatedSecret(encapsulated.to_vec());
        SUITE.open(&encapsulated, INFO, aad, ciphertext, &self.private).ok().map(Secret::new)
    }
}
