//! The door as a client sees it: generated clients call the routes, without a
//! network between them, and a real keyhost answers.

mod authorization;
mod calls;
/// Shared with the tests of `authz`, which keep a part of the same page.
#[path = "../../../authz/tests/authz/golden.rs"]
mod golden;
/// Shared with the tests of `service`: the same callers at another door.
#[path = "../../../service/tests/service/who.rs"]
mod who;

use std::sync::Arc;

use futures_util::{StreamExt, stream};
use keyreeve_grpc::{
    StatusSource, routes,
    v1::{
        BatchRequest, CreateKeyRequest, CreateVaultRequest, DecryptRequest, EncryptRequest,
        GetKeyRequest, GetStatusRequest, Key, Operation, SignRequest, StreamRequest,
        UpdateKeyRequest, VerifyRequest, crypto_service_client::CryptoServiceClient,
        key_service_client::KeyServiceClient, operation::Request as Wanted,
        operation_result::Result as Outcome, sign_request, status_service_client,
        vault_service_client::VaultServiceClient, verify_request,
    },
};
use keyreeve_service::{Backends, Clock, Service, Settings, Shared};
use keyreeve_store::MemoryStore;
use keyreeve_testkit::{AuditLog, LocalKeyhost};
use tonic::{Code, Request, service::Routes};
use tonic_types::StatusExt;
use who::{caller, everything};

struct Fixture {
    routes: Routes,
    _keyhost: LocalKeyhost,
    _audit: AuditLog,
}

impl Fixture {
    /// A service with the vault `prod` and in it the P-256 key `jwt` and the AES key
    /// `aes`.
    async fn start() -> Self {
        let keyhost = LocalKeyhost::start().await.expect("a keyhost");
        let audit = AuditLog::start().expect("an audit log");
        let store = Arc::new(MemoryStore::new());
        let settings = Settings { roles: everything("tests"), ..Settings::default() };
        let opened = Shared::open(store, settings, Clock::system(), audit.recorder()).await;
        let (shared, _) = opened.expect("a store");
        let service =
            Service::new(shared, Backends::new(keyhost.client().clone(), Vec::new(), None));
        let routes = routes(&service, StatusSource::new(Default::default)).prepare();
        let fixture = Self { routes, _keyhost: keyhost, _audit: audit };

        let vault = CreateVaultRequest { vault_id: "prod".to_owned(), vault: None };
        let mut vaults = VaultServiceClient::new(fixture.routes.clone());
        vaults.create_vault(called(vault)).await.expect("a vault");
        let mut keys = fixture.keys();
        keys.create_key(called(new_key("jwt", "EC", "P-256"))).await.expect("a key");
        keys.create_key(called(new_key("aes", "oct", ""))).await.expect("a key");
        fixture
    }

    fn crypto(&self) -> CryptoServiceClient<Routes> {
        CryptoServiceClient::new(self.routes.clone())
    }

    fn keys(&self) -> KeyServiceClient<Routes> {
        KeyServiceClient::new(self.routes.clone())
    }
}

/// A request as it leaves the server's authentication.
fn called<T>(message: T) -> Request<T> {
    called_by("tests", message)
}

fn called_by<T>(who: &str, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(caller(who));
    request
}

fn new_key(id: &str, key_type: &str, curve: &str) -> CreateKeyRequest {
    let key = Key { key_type: key_type.to_owned(), curve: curve.to_owned(), ..Key::default() };
    CreateKeyRequest { parent: "vaults/prod".to_owned(), key_id: id.to_owned(), key: Some(key) }
}

fn sign(name: &str) -> SignRequest {
    SignRequest {
        name: name.to_owned(),
        algorithm: "ES256".to_owned(),
        input: Some(sign_request::Input::Message(b"message".as_slice().into())),
    }
}

fn operation(name: &str) -> Operation {
    Operation { request: Some(Wanted::Sign(sign(name))) }
}

/// Guards against a translation that loses a field on the way in or out.
#[tokio::test]
async fn operations_go_there_and_back() {
    let it = Fixture::start().await;
    let mut crypto = it.crypto();
    let signed = crypto.sign(called(sign("vaults/prod/keys/jwt"))).await.expect("a signature");
    let signed = signed.into_inner();
    let verify = VerifyRequest {
        name: signed.version_name,
        algorithm: "ES256".to_owned(),
        input: Some(verify_request::Input::Message(b"message".as_slice().into())),
        signature: signed.signature,
    };
    assert!(crypto.verify(called(verify)).await.expect("an answer").into_inner().valid);

    let encrypt = EncryptRequest {
        name: "vaults/prod/keys/aes".to_owned(),
        plaintext: b"secret".as_slice().into(),
        additional_data: b"context".as_slice().into(),
        ..EncryptRequest::default()
    };
    let sealed = crypto.encrypt(called(encrypt)).await.expect("a ciphertext").into_inner();
    let decrypt = DecryptRequest {
        ciphertext: sealed.ciphertext,
        additional_data: b"context".as_slice().into(),
        ..DecryptRequest::default()
    };
    let opened = crypto.decrypt(called(decrypt.clone())).await.expect("the plaintext");
    assert_eq!(&opened.into_inner().plaintext[..], b"secret");
    let wrong = DecryptRequest { additional_data: b"other".as_slice().into(), ..decrypt };
    let failed = crypto.decrypt(called(wrong)).await.expect_err("another context");
    assert_eq!((failed.code(), failed.message()), (Code::InvalidArgument, "decryption failed"));
}

/// Guards against one bad operation that fails its batch, and results out of order.
#[tokio::test]
async fn a_batch_answers_each_operation_in_its_place() {
    let it = Fixture::start().await;
    let operations = vec![
        operation("vaults/prod/keys/jwt"),
        operation("vaults/prod/keys/none"),
        operation("not a name"),
        Operation::default(),
        operation("vaults/PROD/keys/JWT"),
    ];
    let answer = it.crypto().batch(called(BatchRequest { operations })).await.expect("results");
    let codes: Vec<i32> = answer
        .into_inner()
        .results
        .into_iter()
        .map(|result| match result.result {
            Some(Outcome::Sign(signed)) => i32::from(signed.signature.len() != 64),
            Some(Outcome::Error(error)) => error.code,
            _ => -1,
        })
        .collect();
    assert_eq!(codes, [0, Code::NotFound as i32, 3, 3, 0]);
    for count in [0, 257] {
        let operations = vec![operation("vaults/prod/keys/jwt"); count];
        let refused = it.crypto().batch(called(BatchRequest { operations })).await;
        assert_eq!(refused.expect_err("its size").code(), Code::InvalidArgument);
    }
}

/// Guards against signatures with one key that change places, and against a bad one that
/// takes the others with it.
#[tokio::test]
async fn signatures_with_one_key_are_answered_one_by_one() {
    let it = Fixture::start().await;
    let digest = |n: u8, len| sign_request::Input::Digest(vec![n; len].into());
    let inputs = (0..40).map(|n| match n {
        7 => None,
        20 => Some(digest(n, 31)),
        _ => Some(digest(n, 32)),
    });
    let requests: Vec<_> =
        inputs.map(|input| SignRequest { input, ..sign("vaults/prod/keys/jwt") }).collect();
    let operation = |r: &SignRequest| Operation { request: Some(Wanted::Sign(r.clone())) };
    let operations = requests.iter().map(operation).collect();
    let answer = it.crypto().batch(called(BatchRequest { operations })).await.expect("results");
    for (n, result) in answer.into_inner().results.into_iter().enumerate() {
        match result.result.expect("a result") {
            Outcome::Sign(signed) => {
                let verify = VerifyRequest {
                    name: signed.version_name,
                    algorithm: "ES256".to_owned(),
                    input: Some(verify_request::Input::Digest(vec![n as u8; 32].into())),
                    signature: signed.signature,
                };
                let answer = it.crypto().verify(called(verify)).await.expect("an answer");
                assert!(answer.into_inner().valid, "{n}");
            }
            Outcome::Error(error) => {
                assert!([7, 20].contains(&n), "{n}: {error:?}");
                assert_eq!(error.code, Code::InvalidArgument as i32);
            }
            other => panic!("{n}: {other:?}"),
        }
    }
}

/// Guards against a stream that loses, doubles or mixes up results beyond the number
/// that run at the same time, or does not end.
#[tokio::test]
async fn a_stream_answers_every_operation_once() {
    let it = Fixture::start().await;
    let requests = stream::iter(0..1000).map(|id| {
        let name = if id % 7 == 0 { "vaults/prod/keys/none" } else { "vaults/prod/keys/jwt" };
        StreamRequest { id, operation: Some(operation(name)) }
    });
    let answers = it.crypto().stream(called(requests)).await.expect("a stream").into_inner();
    let mut seen: Vec<u64> = answers
        .map(|answer| {
            let answer = answer.expect("a result");
            let failed = matches!(answer.result.and_then(|r| r.result), Some(Outcome::Error(_)));
            assert_eq!(failed, answer.id % 7 == 0, "{}", answer.id);
            answer.id
        })
        .collect()
        .await;
    seen.sort_unstable();
    assert_eq!(seen, (0..1000).collect::<Vec<u64>>());
}

/// Guards against an update without effect, and against a details-free refusal.
#[tokio::test]
async fn a_disabled_key_says_so_to_programs() {
    let it = Fixture::start().await;
    let mut keys = it.keys();
    let name = "vaults/prod/keys/jwt".to_owned();
    let read = keys.get_key(called(GetKeyRequest { name })).await.expect("the key").into_inner();
    assert_eq!((read.key_type.as_str(), read.curve.as_str()), ("EC", "P-256"));
    assert!(read.public_key.is_some_and(|public| public.jwk.contains("\"kid\"")));
    let key =
        Key { name: read.name.clone(), enabled: Some(false), etag: read.etag, ..Key::default() };
    let update_mask = Some(prost_types::FieldMask { paths: vec!["enabled".to_owned()] });
    let update = UpdateKeyRequest { key: Some(key), update_mask };
    let changed = keys.update_key(called(update.clone())).await.expect("a change").into_inner();
    assert_eq!(changed.enabled, Some(false));
    let again = keys.update_key(called(update)).await.expect_err("an old etag");
    assert_eq!(again.code(), Code::Aborted);
    let refused = it.crypto().sign(called(sign(&read.name))).await.expect_err("disabled");
    assert_eq!(refused.code(), Code::FailedPrecondition);
    let details = refused.get_error_details();
    assert_eq!(details.error_info().expect("always").reason, "KEY_DISABLED");
    let violations = &details.precondition_failure().expect("a violation").violations;
    assert_eq!(violations[0].r#type, "KEY_DISABLED");
}

/// Guards against a service that answers whoever was not authenticated.
#[tokio::test]
async fn without_a_caller_nothing_is_answered() {
    let it = Fixture::start().await;
    let name = "vaults/prod/keys/jwt".to_owned();
    let codes = [
        it.crypto().sign(sign(&name)).await.expect_err("no caller").code(),
        it.crypto().batch(BatchRequest::default()).await.expect_err("no caller").code(),
        it.crypto().stream(stream::empty::<StreamRequest>()).await.expect_err("no caller").code(),
        it.keys().get_key(GetKeyRequest { name }).await.expect_err("no caller").code(),
        status_service_client::StatusServiceClient::new(it.routes.clone())
            .get_status(GetStatusRequest {})
            .await
            .expect_err("no caller")
            .code(),
    ];
    assert_eq!(codes, [Code::Unauthenticated; 5]);
}
