//! A keyhost, called by the contract of a backend.
//!
//! To its caller it is a backend like another. What the contract hands out and takes
//! back as the material of a portable key is here the *sealed* key, as the front keeps
//! it; and where the front would have a store, this has a map.
//!
//! A keyhost refuses more than a backend does, since it holds against a front that
//! lies: a key without a genuine record, an algorithm for another kind of key, an
//! operation the key was not made for. Each of these refusals stands for one error of
//! the contract; what stands for none is a [`Error::DeviceFailed`], which no caller
//! expects.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    thread,
};

use anyhow::{Context, Result};
use keyreeve_backend::{Capabilities, Error, KeyBackend};
use keyreeve_keyhost::{CallError, Client, ClientLink, SealedKey};
use keyreeve_types::{KeyState, VaultId, VersionId};
use tokio::{
    runtime::{Builder, Handle},
    sync::mpsc,
};

use super::{described, process::KeyhostProcess, session::ThroughSession, soon};

/// The vault of every key.
pub(super) const VAULT: VaultId = VaultId::from_bytes([1; 16]);

/// A keyhost process in the place of a backend.
///
/// Its client is driven by a thread of its own; sessions may be on any thread.
pub struct ThroughKeyhost {
    capabilities: Capabilities,
    front: Arc<Front>,
    /// Closed, they end the client's thread.
    _links: mpsc::Sender<Option<ClientLink>>,
    _keyhost: KeyhostProcess,
}

/// What the sessions share.
pub(super) struct Front {
    pub(super) client: Client,
    /// The vault's key, sealed.
    pub(super) vault_key: Arc<[u8]>,
    runtime: Handle,
    records: Mutex<HashMap<VersionId, Record>>,
}

/// What a store would hold of a key.
#[derive(Clone)]
pub(super) struct Record {
    pub(super) key: SealedKey,
    pub(super) public: Option<Vec<u8>>,
}

impl ThroughKeyhost {
    /// Joins a client to `keyhost`.
    ///
    /// # Errors
    ///
    /// If no thread can be had, or the keyhost does not answer.
    pub fn new(mut keyhost: KeyhostProcess) -> Result<Self> {
        let (client, driver) = Client::new("keyhost");
        let (links, receiver) = mpsc::channel(1);
        links.try_send(Some(keyhost.take_link()?)).context("the channel has room for one")?;
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let handle = runtime.handle().clone();
        thread::Builder::new().spawn(move || runtime.block_on(driver.run(receiver)))?;

        let (capabilities, vault_key) = handle.block_on(async {
            let capabilities = described(&client, None).await?.capabilities.clone();
            let vault_key = client.create_vault_key(VAULT, soon()).await?.into();
            anyhow::Ok((capabilities, vault_key))
        })?;
        let front = Front { client, vault_key, runtime: handle, records: Mutex::default() };
        Ok(Self { capabilities, front: Arc::new(front), _links: links, _keyhost: keyhost })
    }
}

impl KeyBackend for ThroughKeyhost {
    type Key = SealedKey;
    type Session = ThroughSession;

    fn capabilities(&self) -> &Capabilities {
        &self.capabilities
    }

    fn open_session(&self) -> Result<ThroughSession, Error> {
        Ok(ThroughSession::new(Arc::clone(&self.front), self.capabilities.custody))
    }
}

impl Front {
    /// Waits for a call, as a caller of the contract does.
    pub(super) fn call<T>(
        &self,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, Error> {
        self.runtime.block_on(call).map_err(contract)
    }

    /// Waits for a call, and keeps the keyhost's own refusals.
    pub(super) fn ask<T>(
        &self,
        call: impl Future<Output = Result<T, CallError>>,
    ) -> Result<T, CallError> {
        self.runtime.block_on(call)
    }

    pub(super) fn record(&self, id: VersionId) -> Option<Record> {
        self.records().get(&id).cloned()
    }

    pub(super) fn keep(&self, record: Record) {
        self.records().insert(record.key.binding.version, record);
    }

    fn records(&self) -> MutexGuard<'_, HashMap<VersionId, Record>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The error of the contract that a refusal stands for.
pub(super) fn contract(refusal: CallError) -> Error {
    match refusal {
        CallError::Backend(error) => error,
        CallError::WrongAlgorithm | CallError::NotAllowed(KeyState::OperationNotAllowed) => {
            Error::Unsupported
        }
        other => Error::DeviceFailed(format!("the keyhost: {other}")),
    }
}
