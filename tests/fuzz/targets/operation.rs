//! Operations through the gRPC door: from the bytes of a message to a real keyhost and
//! back.
//!
//! Whatever a caller sends, the fault is the caller's: never an internal error, never a
//! backend that is down, and an answer that can be written.

use std::{
    sync::{Arc, OnceLock},
    thread,
    time::Duration,
};

use keyreeve_backend_software::SoftwareBackend;
use keyreeve_grpc::fuzzing;
use keyreeve_keyhost::{
    Client, RootKey,
    host::{Custody, Host, Pulse},
    link,
};
use keyreeve_proto::v1::{
    Ciphertext, DecryptRequest, EncryptRequest, GenerateDataKeyRequest, MacRequest, Operation,
    RandomBytesRequest, ReEncryptRequest, SignJwtRequest, SignRequest, UnwrapKeyRequest,
    VerifyMacRequest, VerifyRequest, WrapKeyRequest, operation::Request, operation_result::Result,
    sign_request, verify_request,
};
use keyreeve_service::{
    Backends, Caller, Clock, ConfiguredRole, Deadline, Identity, KeyName, Method, Service,
    Settings, Shared, Source, Tier, VaultName,
    authz::{Listener, Principal, PrincipalKind, Role, Subject},
    keys::{Attributes, CreateKey},
    vaults::CreateVault,
};
use keyreeve_store::MemoryStore;
use keyreeve_testkit::AuditLog;
use keyreeve_types::KeySpec;
use prost::Message;
use tokio::{
    runtime::{Builder, Runtime},
    sync::mpsc,
};
use tonic::Code;

use super::Target;

pub(super) const TARGET: Target = Target { name: "operation", max_len: 2048, seeds, run };

/// A service in this process, and the runtime on which it lives.
struct Live {
    service: Service,
    runtime: Runtime,
}

fn run(input: &[u8]) {
    let Ok(operation) = Operation::decode(input) else { return };
    let again = Operation::decode(&operation.encode_to_vec()[..]);
    assert_eq!(again.as_ref(), Ok(&operation));
    static LIVE: OnceLock<Live> = OnceLock::new();
    let live = LIVE.get_or_init(Live::start);
    let result = live.run(&operation).result.expect("there is always a result");
    if let Result::Error(error) = &result {
        let code = Code::from_i32(error.code);
        let callers = [Code::InvalidArgument, Code::NotFound, Code::FailedPrecondition];
        assert!(callers.contains(&code), "{error:?}");
        assert!(!error.message.is_empty() && !error.reason.is_empty(), "{error:?}");
    }
}

impl Live {
    fn start() -> Self {
        let runtime = Builder::new_current_thread().enable_all().build().expect("a runtime");
        let service = runtime.block_on(service());
        Self { service, runtime }
    }

    fn run(&self, operation: &Operation) -> keyreeve_proto::v1::OperationResult {
        let caller = caller();
        let running = fuzzing::run(&self.service, &caller, operation, soon());
        self.runtime.block_on(running)
    }
}

fn principal() -> Principal {
    Principal::new(PrincipalKind::Token, None, "fuzz").expect("a principal")
}

fn caller() -> Caller {
    let subject = Subject::new(principal(), []).expect("a subject");
    let listener = Listener { name: "grpc".parse().expect("a name"), private: false };
    let source = Source { peer: None, listener: Arc::new(listener) };
    Caller::new(Arc::new(Identity::proven(subject, Method::Token, None)), source, None)
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

/// A service with the vault `prod` and a key of each kind in it.
async fn service() -> Service {
    let directory = tempfile::tempdir().expect("a directory");
    let root_key = directory.path().join("root.key");
    RootKey::create(&root_key).expect("a root key");
    let (front, end) = link(1).expect("sockets");
    let host = Host {
        backend: SoftwareBackend::new(),
        custody: Custody::Root(RootKey::load(&root_key).expect("the root key")),
        threads: 1,
        protections: Vec::new(),
    };
    thread::spawn(move || host.serve(end, &Arc::new(Pulse::new(1))));
    let (client, driver) = Client::new("software");
    let (links, receiver) = mpsc::channel(1);
    tokio::spawn(driver.run(receiver));
    links.send(front.shards().expect("links").pop()).await.expect("a driver");
    // The driver must find this open for as long as the process lives.
    std::mem::forget(links);
    while client.description().is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let store = Arc::new(MemoryStore::new());
    let role = |name| Role::find_built_in(name).expect("a role").id();
    let roles = ["Owner", "Key Vault Administrator"]
        .map(|name| ConfiguredRole { holder: principal(), role: role(name) });
    let settings = Settings { roles: roles.into(), ..Settings::default() };
    // The log lives as long as the process.
    let audit = Box::leak(Box::new(AuditLog::start().expect("an audit log")));
    let opened = Shared::open(store, settings, Clock::system(), audit.recorder()).await;
    let (shared, follower) = opened.expect("an empty store");
    tokio::spawn(follower.run());
    let service = Service::new(shared, Backends::new(client, Vec::new(), None));

    let caller = caller();
    let name = VaultName::new("prod").expect("a name");
    let vault = CreateVault { name, tier: Tier::Standard };
    service.create_vault(&caller, vault, soon()).await.expect("a vault");
    for (name, spec) in [
        ("ec", KeySpec::EcP256),
        ("aes", KeySpec::Aes256),
        ("mac", KeySpec::Hmac256),
        ("rsa", KeySpec::Rsa2048),
    ] {
        let key = KeyName::new("prod", name, None).expect("a name");
        let attributes = Attributes::default();
        let key = CreateKey { key, spec, operations: None, attributes };
        service.create_key(&caller, key, soon()).await.expect("a key");
    }
    service
}

fn seeds() -> Vec<Vec<u8>> {
    let requests = signing().into_iter().chain(sealing());
    requests.map(|request| Operation { request: Some(request) }.encode_to_vec()).collect()
}

fn key(name: &str) -> String {
    format!("vaults/prod/keys/{name}")
}

fn signing() -> Vec<Request> {
    let message = || b"message"[..].into();
    vec![
        Request::Sign(SignRequest {
            name: key("ec"),
            algorithm: "ES256".into(),
            input: Some(sign_request::Input::Message(message())),
        }),
        Request::Sign(SignRequest {
            name: key("rsa"),
            algorithm: "PS256".into(),
            input: Some(sign_request::Input::Digest([1; 32][..].into())),
        }),
        Request::Verify(VerifyRequest {
            name: key("ec"),
            algorithm: "ES256".into(),
            input: Some(verify_request::Input::Message(message())),
            signature: [2; 64][..].into(),
        }),
        Request::Mac(MacRequest {
            name: key("mac"),
            algorithm: "HS256".into(),
            message: message(),
        }),
        Request::VerifyMac(Box::new(VerifyMacRequest {
            name: key("mac"),
            algorithm: "HS256".into(),
            message: message(),
            mac: [3; 32][..].into(),
        })),
        Request::SignJwt(Box::new(SignJwtRequest {
            name: key("ec"),
            algorithm: "ES256".into(),
            claims: r#"{"sub":"a"}"#.into(),
            header: r#"{"typ":"at+jwt"}"#.into(),
        })),
    ]
}

fn sealing() -> Vec<Request> {
    let sealed = |name: &str, algorithm: &str, iv: usize, length: usize, tag: usize| {
        Some(Ciphertext {
            version_name: key(name),
            algorithm: algorithm.into(),
            iv: vec![4; iv].into(),
            ciphertext: vec![5; length].into(),
            tag: vec![6; tag].into(),
        })
    };
    vec![
        Request::Encrypt(EncryptRequest {
            name: key("aes"),
            algorithm: "A256GCM".into(),
            plaintext: b"plaintext"[..].into(),
            additional_data: b"aad"[..].into(),
        }),
        Request::Decrypt(Box::new(DecryptRequest {
            ciphertext: sealed("aes", "A256GCM", 12, 9, 16),
            ..DecryptRequest::default()
        })),
        Request::Decrypt(Box::new(DecryptRequest {
            ciphertext: sealed("rsa", "RSA-OAEP-256", 0, 256, 0),
            ..DecryptRequest::default()
        })),
        Request::WrapKey(WrapKeyRequest {
            name: key("aes"),
            algorithm: "A256KW".into(),
            key: [7; 32][..].into(),
        }),
        Request::UnwrapKey(Box::new(UnwrapKeyRequest {
            wrapped_key: sealed("aes", "A256KW", 0, 40, 0),
            ..UnwrapKeyRequest::default()
        })),
        Request::GenerateDataKey(Box::new(GenerateDataKeyRequest {
            name: key("rsa"),
            size: 32,
            ..GenerateDataKeyRequest::default()
        })),
        Request::ReEncrypt(Box::new(ReEncryptRequest {
            ciphertext: sealed("aes", "A256CBCPAD", 16, 32, 0),
            destination_name: key("rsa"),
            ..ReEncryptRequest::default()
        })),
        Request::RandomBytes(RandomBytesRequest { parent: "vaults/prod".into(), size: 16 }),
    ]
}
