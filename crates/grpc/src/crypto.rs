//! `CryptoService`.

use keyreeve_proto::v1::{
    BatchRequest, BatchResponse, DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse,
    GenerateDataKeyRequest, GenerateDataKeyResponse, GetJwksRequest, GetJwksResponse, MacRequest,
    MacResponse, RandomBytesRequest, RandomBytesResponse, ReEncryptRequest, ReEncryptResponse,
    SignJwtRequest, SignJwtResponse, SignRequest, SignResponse, StreamRequest, UnwrapKeyRequest,
    UnwrapKeyResponse, VerifyMacRequest, VerifyMacResponse, VerifyRequest, VerifyResponse,
    WrapKeyRequest, WrapKeyResponse, crypto_service_server::CryptoService,
};
use keyreeve_service::{Error, Service, crypto::JwksOf};
use tonic::{Request, Response, Status, Streaming};

use crate::{batch, call::Call, name, operation, stream::Results, to_status};

/// The door to what keys are for.
pub struct CryptoDoor {
    service: Service,
}

impl CryptoDoor {
    pub(crate) fn new(service: Service) -> Self {
        Self { service }
    }

    async fn jwks(&self, call: Call<GetJwksRequest>) -> Result<GetJwksResponse, Error> {
        let Call { caller, deadline, message } = call;
        let of = match name::vault("parent", &message.parent) {
            Ok(vault) => JwksOf::Vault(vault),
            Err(_) => JwksOf::Key(name::key("parent", &message.parent)?),
        };
        let jwks = self.service.get_jwks(&caller, of, deadline).await?;
        Ok(GetJwksResponse { jwks: jwks.json().to_owned(), etag: jwks.etag().to_owned() })
    }
}

#[tonic::async_trait]
impl CryptoService for CryptoDoor {
    type StreamStream = Results;

    async fn sign(&self, request: Request<SignRequest>) -> Result<Response<SignResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::sign(&self.service, &caller, &message, deadline).await)
    }

    async fn verify(
        &self,
        request: Request<VerifyRequest>,
    ) -> Result<Response<VerifyResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::verify(&self.service, &caller, &message, deadline).await)
    }

    async fn encrypt(
        &self,
        request: Request<EncryptRequest>,
    ) -> Result<Response<EncryptResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::encrypt(&self.service, &caller, &message, deadline).await)
    }

    async fn decrypt(
        &self,
        request: Request<DecryptRequest>,
    ) -> Result<Response<DecryptResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::decrypt(&self.service, &caller, &message, deadline).await)
    }

    async fn wrap_key(
        &self,
        request: Request<WrapKeyRequest>,
    ) -> Result<Response<WrapKeyResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::wrap_key(&self.service, &caller, &message, deadline).await)
    }

    async fn unwrap_key(
        &self,
        request: Request<UnwrapKeyRequest>,
    ) -> Result<Response<UnwrapKeyResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::unwrap_key(&self.service, &caller, &message, deadline).await)
    }

    async fn generate_data_key(
        &self,
        request: Request<GenerateDataKeyRequest>,
    ) -> Result<Response<GenerateDataKeyResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::generate_data_key(&self.service, &caller, &message, deadline).await)
    }

    async fn re_encrypt(
        &self,
        request: Request<ReEncryptRequest>,
    ) -> Result<Response<ReEncryptResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::re_encrypt(&self.service, &caller, &message, deadline).await)
    }

    async fn mac(&self, request: Request<MacRequest>) -> Result<Response<MacResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::mac(&self.service, &caller, &message, deadline).await)
    }

    async fn verify_mac(
        &self,
        request: Request<VerifyMacRequest>,
    ) -> Result<Response<VerifyMacResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::verify_mac(&self.service, &caller, &message, deadline).await)
    }

    async fn random_bytes(
        &self,
        request: Request<RandomBytesRequest>,
    ) -> Result<Response<RandomBytesResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::random_bytes(&self.service, &caller, &message, deadline).await)
    }

    async fn sign_jwt(
        &self,
        request: Request<SignJwtRequest>,
    ) -> Result<Response<SignJwtResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(operation::sign_jwt(&self.service, &caller, &message, deadline).await)
    }

    async fn batch(
        &self,
        request: Request<BatchRequest>,
    ) -> Result<Response<BatchResponse>, Status> {
        let Call { caller, deadline, message } = Call::new(request)?;
        answer(batch::run(&self.service, &caller, message, deadline).await)
    }

    async fn stream(
        &self,
        request: Request<Streaming<StreamRequest>>,
    ) -> Result<Response<Results>, Status> {
        let call = Call::unbounded(request)?;
        Ok(Response::new(Results::new(self.service.clone(), call)))
    }

    async fn get_jwks(
        &self,
        request: Request<GetJwksRequest>,
    ) -> Result<Response<GetJwksResponse>, Status> {
        answer(self.jwks(Call::new(request)?).await)
    }
}

fn answer<T>(outcome: Result<T, Error>) -> Result<Response<T>, Status> {
    outcome.map(Response::new).map_err(|error| to_status(&error))
}
