//! What the gate puts on record.

use std::{
    future::Future,
    pin::pin,
    task::{Context, Waker},
};

use keyreeve_audit::{
    Entry, Outcome,
    record::{Decision, Ending, Phase},
};
use keyreeve_service::{
    Kind,
    crypto::{Content, Decrypt, Encrypt, JwksOf, SealedRef, Sign},
};
use keyreeve_testkit::soon;
use keyreeve_types::{KeySpec, SignatureAlgorithm};

use super::*;

fn es256(name: &str) -> Sign<'_> {
    let content = Content::Message(b"message");
    Sign { key: key(name), algorithm: SignatureAlgorithm::Es256, content }
}

/// The records of `operation`, and the log closed.
fn recorded(it: &Fixture, operation: &str) -> Vec<Entry> {
    let records = it.audit.records().expect("a log");
    records.into_iter().filter(|e| e.record.action.operation.as_str() == operation).collect()
}

/// Guards against a record that does not say which version did it, where, by which
/// algorithm and by whose leave, and against a second record or none.
#[tokio::test]
async fn a_success_says_what_who_how_and_where() {
    let it = Fixture::start().await;
    let made = it.key("jwt", KeySpec::EcP256).await;
    it.service.sign(&it.caller, es256("jwt"), soon()).await.expect("signed");
    let found = recorded(&it, "Sign");
    assert_eq!(found.len(), 1);
    let record = &found[0].record;
    assert_eq!(record.request.0, it.caller.request().bytes());
    assert_eq!(record.caller.principal.as_ref().map(|p| p.as_str()), Some("token:tests"));
    assert_eq!(record.action.object.version, Some(made.id()));
    assert!(record.action.object.id.is_some());
    assert_eq!(record.action.algorithm.as_ref().map(|word| word.as_str()), Some("ES256"));
    assert_eq!(record.backend.as_ref().map(|word| word.as_str()), Some("software"));
    assert!(matches!(record.decision, Decision::Allowed(Some(_))));
    assert!(matches!(record.phase, Phase::Outcome { ending: Ending::Ok, .. }));
}

/// Guards against a change that a crash leaves without a trace, and against reading that
/// is announced as if it were one.
#[tokio::test]
async fn what_changes_something_is_announced_first() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    it.service.get_key(&it.caller, key("jwt"), soon()).await.expect("read");
    it.service.who_am_i(&it.caller, soon()).await.expect("read");
    let token = it.service.issue_access_token(&it.caller, soon()).await;
    token.expect_err("for principals that are kept here");
    let records = it.audit.records().expect("a log");
    let phases = |operation: &str| -> Vec<_> {
        let of = |e: &&Entry| e.record.action.operation.as_str() == operation;
        records.iter().filter(of).map(|e| Outcome::of(&e.record)).collect()
    };
    assert_eq!(phases("CreateVault"), [Outcome::Intent, Outcome::Ok]);
    assert_eq!(phases("CreateKey"), [Outcome::Intent, Outcome::Ok]);
    assert_eq!(phases("IssueAccessToken"), [Outcome::Intent, Outcome::Failed]);
    assert_eq!(phases("GetKey"), [Outcome::Ok]);
    assert_eq!(phases("WhoAmI"), [Outcome::Ok]);
}

/// Guards against refusals and failures that leave no trace, or that are recorded as the
/// other.
#[tokio::test]
async fn refusals_and_failures_are_on_record() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let stranger = caller("stranger");
    it.service.sign(&stranger, es256("jwt"), soon()).await.expect_err("no role");
    it.service.create_key(&stranger, new_key("k", KeySpec::EcP256), soon()).await.expect_err("no");
    it.service.sign(&it.caller, es256("absent"), soon()).await.expect_err("there is none");
    let jwks = it.service.get_jwks(&it.caller, JwksOf::Vault(vault("prod")), soon()).await;
    jwks.expect("public");
    let records = it.audit.records().expect("a log");
    let of = |operation: &str| -> Vec<_> {
        let ours = |e: &&Entry| e.record.action.operation.as_str() == operation;
        let told = records.iter().filter(ours);
        told.map(|e| (Outcome::of(&e.record), e.record.action.object.name.is_some())).collect()
    };
    assert_eq!(of("Sign"), [(Outcome::Denied, true), (Outcome::Failed, true)]);
    let made: Vec<_> = of("CreateKey").into_iter().map(|(outcome, _)| outcome).collect();
    assert_eq!(made, [Outcome::Intent, Outcome::Ok, Outcome::Denied], "a refusal is not announced");
    assert!(of("GetJwks").is_empty(), "what is public is nobody's deed");
}

/// Guards against an opened ciphertext whose record does not say which version opened it.
#[tokio::test]
async fn what_is_opened_names_its_version() {
    let it = Fixture::start().await;
    let made = it.key("aes", KeySpec::Aes256).await;
    let seal = Encrypt { key: key("aes"), algorithm: None, plaintext: b"x", additional_data: b"" };
    let sealed = it.service.encrypt(&it.caller, seal, soon()).await.expect("sealed");
    let name = KeyName::new("prod", "aes", Some(made.id())).expect("a name");
    let open = Decrypt {
        key: None,
        sealed: SealedRef {
            key: Some(name),
            iv: &sealed.iv,
            ciphertext: &sealed.ciphertext,
            tag: &sealed.tag,
        },
        algorithm: sealed.algorithm.parse().expect("an algorithm"),
        additional_data: b"",
    };
    it.service.decrypt(&it.caller, open, soon()).await.expect("opened");
    let found = recorded(&it, "Decrypt");
    assert_eq!(found[0].record.action.object.version, Some(made.id()));
    assert_eq!(found[0].record.backend.as_ref().map(|word| word.as_str()), Some("software"));
}

/// Guards against a caller who hangs up in time and leaves no trace.
#[tokio::test]
async fn a_caller_who_hangs_up_is_on_record() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    {
        let mut signing = pin!(it.service.sign(&it.caller, es256("jwt"), soon()));
        let polled = signing.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending(), "the keyhost is asked");
    }
    // What hands records over is a task of this runtime.
    tokio::task::yield_now().await;
    let found = recorded(&it, "Sign");
    assert_eq!(found.len(), 1);
    let Phase::Outcome { ending: Ending::Failed { code, reason }, .. } = &found[0].record.phase
    else {
        panic!("{found:?}");
    };
    assert_eq!(code.as_str(), "CANCELLED");
    assert_eq!(reason.as_ref().map(|word| word.as_str()), Some("CALLER_GONE"));
}

/// Guards against an answer without a record: when the log takes none, what was worked
/// out is not given out, and nothing is made.
#[tokio::test]
async fn without_a_log_there_is_no_answer() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    it.audit.recorder().close();
    let refused = it.service.sign(&it.caller, es256("jwt"), soon()).await.expect_err("no record");
    assert!(matches!(refused.kind(), Kind::Unavailable { retry_after: Some(_) }));
    assert_eq!(refused.reason(), "AUDIT_UNAVAILABLE");
    let made = it.service.create_key(&it.caller, new_key("k", KeySpec::EcP256), soon()).await;
    assert_eq!(made.expect_err("no record").reason(), "AUDIT_UNAVAILABLE");
    it.service.get_status(&it.caller, || (), soon()).await.expect("how it is can be asked");
    let second = it.service.get_jwks(&it.caller, JwksOf::Key(key("k")), soon()).await;
    assert_eq!(second.expect_err("it was not made").kind(), Kind::NotFound);
}
