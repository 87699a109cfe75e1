//! Vaults and keys: made, read, listed, changed, rotated.

use keyreeve_service::{
    Kind, PageRequest, Tier,
    crypto::{Content, Sign, Verify},
    keys::{Attributes, Changes, CreateKey, UpdateKey},
    vaults::CreateVault,
};
use keyreeve_types::{KeyOps, KeySpec, Operation, SignatureAlgorithm, UnixTime};

use super::{Fixture, NOW, key, new_key, soon, tags, vault, version_of};

const ES256: SignatureAlgorithm = SignatureAlgorithm::Es256;

/// Guards against two vaults of one name in two spellings.
#[tokio::test]
async fn a_vault_is_made_once_whatever_its_spelling() {
    let it = Fixture::start().await;
    let again = CreateVault { name: vault("PROD"), tier: Tier::Standard };
    let refused = it.service.create_vault(&it.caller, again, soon()).await.expect_err("it exists");
    assert_eq!(refused.kind(), Kind::AlreadyExists);
    let read = it.service.get_vault(&it.caller, vault("Prod"), soon()).await.expect("it exists");
    assert_eq!(read.resource_name(), "vaults/prod");
    let premium = CreateVault { name: vault("hsm"), tier: Tier::Premium };
    let refused = it.service.create_vault(&it.caller, premium, soon()).await.expect_err("no slot");
    assert_eq!(refused.reason(), "NO_PREMIUM_BACKEND");
}

/// Guards against a second creation that replaces the first key, or fails.
#[tokio::test]
async fn creating_a_key_again_makes_a_version() {
    let it = Fixture::start().await;
    let first = it.key("jwt", KeySpec::EcP256).await;
    let second = it.key("JWT", KeySpec::Rsa2048).await;
    assert_ne!(first.id(), second.id());
    assert_eq!(second.key_resource_name(), "vaults/prod/keys/jwt");
    let latest = it.service.get_key(&it.caller, key("jwt"), soon()).await.expect("it exists");
    assert_eq!(latest.id(), second.id());
    let named = version_of("jwt", &first);
    let older = it.service.get_key(&it.caller, named, soon()).await.expect("it exists");
    assert_eq!(older.spec(), KeySpec::EcP256);
    let all = PageRequest::default();
    let listed = it.service.list_key_versions(&it.caller, key("jwt"), all, soon()).await;
    let listed = listed.expect("a list").items;
    assert_eq!([listed[0].id(), listed[1].id()], [first.id(), second.id()]);
}

/// Guards against a page that skips or repeats a key.
#[tokio::test]
async fn keys_are_listed_in_pages() {
    let it = Fixture::start().await;
    for name in ["c", "a", "B", "d-1", "d"] {
        it.key(name, KeySpec::EcP256).await;
    }
    let (mut seen, mut token) = (Vec::new(), String::new());
    loop {
        let page = PageRequest { size: 2, token: &token };
        let page = it.service.list_keys(&it.caller, vault("prod"), page, soon()).await;
        let page = page.expect("a page");
        seen.extend(page.items.iter().map(|k| k.key_resource_name()[17..].to_owned()));
        if page.next.is_empty() {
            break;
        }
        token = page.next;
    }
    assert_eq!(seen, ["a", "B", "c", "d", "d-1"]);
}

/// Guards against a change that is shown and not in force, and against a key that
/// comes out of an update with more rights than it was made with.
#[tokio::test]
async fn an_update_takes_force_at_once() {
    let it = Fixture::start().await;
    let made = it.key("jwt", KeySpec::EcP256).await;
    let sign = Sign { key: key("jwt"), algorithm: ES256, content: Content::Message(b"m") };
    let signed = it.service.sign(&it.caller, sign, soon()).await.expect("a signature");

    let changes =
        Changes { enabled: Some(false), tags: Some(tags(&[("team", "a")])), ..Changes::default() };
    let request = UpdateKey { key: key("jwt"), changes, etag: &made.etag() };
    let changed = it.service.update_key(&it.caller, request, soon()).await.expect("a change");
    assert_ne!(changed.etag(), made.etag());
    assert_eq!(changed.tags().get("team").map(String::as_str), Some("a"));
    let refused = it.service.sign(&it.caller, sign, soon()).await.expect_err("disabled");
    assert_eq!((refused.kind(), refused.reason()), (Kind::FailedPrecondition, "KEY_DISABLED"));

    let on = |operations| Changes { enabled: Some(true), operations, ..Changes::default() };
    let stale = UpdateKey { key: key("jwt"), changes: on(None), etag: &made.etag() };
    let refused = it.service.update_key(&it.caller, stale, soon()).await.expect_err("an old etag");
    assert_eq!((refused.kind(), refused.reason()), (Kind::Aborted, "ETAG_MISMATCH"));

    let verify_only = Some(KeyOps::of(&[Operation::Verify]));
    let request = UpdateKey { key: key("jwt"), changes: on(verify_only), etag: "" };
    it.service.update_key(&it.caller, request, soon()).await.expect("a change");
    let refused = it.service.sign(&it.caller, sign, soon()).await.expect_err("not to sign");
    assert_eq!(refused.reason(), "OPERATION_NOT_ALLOWED");
    let verify = Verify {
        key: key("jwt"),
        algorithm: ES256,
        content: Content::Message(b"m"),
        signature: &signed.signature,
    };
    assert!(it.service.verify(&it.caller, verify, soon()).await.expect("an answer").valid);

    let request = UpdateKey { key: key("jwt"), changes: on(Some(made.policy().ops)), etag: "" };
    it.service.update_key(&it.caller, request, soon()).await.expect("back to what it was made for");
    assert!(it.service.sign(&it.caller, sign, soon()).await.is_ok());
    let wider = on(Some(KeyOps::of(&[Operation::Encrypt])));
    let request = UpdateKey { key: key("jwt"), changes: wider, etag: "" };
    let refused = it.service.update_key(&it.caller, request, soon()).await.expect_err("wider");
    assert_eq!(refused.reason(), "OPERATIONS_NOT_ALLOWED");
}

/// Guards against a key that signs before or after its time.
#[tokio::test]
async fn times_are_kept() {
    let it = Fixture::start().await;
    let attributes = Attributes {
        not_before: Some(UnixTime(NOW + 10)),
        expires: Some(UnixTime(NOW + 20)),
        ..Attributes::default()
    };
    let request = CreateKey { attributes, ..new_key("timed", KeySpec::EcP256) };
    it.service.create_key(&it.caller, request, soon()).await.expect("a key");
    let sign = Sign { key: key("timed"), algorithm: ES256, content: Content::Message(b"m") };
    let refused = it.service.sign(&it.caller, sign, soon()).await.expect_err("too early");
    assert_eq!(refused.reason(), "KEY_NOT_YET_VALID");
    it.set_clock(NOW + 20);
    let refused = it.service.sign(&it.caller, sign, soon()).await.expect_err("too late");
    assert_eq!(refused.reason(), "KEY_EXPIRED");
}

/// Guards against a rotation that forgets what the key is, or that keeps a
/// restriction of the version before.
#[tokio::test]
async fn a_rotation_makes_the_same_kind_of_key() {
    let it = Fixture::start().await;
    let attributes = Attributes { tags: tags(&[("team", "a")]), ..Attributes::default() };
    let request = CreateKey { attributes, ..new_key("jwt", KeySpec::EcP384) };
    let first = it.service.create_key(&it.caller, request, soon()).await.expect("a key");
    let changes = Changes { enabled: Some(false), ..Changes::default() };
    let request = UpdateKey { key: key("jwt"), changes, etag: "" };
    it.service.update_key(&it.caller, request, soon()).await.expect("a change");
    let second = it.service.rotate_key(&it.caller, key("jwt"), soon()).await.expect("a version");
    assert_ne!(second.id(), first.id());
    assert_eq!(second.spec(), KeySpec::EcP384);
    assert_eq!(second.tags(), first.tags());
    assert!(second.policy().enabled);
    let none = it.service.rotate_key(&it.caller, key("none"), soon()).await.expect_err("no key");
    assert_eq!(none.kind(), Kind::NotFound);
}

/// Guards against a key with operations its kind does not have.
#[tokio::test]
async fn operations_that_do_not_fit_are_refused() {
    let it = Fixture::start().await;
    let operations = Some(KeyOps::of(&[Operation::Encrypt]));
    let request = CreateKey { operations, ..new_key("ec", KeySpec::EcP256) };
    let refused = it.service.create_key(&it.caller, request, soon()).await.expect_err("EC");
    assert_eq!(refused.kind(), Kind::InvalidArgument { field: "key.operations" });
}
