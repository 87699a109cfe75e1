//! One thread's way through a keyhost.

use std::sync::Arc;

use keyreeve_backend::{Custody, Encrypted, Error, Material, NewKey, PrivateKey, Sealed, Session};
use keyreeve_keyhost::{Binding, CallError, Ciphertext, NewVersion, SealedKey};
use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeyId, KeyOps, KeySpec, KeyState, MacAlgorithm, Secret,
    SignatureAlgorithm, VersionId, WrapAlgorithm,
};

use super::{
    policy, private_key,
    private_key::seal_import,
    soon,
    through::{Front, Record, VAULT, contract},
};

/// A [`Session`] whose every call goes to a keyhost.
pub struct ThroughSession {
    front: Arc<Front>,
    custody: Custody,
}

impl ThroughSession {
    pub(super) const fn new(front: Arc<Front>, custody: Custody) -> Self {
        Self { front, custody }
    }

    /// Keeps a record of a new key, and shows the key as the contract does.
    fn keep(&self, binding: Binding, made: NewVersion) -> NewKey<SealedKey> {
        let NewVersion { policy, sealed, public, slot } = made;
        let vault_key = Arc::clone(&self.front.vault_key);
        let key = SealedKey { binding, policy, vault_key, sealed: sealed.into(), slot };
        let record = Record { key, public };
        self.front.keep(record.clone());
        self.show(record)
    }

    fn show(&self, record: Record) -> NewKey<SealedKey> {
        let Record { key, public } = record;
        let material = match self.custody {
            // What a device cannot wrap stays in it.
            _ if key.slot.is_some() => Material::Resident,
            Custody::Portable => Material::Portable(Secret::new(key.sealed.to_vec())),
            Custody::Wrapped => {
                let made_for = key.policy.made_for;
                Material::Wrapped { blob: key.sealed.to_vec(), made_for }
            }
            Custody::Resident => Material::Resident,
        };
        NewKey { key, material, public }
    }

    /// The record of `id`, or one that nobody sealed, for a key that never was.
    fn record_or_forged(&self, id: VersionId, spec: KeySpec) -> SealedKey {
        match self.front.record(id) {
            Some(record) => record.key,
            None => SealedKey {
                binding: binding(id),
                policy: policy(spec, spec.operations()),
                vault_key: Arc::clone(&self.front.vault_key),
                sealed: [].into(),
                slot: None,
            },
        }
    }

    /// Has the keyhost open `key`. No call does only that; a comparison of tags opens
    /// any key, whatever then becomes of the comparison.
    fn touch(&self, key: &SealedKey) -> Result<(), Error> {
        if self.custody != Custody::Resident && key.slot.is_none() {
            // There is nothing to destroy but what is open: so it is opened anew.
            self.front.call(self.front.client.destroy(key, soon()))?;
        }
        let client = &self.front.client;
        match self.front.ask(client.verify_mac(key, MacAlgorithm::Hs256, b"", b"", soon())) {
            Ok(_)
            | Err(
                CallError::WrongAlgorithm | CallError::NotAllowed(KeyState::OperationNotAllowed),
            ) => Ok(()),
            Err(refusal) => Err(contract(refusal)),
        }
    }
}

impl Session for ThroughSession {
    type Key = SealedKey;

    fn generate(
        &mut self,
        id: VersionId,
        spec: KeySpec,
        ops: KeyOps,
    ) -> Result<NewKey<SealedKey>, Error> {
        let (policy, vault_key) = (policy(spec, ops), &self.front.vault_key);
        let call = self.front.client.generate(binding(id), &policy, vault_key, soon());
        match (self.front.ask(call), self.front.record(id)) {
            (Ok(made), _) => Ok(self.keep(binding(id), made)),
            // A keyhost seals a key of its slot once, and then refuses: for a call that
            // is repeated, its first answer is the one that is on record.
            (Err(CallError::Protocol), Some(record)) if self.custody == Custody::Resident => {
                Ok(self.show(record))
            }
            (Err(refusal), _) => Err(contract(refusal)),
        }
    }

    fn import(
        &mut self,
        id: VersionId,
        spec: KeySpec,
        ops: KeyOps,
        private: PrivateKey,
    ) -> Result<NewKey<SealedKey>, Error> {
        let (client, vault_key) = (&self.front.client, &self.front.vault_key);
        let described = client.description();
        let described = described.ok_or_else(|| Error::DeviceFailed("not described".to_owned()))?;
        let encoded = private_key::encode(spec, &private);
        let sealed = seal_import(&described.recipient, b"vaults/v/keys/k", &encoded);
        let (policy, key) = (policy(spec, ops), sealed.as_imported());
        let call = client.import(binding(id), &policy, false, vault_key, key, soon());
        let taken = self.front.call(call)?;
        Ok(self.keep(binding(id), taken))
    }

    fn open(
        &mut self,
        id: VersionId,
        spec: KeySpec,
        material: Material,
    ) -> Result<SealedKey, Error> {
        let on_record = self.front.record(id).is_some();
        let mut key = self.record_or_forged(id, spec);
        // What a keyhost takes for a corrupt record: material of the other custody, and
        // a resident key that it never sealed.
        let corrupt_means = match (material, self.custody) {
            (Material::Portable(sealed), custody) => {
                key.sealed = sealed.expose().as_slice().into();
                match custody {
                    Custody::Portable => Error::CorruptKey,
                    Custody::Resident | Custody::Wrapped => Error::Unsupported,
                }
            }
            (Material::Wrapped { blob, .. }, custody) => {
                key.sealed = blob.into();
                match custody {
                    Custody::Wrapped => Error::CorruptKey,
                    Custody::Resident | Custody::Portable => Error::Unsupported,
                }
            }
            (Material::Resident, Custody::Portable) => Error::Unsupported,
            (Material::Resident, Custody::Resident) if on_record => Error::CorruptKey,
            (Material::Resident, Custody::Resident | Custody::Wrapped) => Error::KeyMissing,
        };
        match self.touch(&key) {
            Ok(()) => Ok(key),
            Err(Error::CorruptKey) => Err(corrupt_means),
            Err(other) => Err(other),
        }
    }

    fn destroy(&mut self, id: VersionId, spec: KeySpec) -> Result<(), Error> {
        let key = self.record_or_forged(id, spec);
        self.front.call(self.front.client.destroy(&key, soon()))
    }

    fn sign(
        &mut self,
        key: &SealedKey,
        algorithm: SignatureAlgorithm,
        input: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let call = self.front.client.sign(key, algorithm, input, soon());
        out.extend(self.front.call(call)?);
        Ok(())
    }

    fn mac(
        &mut self,
        key: &SealedKey,
        algorithm: MacAlgorithm,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let call = self.front.client.mac(key, algorithm, message, soon());
        out.extend(self.front.call(call)?);
        Ok(())
    }

    fn encrypt(
        &mut self,
        key: &SealedKey,
        mode: AesMode,
        aad: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Encrypted, Error> {
        let call = self.front.client.encrypt(key, mode, aad, plaintext, soon());
        let Ciphertext { iv, ciphertext, tag } = self.front.call(call)?;
        let parts = match mode {
            AesMode::Gcm => Encrypted::gcm(exactly(&iv)?, exactly(&tag)?),
            AesMode::Cbc | AesMode::CbcPad => Encrypted::cbc(exactly(&iv)?),
        };
        out.extend(ciphertext);
        Ok(parts)
    }

    fn decrypt(
        &mut self,
        key: &SealedKey,
        algorithm: EncryptionAlgorithm,
        sealed: Sealed<'_>,
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let call = self.front.client.decrypt(key, algorithm, sealed, soon());
        out.extend_from_slice(&self.front.call(call)?);
        Ok(())
    }

    fn wrap(
        &mut self,
        key: &SealedKey,
        padded: bool,
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let call = self.front.client.wrap(key, padded, plaintext, soon());
        out.extend(self.front.call(call)?);
        Ok(())
    }

    fn unwrap(
        &mut self,
        key: &SealedKey,
        algorithm: WrapAlgorithm,
        wrapped: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let call = self.front.client.unwrap(key, algorithm, wrapped, soon());
        out.extend_from_slice(&self.front.call(call)?);
        Ok(())
    }

    fn random(&mut self, out: &mut [u8]) -> Result<(), Error> {
        for part in out.chunks_mut(usize::from(u16::MAX)) {
            let size = u16::try_from(part.len()).expect("a chunk is no longer than that");
            part.copy_from_slice(&self.front.call(self.front.client.random(size, soon()))?);
        }
        Ok(())
    }

    /// The keyhost asks its canary itself.
    fn check(&mut self) -> Result<(), Error> {
        Ok(())
    }
}

/// A key of its own for each version.
const fn binding(id: VersionId) -> Binding {
    Binding { vault: VAULT, key: KeyId::from_bytes(*id.as_bytes()), version: id }
}

fn exactly<const N: usize>(part: &[u8]) -> Result<[u8; N], Error> {
    part.try_into().map_err(|_| Error::DeviceFailed(format!("a part of {} bytes", part.len())))
}
