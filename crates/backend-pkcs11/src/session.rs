//! One thread's session in the token.
//!
//! An error between the `Init` and the last call of an operation leaves some
//! modules answering `CKR_OPERATION_ACTIVE` for ever. So every failed call costs the
//! session: [`Pkcs11Session::call`] replaces it before it reports the error. A new
//! one costs less than the failed call did.

use std::sync::Arc;

use cryptoki::{
    error::Error as Pkcs11Error, mechanism::Mechanism, object::ObjectHandle,
    session::Session as Raw,
};
use keyreeve_backend::{
    Capabilities, Encrypted, Error, Material, NewKey, PrivateKey, Sealed, Session,
};
use keyreeve_publickey::PublicKey;
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeyOps, KeySpec, MacAlgorithm, SignatureAlgorithm, VersionId,
    WrapAlgorithm,
};

use crate::{
    backend::Shared,
    decrypt, destroy, encrypt,
    error::{classify, of_ciphertext},
    generate,
    group::Group,
    import,
    keeper::{Keeper, SessionObject},
    mac, mechanism, open,
    profile::Quirks,
    provision::canary,
    random, sign,
    slot::Slot,
    unwrap, wrap,
};

/// A key in the token: the handle of its private or secret half, valid as long as
/// the process is logged in, and for an unwrapped key as long as this lives.
#[derive(Clone)]
pub struct Pkcs11Key {
    pub(crate) handle: ObjectHandle,
    pub(crate) spec: KeySpec,
    /// Of an unwrapped key: gone from the token with the last clone.
    pub(crate) _object: Option<Arc<SessionObject>>,
    /// Of a key whose signatures are verified before they leave: its public half.
    pub(crate) verifier: Option<Arc<PublicKey>>,
}

/// A session of one thread. Two threads in one session are undefined behaviour in
/// PKCS#11; this type is neither `Sync` nor shared.
pub struct Pkcs11Session {
    shared: Arc<Shared>,
    /// `None` after a session failed and no new one could be opened.
    raw: Option<Raw>,
    /// Where unwrapped keys live. `None` until one is needed, and after an error.
    keeper: Option<Arc<Keeper>>,
}

impl Pkcs11Session {
    pub(crate) fn open(shared: Arc<Shared>) -> Result<Self, Error> {
        let raw = Some(shared.slot.open_session()?);
        Ok(Self { shared, raw, keeper: None })
    }

    /// Runs one operation and, if it fails, replaces the session and classifies the
    /// error as [`classify`] does.
    pub(crate) fn call<T>(
        &mut self,
        operation: impl FnOnce(&Raw) -> Result<T, Pkcs11Error>,
    ) -> Result<T, Error> {
        self.call_or(classify, operation)
    }

    /// The same for a call that is given a caller's ciphertext: see [`of_ciphertext`].
    pub(crate) fn call_on_ciphertext<T>(
        &mut self,
        operation: impl FnOnce(&Raw) -> Result<T, Pkcs11Error>,
    ) -> Result<T, Error> {
        let shared = Arc::clone(&self.shared);
        self.call_or(|error| of_ciphertext(error, &shared.quirks), operation)
    }

    pub(crate) fn call_or<T>(
        &mut self,
        judge: impl FnOnce(&Pkcs11Error) -> Error,
        operation: impl FnOnce(&Raw) -> Result<T, Pkcs11Error>,
    ) -> Result<T, Error> {
        let raw = match &self.raw {
            Some(raw) => raw,
            None => self.raw.insert(self.shared.slot.open_session()?),
        };
        operation(raw).map_err(|error| {
            // The old session is closed before the new one is asked for.
            drop(self.raw.take());
            self.raw = self.shared.slot.open_session().ok();
            judge(&error)
        })
    }

    /// The mechanism of AES key wrap; of RFC 5649 the one that is known to be it here.
    pub(crate) fn key_wrap(&self, padded: bool) -> Option<Mechanism<'static>> {
        if padded {
            self.shared.kwp.map(mechanism::unparametrised)
        } else {
            Some(Mechanism::AesKeyWrap)
        }
    }

    /// Makes an object that lives longer than this session, in the [`Keeper`].
    pub(crate) fn keep(
        &mut self,
        judge: impl FnOnce(&Pkcs11Error) -> Error,
        make: impl FnOnce(&Raw) -> Result<ObjectHandle, Pkcs11Error>,
    ) -> Result<SessionObject, Error> {
        let keeper = match &self.keeper {
            Some(keeper) => Arc::clone(keeper),
            None => {
                let keeper = Arc::new(Keeper::new(self.shared.slot.open_session()?));
                Arc::clone(self.keeper.insert(keeper))
            }
        };
        keeper.make(make).map_err(|error| {
            // What is open in it stays; the next one is made in another session.
            self.keeper = None;
            judge(&error)
        })
    }

    pub(crate) fn group(&self) -> Option<&Group> {
        self.shared.group.as_ref()
    }

    pub(crate) fn shared(&self) -> Arc<Shared> {
        Arc::clone(&self.shared)
    }

    pub(crate) fn slot(&self) -> &Slot {
        &self.shared.slot
    }

    pub(crate) fn quirks(&self) -> &Quirks {
        &self.shared.quirks
    }

    pub(crate) fn capabilities(&self) -> &Capabilities {
        &self.shared.capabilities
    }
}

impl Session for Pkcs11Session {
    type Key = Pkcs11Key;

    fn generate(
        &mut self,
        id: VersionId,
        spec: KeySpec,
        ops: KeyOps,
    ) -> Result<NewKey<Pkcs11Key>, Error> {
        generate::generate(self, id, spec, ops)
    }

    fn import(
        &mut self,
        id: VersionId,
        spec: KeySpec,
        ops: KeyOps,
        private: PrivateKey,
    ) -> Result<NewKey<Pkcs11Key>, Error> {
        import::import(self, id, spec, ops, &private)
    }

    fn open(
        &mut self,
        id: VersionId,
        spec: KeySpec,
        material: Material,
    ) -> Result<Pkcs11Key, Error> {
        open::open(self, id, spec, &material)
    }

    fn destroy(&mut self, id: VersionId, spec: KeySpec) -> Result<(), Error> {
        destroy::destroy(self, id, spec)
    }

    fn sign(
        &mut self,
        key: &Pkcs11Key,
        algorithm: SignatureAlgorithm,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        sign::sign(self, key, algorithm, input, out)
    }

    fn mac(
        &mut self,
        key: &Pkcs11Key,
        algorithm: MacAlgorithm,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        mac::mac(self, key, algorithm, message, out)
    }

    fn encrypt(
        &mut self,
        key: &Pkcs11Key,
        mode: AesMode,
        aad: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Encrypted, Error> {
        encrypt::encrypt(self, key, mode, aad, plaintext, out)
    }

    fn decrypt(
        &mut self,
        key: &Pkcs11Key,
        algorithm: EncryptionAlgorithm,
        sealed: Sealed<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        decrypt::decrypt(self, key, algorithm, sealed, out)
    }

    fn wrap(
        &mut self,
        key: &Pkcs11Key,
        padded: bool,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        wrap::wrap(self, key, padded, plaintext, out)
    }

    fn unwrap(
        &mut self,
        key: &Pkcs11Key,
        algorithm: WrapAlgorithm,
        wrapped: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        unwrap::unwrap(self, key, algorithm, wrapped, out)
    }

    fn random(&mut self, out: &mut [u8]) -> Result<(), Error> {
        random::random(self, out)
    }

    fn check(&mut self) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        let Some(known) = &shared.canary else {
            // A slot by itself has none: all that can be asked is whether it is there.
            return shared.slot.confirm_present();
        };
        let raw = match &self.raw {
            Some(raw) => raw,
            None => self.raw.insert(shared.slot.open_session()?),
        };
        canary::prove(raw, known).inspect_err(|_| {
            drop(self.raw.take());
            self.raw = shared.slot.open_session().ok();
        })
    }
}
