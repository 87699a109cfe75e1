//! Import a key. It comes sealed to the keyhost that will hold it; this process
//! passes it on and could not read it.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_backend::Error as BackendError;
use keyreeve_keyhost::{CallError, Deadline, ImportedKey, NewVersion};
use keyreeve_types::{KeyOps, KeySpec};

use super::{
    Attributes,
    create::{check_kind, check_operations},
    new_version::{Make, Place, first_policy},
};
use crate::{
    Caller, Error, KeyVersion, Service, backends,
    gate::Ask,
    name::{KeyName, VaultName},
};

/// A request to take a key made elsewhere.
pub struct ImportKey<'a> {
    /// Its name here.
    pub key: KeyName<'a>,
    /// What kind it is; `None` takes it as it is.
    pub spec: Option<KeySpec>,
    /// What it will be for; `None` for all that the kind and the backend allow.
    pub operations: Option<KeyOps>,
    /// The rest.
    pub attributes: Attributes,
    /// Which recipient it is sealed to.
    pub recipient: u64,
    /// HPKE encapsulated key.
    pub encapsulated: &'a [u8],
    /// HPKE ciphertext.
    pub ciphertext: &'a [u8],
}

/// Whom to seal a key to.
#[derive(Debug, Clone, Copy)]
pub struct ImportRecipient {
    /// Tells one start of the keyhost from another.
    pub id: u64,
    /// X25519 public key.
    pub public_key: [u8; 32],
}

impl Service {
    /// Whom to seal a key for `vault` to.
    pub async fn get_import_recipient(
        &self,
        caller: &Caller,
        vault: VaultName<'_>,
        deadline: Deadline,
    ) -> Result<ImportRecipient, Error> {
        self.run(
            caller,
            Ask::vault(Action::GetImportRecipient, vault),
            deadline,
            move |permit| async move {
                let vault = self.find_vault(&permit, vault)?;
                let description = backends::description(self.backends().named(vault.backend())?)?;
                let recipient = &description.recipient;
                Ok(ImportRecipient { id: recipient.id, public_key: recipient.public_key })
            },
        )
        .await
    }

    /// Takes a key, as a new one or as a new version of the key of that name.
    pub async fn import_key(
        &self,
        caller: &Caller,
        request: ImportKey<'_>,
        deadline: Deadline,
    ) -> Result<Arc<KeyVersion>, Error> {
        let request = &request;
        self.run(
            caller,
            Ask::key(Action::ImportKey, request.key),
            deadline,
            move |permit| async move {
                self.charge_import(&permit, &*self.find_vault(&permit, request.key.vault())?)?;
                let making = Take {
                    spec: request.spec,
                    operations: request.operations,
                    attributes: request.attributes.clone(),
                    recipient: request.recipient,
                    encapsulated: request.encapsulated.into(),
                    ciphertext: request.ciphertext.into(),
                    name: sealed_name(request.key),
                };
                self.add_version(permit, request.key, &request.attributes, deadline, making).await
            },
        )
        .await
    }
}

/// A key that the keyhost takes. What it holds of the key is sealed.
struct Take {
    spec: Option<KeySpec>,
    operations: Option<KeyOps>,
    attributes: Attributes,
    recipient: u64,
    encapsulated: Box<[u8]>,
    ciphertext: Box<[u8]>,
    /// What it is bound to.
    name: String,
}

impl Make for Take {
    async fn make(&self, place: &Place, deadline: Deadline) -> Result<NewVersion, Error> {
        let Self { spec, operations, attributes, recipient, encapsulated, ciphertext, name } = self;
        let Place { vault, client, binding, .. } = place;
        let description = backends::description(client)?;
        let capabilities = &description.capabilities;
        if let Some(spec) = *spec {
            check_kind(client, capabilities, &capabilities.import, spec)?;
            if let Some(ops) = *operations {
                check_operations(client, capabilities, spec, ops)?;
            }
        }
        // Without a kind, the key's own goes into the policy in the keyhost; without
        // operations, so do those of its kind.
        let ops = operations.unwrap_or(KeyOps::NONE);
        let policy = first_policy(spec.unwrap_or(KeySpec::EcP256), ops, attributes);
        let key =
            ImportedKey { recipient: *recipient, encapsulated, ciphertext, aad: name.as_bytes() };
        client
            .import(*binding, &policy, spec.is_none(), vault.vault_key(), key, deadline)
            .await
            .map_err(|error| match error {
                CallError::Backend(BackendError::CryptoFailed) => Error::invalid(
                    "sealed_key",
                    "the sealed key does not open; it must be sealed to this vault's recipient, \
                     for this vault and key name",
                ),
                CallError::Backend(BackendError::Unsupported) => Error::precondition(
                    "KEY_TYPE_NOT_SUPPORTED_BY_BACKEND",
                    format!(
                        "backend {} ({}) does not take this kind of key, or not for these \
                         operations together; docs/algorithms.md lists what it takes",
                        client.name(),
                        capabilities.backend
                    ),
                ),
                other => Error::from_call(other, client.name(), "sealed_key"),
            })
    }
}

/// What the sealed key is bound to: the name it will have, in lower case.
fn sealed_name(key: KeyName<'_>) -> String {
    let (vault, name) = (key.vault().folded(), key.folded_key());
    format!("vaults/{}/keys/{}", vault.as_str(), name.as_str())
}
