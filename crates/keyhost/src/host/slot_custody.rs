//! How a slot vouches for keys, without a root key.
//!
//! ```text
//! vault key     1 │ 3 │ HMAC-SHA-256 under it, of the vault │ it, wrapped by the slot
//! resident key  1 │ 2 │ HMAC-SHA-256 under the vouching key
//! wrapped key   1 │ 3 │ envelope under HMAC-SHA-256(the vouching key, the version), of
//!               the key, wrapped by the slot
//! ```
//!
//! The vouching key is the vault's where it has one, and so the same in every slot that
//! holds the group's wrapping key. A vault of a slot that did not wrap has none: there it
//! is the slot's policy key, and what that vouches for, only that slot takes (then the
//! second byte of a wrapped key is 4). Both are HMAC keys that never leave the slot in
//! the clear.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
};

use keyreeve_backend::{Capabilities, Error, KeyBackend, Material, Session};
use keyreeve_types::{KeyOps, KeyPolicy, KeySpec, MacAlgorithm, Operation, VaultId, VersionId};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::custody::{FORMAT, POLICY_KEY, key_aad};
use crate::{
    envelope,
    frame::Opening,
    key::{Binding, LONE, RESIDENT, WRAPPED},
};

/// Vault keys that are open at a time.
const VAULTS: usize = 1_000;
/// Length of an HMAC-SHA-256 tag.
const TAG: usize = 32;
/// What vault keys and the policy key do.
const VOUCHING: KeyOps = KeyOps::of(&[Operation::Sign, Operation::Verify]);

/// What a slot vouches with.
pub(super) struct SlotCustodian<K> {
    /// A token object. `None` in a slot that wraps and has never done anything else.
    policy_key: Option<K>,
    wraps: bool,
    vaults: RwLock<HashMap<VaultId, K>>,
}

impl<K: Clone> SlotCustodian<K> {
    pub(super) fn new<B: KeyBackend<Key = K>>(backend: &B) -> Result<Self, Error> {
        let mut session = backend.open_session()?;
        let wraps = wraps(backend.capabilities());
        let policy_key = if wraps {
            match session.open(POLICY_KEY, KeySpec::Hmac256, Material::Resident) {
                Err(Error::KeyMissing) => None,
                opened => Some(opened?),
            }
        } else {
            Some(session.generate(POLICY_KEY, KeySpec::Hmac256, VOUCHING)?.key)
        };
        Ok(Self { policy_key, wraps, vaults: RwLock::default() })
    }

    /// Makes the key of a new vault; empty where the slot does not wrap.
    pub(super) fn create_vault_key<S: Session<Key = K>>(
        &self,
        session: &mut S,
        vault: VaultId,
    ) -> Result<Vec<u8>, Error> {
        if !self.wraps {
            return Ok(Vec::new());
        }
        let made = session.generate(object_id(vault), KeySpec::Hmac256, VOUCHING)?;
        let Material::Wrapped { blob, .. } = made.material else {
            session.destroy(object_id(vault), KeySpec::Hmac256)?;
            return Err(Error::Unsupported);
        };
        let mut sealed = vec![FORMAT, WRAPPED];
        session.mac(&made.key, MacAlgorithm::Hs256, &vault_text(vault), &mut sealed)?;
        sealed.extend(blob);
        self.remember(vault, &made.key);
        Ok(sealed)
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
        match material {
            Material::Resident => {
                let mut sealed = vec![FORMAT, RESIDENT];
                let text = key_aad(&NO_DEPLOYMENT, binding, policy);
                self.vouch(session, binding, vault_key, &text, &mut sealed)?;
                Ok(sealed)
            }
            Material::Wrapped { blob, made_for } if *made_for == policy.made_for => {
                let kind = if vault_key.is_empty() { LONE } else { WRAPPED };
                let data_key = self.data_key(session, binding, vault_key)?;
                let aad = key_aad(&NO_DEPLOYMENT, binding, policy);
                let mut sealed = vec![FORMAT, kind];
                sealed.extend(envelope::seal(&data_key, &aad, blob));
                Ok(sealed)
            }
            Material::Wrapped { .. } | Material::Portable(_) => Err(Error::Unsupported),
        }
    }

    /// Opens a sealed key.
    pub(super) fn open<S: Session<Key = K>>(
        &self,
        session: &mut S,
        from: &Opening<'_>,
    ) -> Result<Material, Error> {
        let Opening { binding, policy, vault_key, sealed } = from;
        match *sealed {
            [FORMAT, RESIDENT, tag @ ..] => {
                let text = key_aad(&NO_DEPLOYMENT, binding, policy);
                let mut expected = Vec::with_capacity(TAG);
                self.vouch(session, binding, vault_key, &text, &mut expected)?;
                let genuine = expected.ct_eq(tag).into();
                if genuine { Ok(Material::Resident) } else { Err(Error::CorruptKey) }
            }
            [FORMAT, kind @ (WRAPPED | LONE), envelope @ ..] => {
                if (*kind == LONE) != vault_key.is_empty() {
                    return Err(Error::CorruptKey);
                }
                let data_key = self.data_key(session, binding, vault_key)?;
                let aad = key_aad(&NO_DEPLOYMENT, binding, policy);
                let blob = envelope::open(&data_key, &aad, envelope)
                    .map_err(|envelope::OpenFailed| Error::CorruptKey)?;
                Ok(Material::Wrapped { blob: blob.expose().clone(), made_for: policy.made_for })
            }
            _ => Err(Error::CorruptKey),
        }
    }

    /// The key of one version's envelope.
    fn data_key<S: Session<Key = K>>(
        &self,
        session: &mut S,
        binding: &Binding,
        vault_key: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, Error> {
        let Binding { vault, key, version } = binding;
        let text =
            [&b"keyreeve wrapped key v1"[..], vault.as_bytes(), key.as_bytes(), version.as_bytes()]
                .concat();
        let mut derived = Zeroizing::new(Vec::with_capacity(TAG));
        self.vouch(session, binding, vault_key, &text, &mut derived)?;
        let mut key = Zeroizing::new([0; 32]);
        key.copy_from_slice(derived.get(..32).ok_or(Error::FaultyResult)?);
        Ok(key)
    }

    /// HMAC-SHA-256 of `text` under the vouching key.
    fn vouch<S: Session<Key = K>>(
        &self,
        session: &mut S,
        binding: &Binding,
        vault_key: &[u8],
        text: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Error> {
        let mac = MacAlgorithm::Hs256;
        if vault_key.is_empty() {
            // Without one, what is asked about was sealed in another slot.
            let policy_key = self.policy_key.as_ref().ok_or(Error::KeyMissing)?;
            return session.mac(policy_key, mac, text, out);
        }
        if let Some(open) = self.known(binding.vault) {
            match session.mac(&open, mac, text, out) {
                // Its handle died with a session: once more, with a new one.
                Err(Error::KeyMissing | Error::SessionFailed(_)) => {}
                done => return done,
            }
        }
        let opened = open_vault_key(session, binding.vault, vault_key)?;
        self.remember(binding.vault, &opened);
        session.mac(&opened, mac, text, out)
    }

    fn known(&self, vault: VaultId) -> Option<K> {
        self.vaults.read().unwrap_or_else(PoisonError::into_inner).get(&vault).cloned()
    }

    fn remember(&self, vault: VaultId, key: &K) {
        let mut vaults = self.vaults.write().unwrap_or_else(PoisonError::into_inner);
        // More vaults are in use than are kept: start over rather than refuse.
        let dropped =
            if vaults.len() >= VAULTS { std::mem::take(&mut *vaults) } else { HashMap::new() };
        vaults.insert(vault, key.clone());
        drop(vaults);
        // What ends with it ends without the lock.
        drop(dropped);
    }
}

/// Opens a vault's key, and sees that it is that vault's: it vouches for itself.
fn open_vault_key<S: Session>(
    session: &mut S,
    vault: VaultId,
    sealed: &[u8],
) -> Result<S::Key, Error> {
    let [FORMAT, WRAPPED, rest @ ..] = sealed else { return Err(Error::CorruptKey) };
    let (tag, blob) = rest.split_at_checked(TAG).ok_or(Error::CorruptKey)?;
    let material = Material::Wrapped { blob: blob.to_vec(), made_for: VOUCHING };
    let key = session.open(object_id(vault), KeySpec::Hmac256, material)?;
    let mut expected = Vec::with_capacity(TAG);
    session.mac(&key, MacAlgorithm::Hs256, &vault_text(vault), &mut expected)?;
    if expected.ct_eq(tag).into() { Ok(key) } else { Err(Error::CorruptKey) }
}

/// Whether new keys of that backend leave it wrapped.
fn wraps(capabilities: &Capabilities) -> bool {
    capabilities.custody == keyreeve_backend::Custody::Wrapped
}

/// A slot belongs to whoever has its PIN, and knows no installation.
const NO_DEPLOYMENT: [u8; 16] = [0; 16];

fn vault_text(vault: VaultId) -> Vec<u8> {
    [&b"keyreeve slot vault v1"[..], vault.as_bytes()].concat()
}

/// The name of a vault's key while it is open.
const fn object_id(vault: VaultId) -> VersionId {
    VersionId::from_bytes(*vault.as_bytes())
}
