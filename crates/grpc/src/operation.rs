//! One operation, whichever way it came: alone, in a batch or in a stream.
//!
//! Each function reads its request in place, calls the service, and writes the
//! answer.

use futures_util::future::{BoxFuture, FutureExt, TryFutureExt, ready};
use keyreeve_proto::v1::{
    Ciphertext, DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse,
    GenerateDataKeyRequest, GenerateDataKeyResponse, MacRequest, MacResponse, Operation,
    OperationResult, RandomBytesRequest, RandomBytesResponse, ReEncryptRequest, ReEncryptResponse,
    SignJwtRequest, SignJwtResponse, SignRequest, SignResponse, UnwrapKeyRequest,
    UnwrapKeyResponse, VerifyMacRequest, VerifyMacResponse, VerifyRequest, VerifyResponse,
    WrapKeyRequest, WrapKeyResponse, operation::Request, operation_result::Result as Outcome,
    sign_request, verify_request,
};
use keyreeve_service::{
    Caller, Deadline, Error, Service,
    crypto::{
        Content, DataKeyAlgorithm, Decrypt, Encrypt, GenerateDataKey, JwtAlgorithm, Mac, ReEncrypt,
        Sealed, SealedRef, Sign, SignEach, SignJwt, SignedEach, UnwrapKey, Verify, VerifyMac,
        WrapKey,
    },
};
use keyreeve_types::{EncryptionAlgorithm, MacAlgorithm, SignatureAlgorithm, UnknownAlgorithm};

use crate::{
    error::{to_operation_error, unknown_algorithm},
    name, secret,
};

/// An operation of a batch or stream, under way.
pub(crate) type Running<'a> = BoxFuture<'a, Result<Outcome, Error>>;

/// Notes an operation of a batch or stream that ended before the gate.
pub(crate) fn note(
    service: &Service,
    caller: &Caller,
    outcome: Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    outcome.inspect_err(|error| {
        if !error.is_recorded() {
            service.refused_early(caller, error.reason(), None);
        }
    })
}

/// Begins an operation of a batch or stream.
///
/// Each kind is boxed by itself: a future that could be any of them would be as
/// large as the largest, and a batch would move that around for every operation.
pub(crate) fn run<'a>(
    service: &'a Service,
    caller: &'a Caller,
    operation: &'a Operation,
    deadline: Deadline,
) -> Running<'a> {
    match &operation.request {
        Some(Request::Sign(r)) => sign(service, caller, r, deadline).map_ok(Outcome::Sign).boxed(),
        Some(Request::Verify(r)) => {
            verify(service, caller, r, deadline).map_ok(Outcome::Verify).boxed()
        }
        Some(Request::Encrypt(r)) => {
            encrypt(service, caller, r, deadline).map_ok(|r| Outcome::Encrypt(r.into())).boxed()
        }
        Some(Request::Decrypt(r)) => {
            decrypt(service, caller, r, deadline).map_ok(Outcome::Decrypt).boxed()
        }
        Some(Request::WrapKey(r)) => {
            wrap_key(service, caller, r, deadline).map_ok(|r| Outcome::WrapKey(r.into())).boxed()
        }
        Some(Request::UnwrapKey(r)) => {
            unwrap_key(service, caller, r, deadline).map_ok(Outcome::UnwrapKey).boxed()
        }
        Some(Request::GenerateDataKey(r)) => generate_data_key(service, caller, r, deadline)
            .map_ok(|r| Outcome::GenerateDataKey(r.into()))
            .boxed(),
        Some(Request::ReEncrypt(r)) => re_encrypt(service, caller, r, deadline)
            .map_ok(|r| Outcome::ReEncrypt(r.into()))
            .boxed(),
        Some(Request::Mac(r)) => mac(service, caller, r, deadline).map_ok(Outcome::Mac).boxed(),
        Some(Request::VerifyMac(r)) => {
            verify_mac(service, caller, r, deadline).map_ok(Outcome::VerifyMac).boxed()
        }
        Some(Request::RandomBytes(r)) => {
            random_bytes(service, caller, r, deadline).map_ok(Outcome::RandomBytes).boxed()
        }
        Some(Request::SignJwt(r)) => {
            sign_jwt(service, caller, r, deadline).map_ok(Outcome::SignJwt).boxed()
        }
        None => {
            let error = Error::invalid("operation", "there is no operation, or one unknown here");
            ready(Err(error)).boxed()
        }
    }
}

/// What came of an operation. Its failure is its result.
pub(crate) fn result(outcome: Result<Outcome, Error>) -> OperationResult {
    let result = outcome.unwrap_or_else(|error| Outcome::Error(to_operation_error(&error).into()));
    OperationResult { result: Some(result) }
}

pub(crate) async fn sign(
    service: &Service,
    caller: &Caller,
    request: &SignRequest,
    deadline: Deadline,
) -> Result<SignResponse, Error> {
    let request = Sign {
        key: name::key_or_version("name", &request.name)?,
        algorithm: algorithm::<SignatureAlgorithm>("algorithm", &request.algorithm)?,
        content: content(request)?,
    };
    let signed = service.sign(caller, request, deadline).await?;
    Ok(SignResponse {
        version_name: signed.version.resource_name().to_owned(),
        signature: signed.signature,
    })
}

/// Signs several with the key and the algorithm of the first, which are those of all.
pub(crate) async fn sign_each(
    service: &Service,
    caller: &Caller,
    requests: Vec<&SignRequest>,
    deadline: Deadline,
) -> Vec<OperationResult> {
    let signed = match try_sign_each(service, caller, &requests, deadline).await {
        Ok(signed) => signed,
        Err(error) => {
            let failed = note(service, caller, Err(error));
            return requests.iter().map(|_| result(failed.clone())).collect();
        }
    };
    let version_name = signed.version.resource_name();
    let response = |signature| SignResponse { version_name: version_name.to_owned(), signature };
    let outcome =
        |signature: Result<_, _>| note(service, caller, signature.map(response).map(Outcome::Sign));
    signed.signatures.into_iter().map(|signature| result(outcome(signature))).collect()
}

async fn try_sign_each(
    service: &Service,
    caller: &Caller,
    requests: &[&SignRequest],
    deadline: Deadline,
) -> Result<SignedEach, Error> {
    let first = requests.first().ok_or_else(no_input)?;
    let contents: Vec<_> = requests.iter().map(|request| content(request)).collect();
    let request = SignEach {
        key: name::key_or_version("name", &first.name)?,
        algorithm: algorithm::<SignatureAlgorithm>("algorithm", &first.algorithm)?,
        contents: &contents,
    };
    service.sign_each(caller, request, deadline).await
}

fn content(request: &SignRequest) -> Result<Content<'_>, Error> {
    match &request.input {
        Some(sign_request::Input::Message(message)) => Ok(Content::Message(message)),
        Some(sign_request::Input::Digest(digest)) => Ok(Content::Digest(digest)),
        None => Err(no_input()),
    }
}

pub(crate) async fn verify(
    service: &Service,
    caller: &Caller,
    request: &VerifyRequest,
    deadline: Deadline,
) -> Result<VerifyResponse, Error> {
    let content = match &request.input {
        Some(verify_request::Input::Message(message)) => Content::Message(message),
        Some(verify_request::Input::Digest(digest)) => Content::Digest(digest),
        None => return Err(no_input()),
    };
    let request = Verify {
        key: name::key_or_version("name", &request.name)?,
        algorithm: algorithm::<SignatureAlgorithm>("algorithm", &request.algorithm)?,
        content,
        signature: &request.signature,
    };
    let verified = service.verify(caller, request, deadline).await?;
    Ok(VerifyResponse {
        version_name: verified.version.resource_name().to_owned(),
        valid: verified.valid,
    })
}

pub(crate) async fn encrypt(
    service: &Service,
    caller: &Caller,
    request: &EncryptRequest,
    deadline: Deadline,
) -> Result<EncryptResponse, Error> {
    let request = Encrypt {
        key: name::key_or_version("name", &request.name)?,
        algorithm: optional_algorithm("algorithm", &request.algorithm)?,
        plaintext: &request.plaintext,
        additional_data: &request.additional_data,
    };
    let sealed = service.encrypt(caller, request, deadline).await?;
    Ok(EncryptResponse { ciphertext: Some(to_proto(sealed)) })
}

pub(crate) async fn decrypt(
    service: &Service,
    caller: &Caller,
    request: &DecryptRequest,
    deadline: Deadline,
) -> Result<DecryptResponse, Error> {
    let sealed = present("ciphertext", request.ciphertext.as_ref())?;
    let request = Decrypt {
        key: name::optional("name", &request.name)?,
        sealed: sealed_ref("ciphertext.version_name", sealed)?,
        algorithm: algorithm::<EncryptionAlgorithm>("ciphertext.algorithm", &sealed.algorithm)?,
        additional_data: &request.additional_data,
    };
    let plaintext = service.decrypt(caller, request, deadline).await?;
    Ok(DecryptResponse { plaintext: secret::to_bytes(plaintext) })
}

pub(crate) async fn wrap_key(
    service: &Service,
    caller: &Caller,
    request: &WrapKeyRequest,
    deadline: Deadline,
) -> Result<WrapKeyResponse, Error> {
    let request = WrapKey {
        key: name::key_or_version("name", &request.name)?,
        algorithm: optional_algorithm("algorithm", &request.algorithm)?,
        plaintext: &request.key,
    };
    let sealed = service.wrap_key(caller, request, deadline).await?;
    Ok(WrapKeyResponse { wrapped_key: Some(to_proto(sealed)) })
}

pub(crate) async fn unwrap_key(
    service: &Service,
    caller: &Caller,
    request: &UnwrapKeyRequest,
    deadline: Deadline,
) -> Result<UnwrapKeyResponse, Error> {
    let wrapped = present("wrapped_key", request.wrapped_key.as_ref())?;
    let request = UnwrapKey {
        key: name::optional("name", &request.name)?,
        wrapped: sealed_ref("wrapped_key.version_name", wrapped)?,
        algorithm: data_key_algorithm("wrapped_key.algorithm", &wrapped.algorithm)?,
        additional_data: &request.additional_data,
    };
    let key = service.unwrap_key(caller, request, deadline).await?;
    Ok(UnwrapKeyResponse { key: secret::to_bytes(key) })
}

pub(crate) async fn generate_data_key(
    service: &Service,
    caller: &Caller,
    request: &GenerateDataKeyRequest,
    deadline: Deadline,
) -> Result<GenerateDataKeyResponse, Error> {
    let algorithm = match request.algorithm.as_str() {
        "" => None,
        named => Some(data_key_algorithm("algorithm", named)?),
    };
    let request = GenerateDataKey {
        key: name::key_or_version("name", &request.name)?,
        algorithm,
        size: request.size,
        wrapped_only: request.wrapped_only,
        additional_data: &request.additional_data,
    };
    let made = service.generate_data_key(caller, request, deadline).await?;
    Ok(GenerateDataKeyResponse {
        key: secret::to_bytes(made.key),
        wrapped_key: Some(to_proto(made.sealed)),
    })
}

pub(crate) async fn re_encrypt(
    service: &Service,
    caller: &Caller,
    request: &ReEncryptRequest,
    deadline: Deadline,
) -> Result<ReEncryptResponse, Error> {
    let sealed = present("ciphertext", request.ciphertext.as_ref())?;
    let source = Decrypt {
        key: None,
        sealed: sealed_ref("ciphertext.version_name", sealed)?,
        algorithm: algorithm::<EncryptionAlgorithm>("ciphertext.algorithm", &sealed.algorithm)?,
        additional_data: &request.additional_data,
    };
    let request = ReEncrypt {
        source,
        destination: name::key_or_version("destination_name", &request.destination_name)?,
        algorithm: optional_algorithm("destination_algorithm", &request.destination_algorithm)?,
        additional_data: &request.destination_additional_data,
    };
    let sealed = service.re_encrypt(caller, request, deadline).await?;
    Ok(ReEncryptResponse { ciphertext: Some(to_proto(sealed)) })
}

pub(crate) async fn mac(
    service: &Service,
    caller: &Caller,
    request: &MacRequest,
    deadline: Deadline,
) -> Result<MacResponse, Error> {
    let request = Mac {
        key: name::key_or_version("name", &request.name)?,
        algorithm: algorithm::<MacAlgorithm>("algorithm", &request.algorithm)?,
        message: &request.message,
    };
    let made = service.mac(caller, request, deadline).await?;
    Ok(MacResponse { version_name: made.version.resource_name().to_owned(), mac: made.mac })
}

pub(crate) async fn verify_mac(
    service: &Service,
    caller: &Caller,
    request: &VerifyMacRequest,
    deadline: Deadline,
) -> Result<VerifyMacResponse, Error> {
    let request = VerifyMac {
        key: name::key_or_version("name", &request.name)?,
        algorithm: algorithm::<MacAlgorithm>("algorithm", &request.algorithm)?,
        message: &request.message,
        mac: &request.mac,
    };
    let verified = service.verify_mac(caller, request, deadline).await?;
    Ok(VerifyMacResponse {
        version_name: verified.version.resource_name().to_owned(),
        valid: verified.valid,
    })
}

pub(crate) async fn random_bytes(
    service: &Service,
    caller: &Caller,
    request: &RandomBytesRequest,
    deadline: Deadline,
) -> Result<RandomBytesResponse, Error> {
    let vault = name::vault("parent", &request.parent)?;
    let bytes = service.random_bytes(caller, vault, request.size, deadline).await?;
    Ok(RandomBytesResponse { data: secret::to_bytes(bytes) })
}

pub(crate) async fn sign_jwt(
    service: &Service,
    caller: &Caller,
    request: &SignJwtRequest,
    deadline: Deadline,
) -> Result<SignJwtResponse, Error> {
    let named = request.algorithm.as_str();
    let algorithm = match named.parse::<MacAlgorithm>() {
        Ok(mac) => JwtAlgorithm::Mac(mac),
        Err(_) => JwtAlgorithm::Signature(algorithm("algorithm", named)?),
    };
    let request = SignJwt {
        key: name::key_or_version("name", &request.name)?,
        algorithm,
        claims: &request.claims,
        header: &request.header,
    };
    let signed = service.sign_jwt(caller, request, deadline).await?;
    Ok(SignJwtResponse { version_name: signed.version.resource_name().to_owned(), jwt: signed.jwt })
}

fn to_proto(sealed: Sealed) -> Ciphertext {
    let Sealed { version, algorithm, iv, ciphertext, tag } = sealed;
    Ciphertext {
        version_name: version.resource_name().to_owned(),
        algorithm: algorithm.to_owned(),
        iv,
        ciphertext,
        tag,
    }
}

fn sealed_ref<'a>(field: &'static str, sealed: &'a Ciphertext) -> Result<SealedRef<'a>, Error> {
    Ok(SealedRef {
        key: name::optional(field, &sealed.version_name)?,
        iv: &sealed.iv,
        ciphertext: &sealed.ciphertext,
        tag: &sealed.tag,
    })
}

fn algorithm<A>(field: &'static str, text: &str) -> Result<A, Error>
where
    A: std::str::FromStr<Err = UnknownAlgorithm>,
{
    text.parse::<A>().map_err(|_| unknown_algorithm(field, text))
}

fn optional_algorithm<A>(field: &'static str, text: &str) -> Result<Option<A>, Error>
where
    A: std::str::FromStr<Err = UnknownAlgorithm>,
{
    if text.is_empty() { Ok(None) } else { algorithm(field, text).map(Some) }
}

/// An algorithm of WrapKey, or else of Encrypt.
fn data_key_algorithm(field: &'static str, text: &str) -> Result<DataKeyAlgorithm, Error> {
    match text.parse() {
        Ok(wrap) => Ok(DataKeyAlgorithm::Wrap(wrap)),
        Err(UnknownAlgorithm) => algorithm(field, text).map(DataKeyAlgorithm::Content),
    }
}

fn present<T>(field: &'static str, value: Option<T>) -> Result<T, Error> {
    value.ok_or_else(|| Error::invalid(field, format!("{field} is missing")))
}

fn no_input() -> Error {
    Error::invalid("message", "there is neither a message nor a digest")
}
