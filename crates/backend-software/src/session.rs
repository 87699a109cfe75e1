//! The contract, spelled out: each operation is in the file of its name.

use keyreeve_backend::{
    Capabilities, Encrypted, Error, KeyBackend, Material, NewKey, PrivateKey, Sealed, Session,
};
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeyOps, KeySpec, MacAlgorithm, SignatureAlgorithm, VersionId,
    WrapAlgorithm,
};

use crate::{
    Key, capabilities, decrypt, encrypt, generate, import, mac, open, random, sign, unwrap, wrap,
};

/// The software keystore.
#[derive(Debug)]
pub struct SoftwareBackend {
    capabilities: Capabilities,
}

impl SoftwareBackend {
    /// A keystore. It holds nothing itself: keys live in their [`Key`].
    pub fn new() -> Self {
        Self { capabilities: capabilities::capabilities() }
    }
}

impl Default for SoftwareBackend {
    fn default() -> Self {
        Self::new()
    }
}

impl KeyBackend for SoftwareBackend {
    type Key = Key;
    type Session = SoftwareSession;

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn open_session(&self) -> Result<SoftwareSession, Error> {
        Ok(SoftwareSession(()))
    }
}

/// A session of the software keystore. It has no state: the keys are safe to use
/// from any thread.
#[derive(Debug)]
pub struct SoftwareSession(());

impl Session for SoftwareSession {
    type Key = Key;

    fn generate(&mut self, _: VersionId, spec: KeySpec, _: KeyOps) -> Result<NewKey<Key>, Error> {
        generate::generate(spec)
    }

    fn import(
        &mut self,
        _: VersionId,
        spec: KeySpec,
        _: KeyOps,
        private: PrivateKey,
    ) -> Result<NewKey<Key>, Error> {
        import::import(spec, private)
    }

    fn open(&mut self, _: VersionId, spec: KeySpec, material: Material) -> Result<Key, Error> {
        open::open(spec, material)
    }

    fn destroy(&mut self, _: VersionId, _: KeySpec) -> Result<(), Error> {
        Ok(())
    }

    fn sign(
        &mut self,
        key: &Key,
        algorithm: SignatureAlgorithm,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        sign::sign(key, algorithm, input, out)
    }

    fn mac(
        &mut self,
        key: &Key,
        algorithm: MacAlgorithm,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        mac::mac(key, algorithm, message, out)
    }

    fn encrypt(
        &mut self,
        key: &Key,
        mode: AesMode,
        aad: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Encrypted, Error> {
        encrypt::encrypt(key, mode, aad, plaintext, out)
    }

    fn decrypt(
        &mut self,
        key: &Key,
        algorithm: EncryptionAlgorithm,
        sealed: Sealed<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        decrypt::decrypt(key, algorithm, sealed, out)
    }

    fn wrap(
        &mut self,
        key: &Key,
        padded: bool,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        wrap::wrap(key, padded, plaintext, out)
    }

    fn unwrap(
        &mut self,
        key: &Key,
        algorithm: WrapAlgorithm,
        wrapped: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        unwrap::unwrap(key, algorithm, wrapped, out)
    }

    fn random(&mut self, out: &mut [u8]) -> Result<(), Error> {
        random::random(out)
    }

    /// There is no device that could be unwell.
    fn check(&mut self) -> Result<(), Error> {
        Ok(())
    }
}
