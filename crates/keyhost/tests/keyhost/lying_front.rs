//! A front that was taken over may use keys, and nothing more.

use keyreeve_backend::Error;
use keyreeve_keyhost::{CallError, SealedKey};
use keyreeve_testkit::{policy, soon};
use keyreeve_types::{KeyOps, KeyPolicy, KeySpec, SignatureAlgorithm, VersionId};

use crate::Fixture;

const CORRUPT: Option<CallError> = Some(CallError::Backend(Error::CorruptKey));

/// Guards against a key that opens under other rules, another name or another vault
/// than it was sealed with: that is how a stolen blob would be put to use.
#[tokio::test]
async fn a_key_opens_only_under_the_record_it_was_sealed_with() {
    let fixture = Fixture::start().await;
    let (good, _) = fixture.key(KeySpec::EcP256).await;
    let (other, _) = fixture.key(KeySpec::EcP384).await;
    let mut lies = vec![
        SealedKey { sealed: other.sealed.clone(), ..good.clone() },
        SealedKey { vault_key: other.vault_key.clone(), ..good.clone() },
        SealedKey { policy: KeyPolicy { enabled: false, ..good.policy.clone() }, ..good.clone() },
        SealedKey {
            policy: KeyPolicy { ops: KeyOps::NONE, ..good.policy.clone() },
            ..good.clone()
        },
        SealedKey { sealed: good.sealed[..good.sealed.len() - 1].into(), ..good.clone() },
        SealedKey { sealed: [].into(), ..good.clone() },
    ];
    for field in 0..3 {
        let mut lie = good.clone();
        match field {
            0 => lie.binding.vault = other.binding.vault,
            1 => lie.binding.key = other.binding.key,
            _ => lie.binding.version = other.binding.version,
        }
        lies.push(lie);
    }
    for (n, lie) in lies.iter().enumerate() {
        // A fresh one has nothing open: what is open goes by what was authenticated.
        fixture.start_keyhost().await;
        let used = fixture.client.sign(lie, SignatureAlgorithm::Es256, &[1; 32], soon()).await;
        assert_eq!(used.err(), CORRUPT, "lie {n}");
    }
    let used = fixture.client.sign(&good, SignatureAlgorithm::Es256, &[1; 32], soon()).await;
    assert!(used.is_ok());
}

/// Guards against the slot's policy key being reached as if it were a key of a vault.
#[tokio::test]
async fn the_policy_keys_id_is_refused() {
    let fixture = Fixture::start().await;
    let (vault, vault_key) = fixture.vault(9).await;
    let mut binding = crate::binding(vault, 9);
    binding.version = VersionId::from_bytes(*b"keyreeve-policy1");
    let rules = policy(KeySpec::Hmac256, KeySpec::Hmac256.operations());
    let made = fixture.client.generate(binding, &rules, &vault_key, soon()).await;
    assert_eq!(made.err(), Some(CallError::Protocol));
}

/// Guards against an algorithm that runs on a key of another kind.
#[tokio::test]
async fn an_algorithm_of_another_kind_is_refused() {
    let fixture = Fixture::start().await;
    let (key, _) = fixture.key(KeySpec::EcP256).await;
    let used = fixture.client.sign(&key, SignatureAlgorithm::Rs256, &[1; 32], soon()).await;
    assert_eq!(used.err(), Some(CallError::WrongAlgorithm));
}
