//! How keys come to be and change their rules.

use keyreeve_backend::{Error, InvalidInput};
use keyreeve_keyhost::{CallError, ImportedKey, SealedKey};
use keyreeve_testkit::{policy, seal_import, soon};
use keyreeve_types::{
    AesMode, KeyOps, KeyPolicy, KeySpec, KeyState, Operation, SignatureAlgorithm,
};

use crate::{Fixture, binding};

const JWK: &[u8] = br#"{"kty":"oct","k":"AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8"}"#;

/// Guards against an imported key that is readable in the front, and against one
/// sealed for another name or keyhost being taken in.
#[tokio::test]
async fn an_imported_key_is_taken_only_as_it_was_sealed() {
    let fixture = Fixture::start().await;
    let (vault, vault_key) = fixture.vault(1).await;
    let recipient = &fixture.client.description().expect("it answers").recipient;
    let sealed = seal_import(recipient, b"vaults/v/keys/k", JWK);
    let good = sealed.as_imported();
    let rules = policy(KeySpec::Aes256, KeyOps::NONE);
    let import = async |key| {
        fixture.client.import(binding(vault, 1), &rules, false, &vault_key, key, soon()).await
    };
    let taken = import(good).await.expect("taken");
    assert_eq!(taken.policy.ops, KeySpec::Aes256.operations());

    let renamed = ImportedKey { aad: b"vaults/v/keys/other", ..good };
    assert_eq!(import(renamed).await.err(), Some(CallError::Backend(Error::CryptoFailed)));
    let stale = ImportedKey { recipient: recipient.id ^ 1, ..good };
    assert_eq!(import(stale).await.err(), Some(CallError::WrongRecipient));
    let other_kind = policy(KeySpec::Aes128, KeyOps::NONE);
    let refused = fixture
        .client
        .import(binding(vault, 1), &other_kind, false, &vault_key, good, soon())
        .await;
    let wrong_type = CallError::Backend(Error::InvalidInput(InvalidInput::WrongKeyType));
    assert_eq!(refused.err(), Some(wrong_type));
}

/// Guards against a disabled key that signs on because it is still open, and
/// against a late request with the old record that opens it again.
#[tokio::test]
async fn new_rules_hold_as_soon_as_the_record_has_them() {
    let fixture = Fixture::start().await;
    let (key, _) = fixture.key(KeySpec::EcP256).await;
    let sign = async |key: &SealedKey| {
        fixture.client.sign(key, SignatureAlgorithm::Es256, &[1; 32], soon()).await.map(drop)
    };
    assert_eq!(sign(&key).await, Ok(()));

    let disabled = KeyPolicy { enabled: false, revision: 2, ..key.policy.clone() };
    let resealed = fixture.client.reseal(&key, &disabled, soon()).await.expect("resealed");
    let updated =
        SealedKey { policy: resealed.policy, sealed: resealed.sealed.into(), ..key.clone() };
    assert_eq!(sign(&updated).await, Err(CallError::NotAllowed(KeyState::Disabled)));
    assert_eq!(sign(&key).await, Err(CallError::StaleRecord));
}

/// Guards against new rules that grant what the key was not made for.
#[tokio::test]
async fn rules_can_only_be_narrowed() {
    let fixture = Fixture::start().await;
    let (vault, vault_key) = fixture.vault(2).await;
    let ops = KeyOps::of(&[Operation::Decrypt]);
    let rules = policy(KeySpec::Aes256, ops);
    let made = fixture.client.generate(binding(vault, 2), &rules, &vault_key, soon()).await;
    let made = made.expect("a key");
    let key = SealedKey {
        binding: binding(vault, 2),
        policy: made.policy.clone(),
        vault_key,
        sealed: made.sealed.into(),
        slot: None,
    };
    let wider = KeySpec::Aes256.operations();
    for new in [
        KeyPolicy { ops: wider, revision: 2, ..made.policy.clone() },
        KeyPolicy { made_for: wider, ops: wider, revision: 2, ..made.policy.clone() },
        KeyPolicy { spec: KeySpec::Hmac256, revision: 2, ..made.policy.clone() },
        KeyPolicy { revision: 1, ..made.policy.clone() },
    ] {
        let refused = fixture.client.reseal(&key, &new, soon()).await;
        assert_eq!(refused.err(), Some(CallError::PolicyWidens), "{new:?}");
    }
    let refused = fixture.client.encrypt(&key, AesMode::Gcm, b"", b"x", soon()).await;
    assert_eq!(refused.err(), Some(CallError::NotAllowed(KeyState::OperationNotAllowed)));
}
