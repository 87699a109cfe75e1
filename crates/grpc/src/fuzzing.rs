//! What is private to this crate and parses what callers send, for the fuzz targets
//! of `tests/fuzz`. Only there: nothing of it is part of the crate's interface.

use std::time::Duration;

use keyreeve_proto::v1;
use keyreeve_service::{Caller, Deadline, Error, KeyName, Service, VaultName, keys::Changes};
use prost_types::FieldMask;
use tonic::metadata::MetadataMap;

use crate::{call, key_message, name, operation, update_mask};

/// The `grpc-timeout` of a call.
pub fn timeout(metadata: &MetadataMap) -> Option<Duration> {
    call::timeout(metadata)
}

/// `vaults/{vault}`.
pub fn vault_name(text: &str) -> Result<VaultName<'_>, Error> {
    name::vault("name", text)
}

/// `vaults/{vault}/keys/{key}`, with or without `/versions/{version}`.
pub fn key_name(text: &str) -> Result<KeyName<'_>, Error> {
    name::key_or_version("name", text)
}

/// The attributes that an update sets.
pub fn changes(key: &v1::Key, mask: Option<&FieldMask>) -> Result<Changes, Error> {
    update_mask::changes(key, mask)
}

/// Reads all of a key that is to be made or imported.
pub fn wanted_key(key: &v1::Key) -> Result<(), Error> {
    let _ = key_message::attributes(key);
    key_message::imported_spec(key)?;
    key_message::spec(key).map(drop)
}

/// Runs one operation of a batch or stream.
pub async fn run(
    service: &Service,
    caller: &Caller,
    wanted: &v1::Operation,
    deadline: Deadline,
) -> v1::OperationResult {
    operation::result(operation::run(service, caller, wanted, deadline).await)
}
