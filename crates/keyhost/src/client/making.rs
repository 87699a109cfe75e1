//! Making keys, putting them under new rules, and destroying them.

use std::{sync::Arc, time::Duration};

use keyreeve_backend::Custody;
use keyreeve_types::{KeyPolicy, VaultId};

use super::{CallError, Client, UNAVAILABLE, Way, calls::bytes, queue::Lane};
use crate::{
    codec::Body,
    deadline::Deadline,
    frame::{Request, Response, SealedImport},
    key::{Binding, SealedKey},
};

/// A version that was just made, imported or put under new rules.
#[derive(Debug, Clone)]
pub struct NewVersion {
    /// Its rules, as they were sealed; they say what kind of key it is.
    pub policy: KeyPolicy,
    /// Its material, sealed.
    pub sealed: Vec<u8>,
    /// SubjectPublicKeyInfo, DER. `None` for AES and HMAC, and after new rules.
    pub public: Option<Vec<u8>>,
    /// The slot that alone can use it; `None` if any of its group can, and after new
    /// rules.
    pub slot: Option<Arc<str>>,
}

/// A private key, sealed to a keyhost's import recipient.
#[derive(Debug, Clone, Copy)]
pub struct ImportedKey<'a> {
    /// Which recipient.
    pub recipient: u64,
    /// HPKE encapsulated key.
    pub encapsulated: &'a [u8],
    /// HPKE ciphertext.
    pub ciphertext: &'a [u8],
    /// HPKE associated data.
    pub aad: &'a [u8],
}

impl Client {
    /// Makes the key of a new vault and returns it sealed; empty where every key stays in
    /// the backend.
    pub async fn create_vault_key(
        &self,
        vault: VaultId,
        deadline: Deadline,
    ) -> Result<Vec<u8>, CallError> {
        let way = Way { lane: Lane::Heavy, deadline, can_move: true };
        let request = || Request::CreateVaultKey(vault);
        self.call_without_key(None, way, request, bytes).await.map(|(key, _)| key)
    }

    /// Makes a key of `policy.spec` for `policy.made_for`.
    pub async fn generate(
        &self,
        binding: Binding,
        policy: &KeyPolicy,
        vault_key: &Arc<[u8]>,
        deadline: Deadline,
    ) -> Result<NewVersion, CallError> {
        let request = || Request::Generate { binding, policy: policy.clone(), vault_key };
        // Of a wrapped key that nobody heard of there is nothing left; a resident one
        // would be there twice.
        let can_move = self
            .description()
            .is_some_and(|described| described.capabilities.custody == Custody::Wrapped);
        let way = Way { lane: Lane::Slow, deadline, can_move };
        let (made, place) = self.call_without_key(None, way, request, new_version).await?;
        self.settled(binding, vault_key, made, place, deadline).await
    }

    /// Takes an imported key. Unless `any_spec`, it must be of `policy.spec`. Where
    /// `policy.made_for` is empty it becomes all that the kind and the backend allow.
    pub async fn import(
        &self,
        binding: Binding,
        policy: &KeyPolicy,
        any_spec: bool,
        vault_key: &Arc<[u8]>,
        key: ImportedKey<'_>,
        deadline: Deadline,
    ) -> Result<NewVersion, CallError> {
        let ImportedKey { recipient, encapsulated, ciphertext, aad } = key;
        let sealed = SealedImport { recipient, encapsulated, ciphertext, aad };
        let policy = policy.clone();
        let request = Request::Import { binding, policy, any_spec, vault_key, sealed };
        // Only the keyhost that it is sealed to can open it.
        let place = self.0.members.iter().position(|place| {
            place.connection.description().is_some_and(|it| it.recipient.id == recipient)
        });
        let place = place.ok_or(CallError::WrongRecipient)?;
        let way = Way { lane: Lane::Slow, deadline, can_move: false };
        let connection = &self.0.members[place].connection;
        let made = connection.call(way, None, request, new_version).await?;
        self.settled(binding, vault_key, made, place, deadline).await
    }

    /// Seals a key under new rules, whose revision must be the next.
    pub async fn reseal(
        &self,
        key: &SealedKey,
        policy: &KeyPolicy,
        deadline: Deadline,
    ) -> Result<NewVersion, CallError> {
        let way = Way { lane: Lane::Heavy, deadline, can_move: true };
        let request = || Request::Reseal { opening: key.opening(), policy: policy.clone() };
        self.call_without_key(key.slot(), way, request, new_version).await.map(|(made, _)| made)
    }

    /// Destroys a key that lives in the backend, and confirms that it is gone. Every
    /// keyhost that may have it open forgets it.
    pub async fn destroy(&self, key: &SealedKey, deadline: Deadline) -> Result<(), CallError> {
        let way = Way { lane: Lane::Slow, deadline, can_move: false };
        let mut outcome = Err(UNAVAILABLE);
        for place in &self.0.members {
            if key.slot().is_some_and(|slot| slot != place.slot) {
                continue;
            }
            let request = Request::Destroy { opening: key.opening() };
            let done = place.connection.call(way, None, request, done).await;
            // A keyhost that is not there has nothing open.
            if outcome.is_err() || !matches!(done, Err(CallError::Unavailable { .. }) | Ok(())) {
                outcome = done;
            }
        }
        outcome
    }

    /// A new key that was made at `place`: where it can be used from now on. A wrapped one
    /// is opened in other slots first, until as many have it as must.
    async fn settled(
        &self,
        binding: Binding,
        vault_key: &Arc<[u8]>,
        mut made: NewVersion,
        place: usize,
        deadline: Deadline,
    ) -> Result<NewVersion, CallError> {
        let slot = self.0.members[place].slot.as_str();
        let key = SealedKey {
            binding,
            policy: made.policy.clone(),
            vault_key: Arc::clone(vault_key),
            sealed: made.sealed.as_slice().into(),
            slot: None,
        };
        if key.is_bound_to_slot() {
            made.slot = Some(slot.into());
            return Ok(made);
        }
        let need = self.0.min_replicas;
        let mut have = 1;
        for other in self.0.other_slots(slot) {
            if have >= need {
                break;
            }
            let deadline = Deadline::after(deadline.remaining().min(OPEN_WITHIN));
            let way = Way { lane: Lane::Heavy, deadline, can_move: true };
            let request = || Request::Open { opening: key.opening() };
            match self.call_without_key(Some(other), way, request, done).await {
                Ok(_) => have += 1,
                Err(error) => {
                    tracing::warn!(slot = other, %error, "a slot of the group has no new keys");
                }
            }
        }
        if have < need { Err(CallError::TooFewReplicas { have, need }) } else { Ok(made) }
    }
}

/// How long a slot may take to show that it opens a new key.
const OPEN_WITHIN: Duration = Duration::from_secs(5);

fn done(_: &Body, response: Response<'_>) -> Result<(), CallError> {
    match response {
        Response::Done => Ok(()),
        _ => Err(CallError::Protocol),
    }
}

fn new_version(_: &Body, response: Response<'_>) -> Result<NewVersion, CallError> {
    match response {
        Response::Key { policy, sealed, public } => Ok(NewVersion {
            policy,
            sealed: sealed.to_vec(),
            public: (!public.is_empty()).then(|| public.to_vec()),
            slot: None,
        }),
        _ => Err(CallError::Protocol),
    }
}
