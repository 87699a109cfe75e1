//! Create a key, or a new version of the key of that name.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_backend::Capabilities;
use keyreeve_keyhost::{Client, Deadline, NewVersion};
use keyreeve_types::{KeyOps, KeySpec};

use super::{
    Attributes,
    new_version::{Make, Place, first_policy},
};
use crate::{Caller, Error, KeyVersion, Service, backends, gate::Ask, name::KeyName};

/// A request to make a key.
pub struct CreateKey<'a> {
    /// Its name.
    pub key: KeyName<'a>,
    /// What kind of key.
    pub spec: KeySpec,
    /// What it will be for; `None` for all that the kind and the backend allow.
    pub operations: Option<KeyOps>,
    /// The rest.
    pub attributes: Attributes,
}

impl Service {
    /// Makes a key, or a new version if there is a key of that name.
    pub async fn create_key(
        &self,
        caller: &Caller,
        request: CreateKey<'_>,
        deadline: Deadline,
    ) -> Result<Arc<KeyVersion>, Error> {
        let CreateKey { key, spec, operations, attributes } = &request;
        self.run(caller, Ask::key(Action::CreateKey, *key), deadline, move |permit| async move {
            self.charge_making(&permit, &*self.find_vault(&permit, key.vault())?, *spec)?;
            let making =
                Generate { spec: *spec, operations: *operations, attributes: attributes.clone() };
            self.add_version(permit, *key, attributes, deadline, making).await
        })
        .await
    }
}

/// A key that the keyhost makes.
pub(super) struct Generate {
    pub(super) spec: KeySpec,
    /// `None` for all that the kind and the backend allow.
    pub(super) operations: Option<KeyOps>,
    pub(super) attributes: Attributes,
}

impl Make for Generate {
    async fn make(&self, place: &Place, deadline: Deadline) -> Result<NewVersion, Error> {
        let Self { spec, operations, attributes } = self;
        let Place { vault, client, binding, .. } = place;
        let description = backends::description(client)?;
        let capabilities = &description.capabilities;
        let ops = operations.unwrap_or_else(|| capabilities.default_ops(*spec));
        check_kind(client, capabilities, &capabilities.generate, *spec)?;
        check_operations(client, capabilities, *spec, ops)?;
        let policy = first_policy(*spec, ops, attributes);
        client
            .generate(*binding, &policy, vault.vault_key(), deadline)
            .await
            .map_err(|e| Error::from_call(e, client.name(), "key"))
    }
}

/// Whether the backend makes, or takes, keys of that kind.
pub(super) fn check_kind(
    client: &Client,
    capabilities: &Capabilities,
    kinds: &[KeySpec],
    spec: KeySpec,
) -> Result<(), Error> {
    if kinds.contains(&spec) {
        return Ok(());
    }
    Err(Error::precondition(
        "KEY_TYPE_NOT_SUPPORTED_BY_BACKEND",
        format!(
            "backend {} ({}) does not support keys of kind {spec}; docs/algorithms.md lists what \
             it does",
            client.name(),
            capabilities.backend,
        ),
    ))
}

/// Whether a key of that kind may have these operations together there.
pub(super) fn check_operations(
    client: &Client,
    capabilities: &Capabilities,
    spec: KeySpec,
    ops: KeyOps,
) -> Result<(), Error> {
    if !spec.operations().covers(ops) {
        return Err(Error::invalid(
            "key.operations",
            format!("a key of kind {spec} can {} and nothing else", spec.operations()),
        ));
    }
    if !capabilities.allows_ops(spec, ops) {
        return Err(Error::precondition(
            "OPERATIONS_NOT_ALLOWED",
            format!(
                "in backend {} ({}) one AES key cannot both wrap and decrypt: a key that does \
                 both reads out what it wraps; make two keys",
                client.name(),
                capabilities.backend,
            ),
        ));
    }
    Ok(())
}
