//! What the gate refuses, and what a refusal says.

use keyreeve_service::{
    Caller, Error, Identity, Kind, PageRequest, Source, TraceId,
    crypto::{Content, Decrypt, JwksOf, ReEncrypt, SealedRef, Sign},
};
use keyreeve_testkit::soon;
use keyreeve_types::{AesMode, EncryptionAlgorithm, KeySpec, SignatureAlgorithm};

use super::*;

fn es256<'a>(name: &'a str) -> Sign<'a> {
    let content = Content::Message(b"message");
    Sign { key: key(name), algorithm: SignatureAlgorithm::Es256, content }
}

fn said(error: &Error) -> (Kind, &'static str, String) {
    (error.kind(), error.reason(), error.caller_message().replace("absent", "jwt"))
}

/// Guards against an operation that is done for whoever is known, as it was before
/// there were roles, and against a refusal that tells what exists.
#[tokio::test]
async fn without_a_role_nothing_is_allowed_and_nothing_is_told() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let stranger = caller("stranger");
    let there = it.service.sign(&stranger, es256("jwt"), soon()).await.expect_err("no role");
    let absent = it.service.sign(&stranger, es256("absent"), soon()).await.expect_err("no role");
    assert_eq!((there.kind(), there.reason()), (Kind::PermissionDenied, "FORBIDDEN"));
    assert_eq!(said(&there), said(&absent), "a refusal tells what exists");
    assert_eq!(there.log_message(), Some("the caller holds no role"));
    let list = it.service.list_vaults(&stranger, PageRequest::default(), soon()).await;
    assert_eq!(list.expect_err("no role").kind(), Kind::PermissionDenied);
    it.service.sign(&it.caller, es256("jwt"), soon()).await.expect("an administrator signs");
}

/// Guards against a role of management that opens data.
#[tokio::test]
async fn managing_a_vault_does_not_open_it() {
    let roles = vec![ConfiguredRole { holder: token("boss"), role: role("Owner") }];
    let it = Fixture::with(Settings { roles, ..Settings::default() }).await;
    it.key("jwt", KeySpec::EcP256).await;
    let boss = caller("boss");
    it.service.get_vault(&boss, vault("prod"), soon()).await.expect("an Owner manages");
    let refused = it.service.sign(&boss, es256("jwt"), soon()).await.expect_err("no data right");
    assert_eq!(refused.kind(), Kind::PermissionDenied);
    let refused = it.service.get_key(&boss, key("jwt"), soon()).await.expect_err("no data right");
    assert_eq!(refused.kind(), Kind::PermissionDenied);
}

/// Guards against nobody being taken for somebody, and against public keys that the
/// public cannot read.
#[tokio::test]
async fn nobody_reads_public_keys_and_nothing_else() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let Source { peer, listener } = it.caller.source().clone();
    let nobody = Caller::new(Arc::new(Identity::nobody()), Source { peer, listener }, None);
    let of = JwksOf::Vault(vault("prod"));
    let set = it.service.get_jwks(&nobody, of, soon()).await.expect("public");
    assert!(set.json().contains("\"kid\""));
    let refused = it.service.get_key(&nobody, key("jwt"), soon()).await.expect_err("nobody");
    assert_eq!(refused.kind(), Kind::PermissionDenied);
}

/// Guards against a second key that is used because the caller may use the first.
#[tokio::test]
async fn to_re_encrypt_takes_a_right_on_both_keys() {
    let roles = vec![ConfiguredRole { holder: token("reader"), role: role("Key Vault Reader") }];
    let it = Fixture::with(Settings { roles, ..Settings::default() }).await;
    let from = it.key("from", KeySpec::Aes256).await;
    it.key("to", KeySpec::Aes256).await;
    let sealed = SealedRef {
        key: Some(version_of("from", &from)),
        iv: &[0; 12],
        ciphertext: &[0; 4],
        tag: &[0; 16],
    };
    let source = Decrypt {
        key: None,
        sealed,
        algorithm: EncryptionAlgorithm::Aes(KeySpec::Aes256, AesMode::Gcm),
        additional_data: b"",
    };
    let request =
        ReEncrypt { source, destination: key("to"), algorithm: None, additional_data: b"" };
    let reader = caller("reader");
    let refused = it.service.re_encrypt(&reader, request, soon()).await.expect_err("no right");
    assert_eq!(refused.kind(), Kind::PermissionDenied);
    let broken = it.service.re_encrypt(&it.caller, request, soon()).await.expect_err("no tag");
    assert_eq!(broken.kind(), Kind::DecryptionFailed, "it was decided, then opened");
}

/// Guards against a caller whose trace is lost, and two requests that count as one.
#[tokio::test]
async fn a_caller_is_one_request() {
    let one = caller("a");
    let trace =
        TraceId::from_traceparent("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
    let identity = Arc::new(Identity::nobody());
    let other = Caller::new(identity, one.source().clone(), trace);
    assert_ne!(one.request(), other.request());
    assert_eq!(one.clone().request(), one.request());
    assert_eq!(other.trace(), trace);
}
