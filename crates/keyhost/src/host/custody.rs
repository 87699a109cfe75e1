//! How a key version is sealed for the store and opened again.
//!
//! ```text
//! portable  1 │ 1 │ envelope under the vault key, of a 32-byte data key │ envelope
//!           under the data key, of the private key
//! ```
//!
//! What slots do instead is in [`SlotCustodian`]. All are bound to vault, key, version
//! and the whole policy, a portable key to the installation as well. A portable or
//! wrapped key's bytes are inside; a resident one's are in the slot, and a tag proves
//! that the slot accepted it under this policy.

use std::{
    collections::HashMap,
    sync::{Arc, PoisonError, RwLock},
};

use aws_lc_rs::rand;
use keyreeve_backend::{Error, KeyBackend, Material, PrivateKey, Session};
use keyreeve_memory::KeyBytes;
use keyreeve_types::{KeyPolicy, VaultId, VersionId};
use zeroize::Zeroizing;

use super::slot_custody::SlotCustodian;
use crate::{
    envelope,
    frame::Opening,
    key::{Binding, PORTABLE},
    root_key::RootKey,
};

pub(super) const FORMAT: u8 = 1;

/// Length of a sealed data key.
const DATA_KEY: usize = envelope::sealed_len(32);

/// The object in a slot whose key authenticates policies.
pub(super) const POLICY_KEY: VersionId = VersionId::from_bytes(*b"keyreeve-policy1");

/// Who keeps the keys of a backend.
pub enum Custody {
    /// Envelopes under the root key keep them. For a portable backend.
    Root(RootKey),
    /// The slot keeps them, or what they are wrapped under. For a device.
    Slot,
}

/// [`Custody`], at work.
pub(super) enum Custodian<K> {
    Root { root: RootKey, vaults: RwLock<HashMap<VaultId, Arc<KeyBytes>>> },
    Slot(SlotCustodian<K>),
}

impl<K: Clone> Custodian<K> {
    pub(super) fn new<B: KeyBackend<Key = K>>(
        custody: Custody,
        backend: &B,
    ) -> Result<Self, Error> {
        Ok(match custody {
            Custody::Root(root) => Self::Root { root, vaults: RwLock::default() },
            Custody::Slot => Self::Slot(SlotCustodian::new(backend)?),
        })
    }

    /// The root key, if this keyhost has it.
    pub(super) const fn root(&self) -> Option<&RootKey> {
        match self {
            Self::Root { root, .. } => Some(root),
            Self::Slot(_) => None,
        }
    }

    /// Makes and seals the key of a new vault; empty where every key stays in the slot.
    pub(super) fn create_vault_key<S: Session<Key = K>>(
        &self,
        session: &mut S,
        vault: VaultId,
    ) -> Result<Vec<u8>, Error> {
        let root = match self {
            Self::Root { root, .. } => root,
            Self::Slot(slot) => return slot.create_vault_key(session, vault),
        };
        let mut key = Zeroizing::new([0; 32]);
        rand::fill(&mut *key).map_err(|_| Error::DeviceFailed("no random bytes".into()))?;
        let aad = vault_aad(root, vault);
        Ok(root.with_store_kek(|kek| envelope::seal(kek, &aad, &*key)))
    }

    /// Seals a new key.
    pub(super) fn seal<S: Session<Key = K>>(
        &self,
        session: &mut S,
        binding: &Binding,
        policy: &KeyPolicy,
        vault_key: &[u8],
        material: &Material,
    ) -> Result<Vec<u8>, Error> {
        match (self, material) {
            (Self::Root { root, .. }, Material::Portable(private)) => {
                let mut data_key = Zeroizing::new([0; 32]);
                rand::fill(&mut *data_key)
                    .map_err(|_| Error::DeviceFailed("no random bytes".into()))?;
                let vault = self.vault_key(binding.vault, vault_key)?;
                let aad = data_key_aad(root, binding);
                let mut sealed = vec![FORMAT, PORTABLE];
                sealed.extend(vault.with(|vault| envelope::seal(vault, &aad, &*data_key)));
                let aad = key_aad(root.deployment(), binding, policy);
                sealed.extend(envelope::seal(&data_key, &aad, private.expose()));
                Ok(sealed)
            }
            (Self::Slot(slot), _) => slot.seal(session, binding, policy, vault_key, material),
            (Self::Root { .. }, _) => Err(Error::Unsupported),
        }
    }

    /// Opens a sealed key. [`Error::CorruptKey`] if anything of it is not as sealed.
    pub(super) fn open<S: Session<Key = K>>(
        &self,
        session: &mut S,
        from: &Opening<'_>,
    ) -> Result<Material, Error> {
        match (self, from.sealed) {
            (Self::Root { root, .. }, [FORMAT, PORTABLE, sealed @ ..]) => {
                let (data_key, private) =
                    sealed.split_at_checked(DATA_KEY).ok_or(Error::CorruptKey)?;
                let data_key = self.data_key(root, &from.binding, from.vault_key, data_key)?;
                let aad = key_aad(root.deployment(), &from.binding, &from.policy);
                let private: PrivateKey = envelope::open(&data_key, &aad, private)
                    .map_err(|envelope::OpenFailed| Error::CorruptKey)?;
                Ok(Material::Portable(private))
            }
            (Self::Slot(slot), _) => slot.open(session, from),
            (Self::Root { .. }, _) => Err(Error::CorruptKey),
        }
    }

    fn data_key(
        &self,
        root: &RootKey,
        binding: &Binding,
        vault_key: &[u8],
        sealed: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, Error> {
        let vault = self.vault_key(binding.vault, vault_key)?;
        let aad = data_key_aad(root, binding);
        let opened = vault
            .with(|vault| envelope::open(vault, &aad, sealed))
            .map_err(|envelope::OpenFailed| Error::CorruptKey)?;
        let key = <[u8; 32]>::try_from(&opened.expose()[..]).map_err(|_| Error::CorruptKey)?;
        Ok(Zeroizing::new(key))
    }

    /// The key of a vault, opened once and then kept.
    fn vault_key(&self, id: VaultId, sealed: &[u8]) -> Result<Arc<KeyBytes>, Error> {
        let Self::Root { root, vaults } = self else { return Err(Error::Unsupported) };
        if let Some(key) = vaults.read().unwrap_or_else(PoisonError::into_inner).get(&id) {
            return Ok(Arc::clone(key));
        }
        let aad = vault_aad(root, id);
        let opened = root
            .with_store_kek(|kek| envelope::open(kek, &aad, sealed))
            .map_err(|envelope::OpenFailed| Error::CorruptKey)?;
        let mut key = <[u8; 32]>::try_from(&opened.expose()[..]).map_err(|_| Error::CorruptKey)?;
        let mut vaults = vaults.write().unwrap_or_else(PoisonError::into_inner);
        let kept = match root.vault().store(&mut key) {
            Some(kept) => kept,
            None => {
                // More vaults are in use than fit: start over rather than refuse.
                vaults.clear();
                root.vault()
                    .store(&mut key)
                    .ok_or_else(|| Error::DeviceFailed("no room for a vault key".into()))?
            }
        };
        let kept = Arc::new(kept);
        vaults.insert(id, Arc::clone(&kept));
        Ok(kept)
    }
}

fn vault_aad(root: &RootKey, vault: VaultId) -> Vec<u8> {
    [&b"keyreeve vault v1"[..], root.deployment(), vault.as_bytes()].concat()
}

fn data_key_aad(root: &RootKey, binding: &Binding) -> Vec<u8> {
    let Binding { vault, key, version } = binding;
    [
        &b"keyreeve data key v1"[..],
        root.deployment(),
        vault.as_bytes(),
        key.as_bytes(),
        version.as_bytes(),
    ]
    .concat()
}

pub(super) fn key_aad(deployment: &[u8; 16], binding: &Binding, policy: &KeyPolicy) -> Vec<u8> {
    let Binding { vault, key, version } = binding;
    [
        &b"keyreeve key v1"[..],
        deployment,
        vault.as_bytes(),
        key.as_bytes(),
        version.as_bytes(),
        &policy.to_bytes(),
    ]
    .concat()
}
