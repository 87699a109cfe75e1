//! `IdentityService`.

use keyreeve_authz::PrincipalKind;
use keyreeve_proto::v1::{
    AddCertificateRequest, AddClientSecretRequest, AddClientSecretResponse,
    AddFederatedCredentialRequest, CreatePrincipalRequest, CreateTokenRequest, CreateTokenResponse,
    DeletePrincipalRequest, DeletePrincipalResponse, GetPrincipalRequest, ListPrincipalsRequest,
    ListPrincipalsResponse, ListTokensRequest, ListTokensResponse, Principal,
    RemoveCredentialRequest, RevokeTokenRequest, Token, UpdatePrincipalRequest,
    identity_service_server::IdentityService, principal::Kind, token::Owner,
};
use keyreeve_service::{
    Error, FederatedCredential, PageRequest, Service, TokenOwner,
    identities::{CreatePrincipal, CreateToken, PrincipalChanges},
};
use keyreeve_types::UnixTime;
use prost_types::Timestamp;
use tonic::{Request, Response, Status};

use crate::{
    call::Call,
    identity_message::{principal_to_proto, token_to_proto},
    timestamp, to_status,
};

/// The door to principals and tokens.
pub(crate) struct IdentityDoor {
    service: Service,
}

impl IdentityDoor {
    pub(crate) fn new(service: Service) -> Self {
        Self { service }
    }

    async fn create(&self, call: Call<CreatePrincipalRequest>) -> Result<Principal, Error> {
        let Call { caller, deadline, message } = call;
        let wanted = message.principal.unwrap_or_default();
        let kind = match Kind::try_from(wanted.kind) {
            Ok(Kind::Unspecified | Kind::ServicePrincipal) => PrincipalKind::ServicePrincipal,
            Ok(Kind::ManagedIdentity) => PrincipalKind::ManagedIdentity,
            Err(_) => {
                return Err(Error::invalid(
                    "principal.kind",
                    "kind must be SERVICE_PRINCIPAL or MANAGED_IDENTITY",
                ));
            }
        };
        let request = CreatePrincipal { display_name: &wanted.display_name, kind };
        let made = self.service.create_principal(&caller, request, deadline).await?;
        Ok(principal_to_proto(&made))
    }

    async fn get(&self, call: Call<GetPrincipalRequest>) -> Result<Principal, Error> {
        let Call { caller, deadline, message } = call;
        let id = principal_id("name", &message.name)?;
        let found = self.service.get_principal(&caller, id, deadline).await?;
        Ok(principal_to_proto(&found))
    }

    async fn list(
        &self,
        call: Call<ListPrincipalsRequest>,
    ) -> Result<ListPrincipalsResponse, Error> {
        let Call { caller, deadline, message } = call;
        let page = PageRequest { size: message.page_size, token: &message.page_token };
        let page = self.service.list_principals(&caller, page, deadline).await?;
        Ok(ListPrincipalsResponse {
            principals: page.items.iter().map(|one| principal_to_proto(one)).collect(),
            next_page_token: page.next,
        })
    }

    async fn update(&self, call: Call<UpdatePrincipalRequest>) -> Result<Principal, Error> {
        let Call { caller, deadline, message } = call;
        let wanted = message.principal.unwrap_or_default();
        let id = principal_id("principal.name", &wanted.name)?;
        let paths = message.update_mask.unwrap_or_default().paths;
        if paths.is_empty() {
            return Err(Error::invalid("update_mask", "update_mask must say what to change"));
        }
        let mut changes = PrincipalChanges::default();
        for path in &paths {
            match path.as_str() {
                "display_name" => changes.display_name = Some(&wanted.display_name),
                "disabled" => changes.enabled = Some(!wanted.disabled),
                _ => {
                    return Err(Error::invalid(
                        "update_mask",
                        "only display_name and disabled can be changed",
                    ));
                }
            }
        }
        let changed = self.service.update_principal(&caller, id, changes, deadline).await?;
        Ok(principal_to_proto(&changed))
    }

    async fn delete(
        &self,
        call: Call<DeletePrincipalRequest>,
    ) -> Result<DeletePrincipalResponse, Error> {
        let Call { caller, deadline, message } = call;
        let id = principal_id("name", &message.name)?;
        self.service.delete_principal(&caller, id, deadline).await?;
        Ok(DeletePrincipalResponse {})
    }

    async fn add_secret(
        &self,
        call: Call<AddClientSecretRequest>,
    ) -> Result<AddClientSecretResponse, Error> {
        let Call { caller, deadline, message } = call;
        let id = principal_id("parent", &message.parent)?;
        let expires = end(message.expire_time)?;
        let made = self.service.add_client_secret(&caller, id, expires, deadline).await?;
        let (principal, credential_id) = made.made;
        Ok(AddClientSecretResponse {
            credential_id,
            secret_text: made.secret.expose().clone(),
            principal: Some(principal_to_proto(&principal)),
        })
    }

    async fn add_certificate(&self, call: Call<AddCertificateRequest>) -> Result<Principal, Error> {
        let Call { caller, deadline, message } = call;
        let id = principal_id("parent", &message.parent)?;
        let der = &message.certificate;
        let (principal, _) = self.service.add_certificate(&caller, id, der, deadline).await?;
        Ok(principal_to_proto(&principal))
    }

    async fn add_federated(
        &self,
        call: Call<AddFederatedCredentialRequest>,
    ) -> Result<Principal, Error> {
        let Call { caller, deadline, message } = call;
        let id = principal_id("parent", &message.parent)?;
        let wanted = message.federated.unwrap_or_default();
        let credential = FederatedCredential {
            id: String::new(),
            issuer: wanted.issuer,
            subject: wanted.subject,
            audience: wanted.audience,
            created: UnixTime(0),
        };
        let added = self.service.add_federated_credential(&caller, id, &credential, deadline);
        Ok(principal_to_proto(&added.await?.0))
    }

    async fn remove(&self, call: Call<RemoveCredentialRequest>) -> Result<Principal, Error> {
        let Call { caller, deadline, message } = call;
        let id = principal_id("parent", &message.parent)?;
        let credential = &message.credential_id;
        let left = self.service.remove_credential(&caller, id, credential, deadline).await?;
        Ok(principal_to_proto(&left))
    }

    async fn create_token(
        &self,
        call: Call<CreateTokenRequest>,
    ) -> Result<CreateTokenResponse, Error> {
        let Call { caller, deadline, message } = call;
        let wanted = message.token.unwrap_or_default();
        let owner = match &wanted.owner {
            Some(Owner::Principal(name)) => {
                TokenOwner::Principal(principal_id("token.principal", name)?)
            }
            Some(Owner::Bearer(name)) => TokenOwner::Name(name),
            None => {
                return Err(Error::invalid(
                    "token.owner",
                    "say whom it proves: principal or bearer",
                ));
            }
        };
        let request = CreateToken { owner, expires: end(wanted.expire_time)? };
        let made = self.service.create_token(&caller, request, deadline).await?;
        Ok(CreateTokenResponse {
            token: Some(token_to_proto(&made.made)),
            secret_text: made.secret.expose().clone(),
        })
    }

    async fn list_tokens(
        &self,
        call: Call<ListTokensRequest>,
    ) -> Result<ListTokensResponse, Error> {
        let Call { caller, deadline, message } = call;
        let page = PageRequest { size: message.page_size, token: &message.page_token };
        let page = self.service.list_tokens(&caller, page, deadline).await?;
        Ok(ListTokensResponse {
            tokens: page.items.iter().map(|one| token_to_proto(one)).collect(),
            next_page_token: page.next,
        })
    }

    async fn revoke_token(&self, call: Call<RevokeTokenRequest>) -> Result<Token, Error> {
        let Call { caller, deadline, message } = call;
        let id = message.name.strip_prefix("tokens/");
        let id = id.ok_or_else(|| Error::invalid("name", "name must be tokens/{token}"))?;
        let revoked = self.service.revoke_token(&caller, id, deadline).await?;
        Ok(token_to_proto(&revoked))
    }
}

fn principal_id<'a>(field: &'static str, name: &'a str) -> Result<&'a str, Error> {
    let id = name.strip_prefix("principals/").filter(|id| !id.is_empty());
    id.ok_or_else(|| Error::invalid(field, format!("{field} must be principals/{{principal}}")))
}

fn end(time: Option<Timestamp>) -> Result<UnixTime, Error> {
    let time = time.ok_or_else(|| Error::invalid("expire_time", "expire_time must be set"))?;
    Ok(timestamp::from_proto(time))
}

/// The methods, all of one shape.
macro_rules! methods {
    ($($method:ident($request:ident) -> $response:ty = $inner:ident;)*) => {
        #[tonic::async_trait]
        impl IdentityService for IdentityDoor {
            $(
                async fn $method(
                    &self,
                    request: Request<$request>,
                ) -> Result<Response<$response>, Status> {
                    let answer = self.$inner(Call::new(request)?).await;
                    answer.map(Response::new).map_err(|error| to_status(&error))
                }
            )*
        }
    };
}

methods! {
    create_principal(CreatePrincipalRequest) -> Principal = create;
    get_principal(GetPrincipalRequest) -> Principal = get;
    list_principals(ListPrincipalsRequest) -> ListPrincipalsResponse = list;
    update_principal(UpdatePrincipalRequest) -> Principal = update;
    delete_principal(DeletePrincipalRequest) -> DeletePrincipalResponse = delete;
    add_client_secret(AddClientSecretRequest) -> AddClientSecretResponse = add_secret;
    add_certificate(AddCertificateRequest) -> Principal = add_certificate;
    add_federated_credential(AddFederatedCredentialRequest) -> Principal = add_federated;
    remove_credential(RemoveCredentialRequest) -> Principal = remove;
    create_token(CreateTokenRequest) -> CreateTokenResponse = create_token;
    list_tokens(ListTokensRequest) -> ListTokensResponse = list_tokens;
    revoke_token(RevokeTokenRequest) -> Token = revoke_token;
}
