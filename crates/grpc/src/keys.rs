//! `KeyService`.

use keyreeve_proto::v1::{
    CreateKeyRequest, GetImportRecipientRequest, GetKeyRequest, ImportKeyRequest, ImportRecipient,
    Key, ListKeyVersionsRequest, ListKeyVersionsResponse, ListKeysRequest, ListKeysResponse,
    RotateKeyRequest, UpdateKeyRequest, key_service_server::KeyService,
};
use keyreeve_service::{
    Error, PageRequest, Service,
    keys::{CreateKey, ImportKey, UpdateKey},
};
use tonic::{Request, Response, Status};

use crate::{call::Call, key_message, name, to_status, update_mask};

/// The door to keys.
pub(crate) struct KeyDoor {
    service: Service,
}

impl KeyDoor {
    pub(crate) fn new(service: Service) -> Self {
        Self { service }
    }

    async fn create(&self, call: Call<CreateKeyRequest>) -> Result<Key, Error> {
        let Call { caller, deadline, message } = call;
        let wanted = message.key.unwrap_or_default();
        let (spec, operations) = key_message::spec(&wanted)?;
        let request = CreateKey {
            key: name::new_key(&message.parent, &message.key_id)?,
            spec,
            operations,
            attributes: key_message::attributes(&wanted),
        };
        let version = self.service.create_key(&caller, request, deadline).await?;
        Ok(key_message::to_proto(&version))
    }

    async fn recipient(
        &self,
        call: Call<GetImportRecipientRequest>,
    ) -> Result<ImportRecipient, Error> {
        let Call { caller, deadline, message } = call;
        let vault = name::vault("parent", &message.parent)?;
        let recipient = self.service.get_import_recipient(&caller, vault, deadline).await?;
        Ok(ImportRecipient {
            recipient_id: format!("{:016x}", recipient.id),
            public_key: recipient.public_key.to_vec().into(),
        })
    }

    async fn import(&self, call: Call<ImportKeyRequest>) -> Result<Key, Error> {
        let Call { caller, deadline, message } = call;
        let wanted = message.key.unwrap_or_default();
        let (spec, operations) = key_message::imported_spec(&wanted)?;
        let sealed = message
            .sealed_key
            .ok_or_else(|| Error::invalid("sealed_key", "there is no key to import"))?;
        let recipient = u64::from_str_radix(&sealed.recipient_id, 16).map_err(|_| {
            Error::invalid(
                "sealed_key.recipient_id",
                "recipient_id is not one that GetImportRecipient returned",
            )
        })?;
        let request = ImportKey {
            key: name::new_key(&message.parent, &message.key_id)?,
            spec,
            operations,
            attributes: key_message::attributes(&wanted),
            recipient,
            encapsulated: &sealed.encapsulated_key,
            ciphertext: &sealed.ciphertext,
        };
        let version = self.service.import_key(&caller, request, deadline).await?;
        Ok(key_message::to_proto(&version))
    }

    async fn get(&self, call: Call<GetKeyRequest>) -> Result<Key, Error> {
        let Call { caller, deadline, message } = call;
        let name = name::key_or_version("name", &message.name)?;
        let version = self.service.get_key(&caller, name, deadline).await?;
        Ok(key_message::to_proto(&version))
    }

    async fn list(&self, call: Call<ListKeysRequest>) -> Result<ListKeysResponse, Error> {
        let Call { caller, deadline, message } = call;
        let vault = name::vault("parent", &message.parent)?;
        let page = PageRequest { size: message.page_size, token: &message.page_token };
        let page = self.service.list_keys(&caller, vault, page, deadline).await?;
        Ok(ListKeysResponse {
            keys: page.items.iter().map(|version| key_message::to_proto(version)).collect(),
            next_page_token: page.next,
        })
    }

    async fn versions(
        &self,
        call: Call<ListKeyVersionsRequest>,
    ) -> Result<ListKeyVersionsResponse, Error> {
        let Call { caller, deadline, message } = call;
        let key = name::key("parent", &message.parent)?;
        let page = PageRequest { size: message.page_size, token: &message.page_token };
        let page = self.service.list_key_versions(&caller, key, page, deadline).await?;
        Ok(ListKeyVersionsResponse {
            versions: page.items.iter().map(|version| key_message::to_proto(version)).collect(),
            next_page_token: page.next,
        })
    }

    async fn update(&self, call: Call<UpdateKeyRequest>) -> Result<Key, Error> {
        let Call { caller, deadline, message } = call;
        let key = message.key.ok_or_else(|| Error::invalid("key", "there is nothing to set"))?;
        let changes = update_mask::changes(&key, message.update_mask.as_ref())?;
        let of_version = name::optional("key.version_name", &key.version_name)?;
        let of_key = name::optional("key.name", &key.name)?;
        let name = match (of_version, of_key) {
            (Some(version), None) => version,
            (None, Some(key)) => key,
            (Some(version), Some(key)) if version.same_key(key) => version,
            (Some(_), Some(_)) => {
                let message = "name and version_name are those of different keys";
                return Err(Error::invalid("key.version_name", message));
            }
            (None, None) => return Err(Error::invalid("key.name", "name the key to change")),
        };
        let request = UpdateKey { key: name, changes, etag: &key.etag };
        let version = self.service.update_key(&caller, request, deadline).await?;
        Ok(key_message::to_proto(&version))
    }

    async fn rotate(&self, call: Call<RotateKeyRequest>) -> Result<Key, Error> {
        let Call { caller, deadline, message } = call;
        let key = name::key("name", &message.name)?;
        let version = self.service.rotate_key(&caller, key, deadline).await?;
        Ok(key_message::to_proto(&version))
    }
}

#[tonic::async_trait]
impl KeyService for KeyDoor {
    async fn create_key(
        &self,
        request: Request<CreateKeyRequest>,
    ) -> Result<Response<Key>, Status> {
        let key = self.create(Call::making_a_key(request)?).await;
        key.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn get_import_recipient(
        &self,
        request: Request<GetImportRecipientRequest>,
    ) -> Result<Response<ImportRecipient>, Status> {
        let recipient = self.recipient(Call::new(request)?).await;
        recipient.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn import_key(
        &self,
        request: Request<ImportKeyRequest>,
    ) -> Result<Response<Key>, Status> {
        let key = self.import(Call::making_a_key(request)?).await;
        key.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn get_key(&self, request: Request<GetKeyRequest>) -> Result<Response<Key>, Status> {
        let key = self.get(Call::new(request)?).await;
        key.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn list_keys(
        &self,
        request: Request<ListKeysRequest>,
    ) -> Result<Response<ListKeysResponse>, Status> {
        let page = self.list(Call::new(request)?).await;
        page.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn list_key_versions(
        &self,
        request: Request<ListKeyVersionsRequest>,
    ) -> Result<Response<ListKeyVersionsResponse>, Status> {
        let page = self.versions(Call::new(request)?).await;
        page.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn update_key(
        &self,
        request: Request<UpdateKeyRequest>,
    ) -> Result<Response<Key>, Status> {
        let key = self.update(Call::new(request)?).await;
        key.map(Response::new).map_err(|e| to_status(&e))
    }

    async fn rotate_key(
        &self,
        request: Request<RotateKeyRequest>,
    ) -> Result<Response<Key>, Status> {
        let key = self.rotate(Call::making_a_key(request)?).await;
        key.map(Response::new).map_err(|e| to_status(&e))
    }
}
