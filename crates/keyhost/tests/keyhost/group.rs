//! Several keyhosts behind one client, of which one fails in every way there is.
//!
//! They share a root key, as the slots of a group share a wrapping key: each opens what
//! another sealed.

use std::{
    sync::Arc,
    thread,
    time::{Duration, Instant},
};

use keyreeve_backend::{
    Error,
    fault::{Call, Fault, FaultBackend, Plan},
};

use keyreeve_keyhost::{
    Binding, CallError, Client, ClientLink, Member, RootKey, SealedKey,
    host::{Custody, Host, HostError, Pulse},
    link,
};
use keyreeve_testkit::{SoftwareBackend, policy, soon};
use keyreeve_types::{AesMode, EncryptionAlgorithm, KeyId, KeySpec, VaultId, VersionId};
use tempfile::TempDir;
use tokio::sync::mpsc;

type Served = thread::JoinHandle<Result<(), HostError>>;

/// Two keyhosts, each in a slot of its own.
struct Pair {
    group: Client,
    hosts: Vec<Keyhost>,
    _directory: TempDir,
}

struct Keyhost {
    client: Client,
    plan: Plan,
    links: mpsc::Sender<Option<ClientLink>>,
    served: Served,
}

impl Pair {
    async fn start() -> (Self, SealedKey) {
        let directory = tempfile::tempdir().expect("a directory");
        let root_key = directory.path().join("root.key");
        RootKey::create(&root_key).expect("a root key");
        let mut hosts = Vec::new();
        for name in ["a", "b"] {
            let (client, driver) = Client::new(name);
            let (links, receiver) = mpsc::channel(4);
            tokio::spawn(driver.run(receiver));
            let plan = Plan::new();
            let host = Host {
                backend: FaultBackend::new(SoftwareBackend::new(), plan.clone()),
                custody: Custody::Root(RootKey::load(&root_key).expect("loaded")),
                threads: 1,
                protections: Vec::new(),
            };
            let (front, end) = link(1).expect("a link");
            let served = thread::spawn(move || host.serve(end, &Arc::new(Pulse::new(1))));
            let shard = front.shards().expect("shards").pop();
            links.send(shard).await.expect("the driver runs");
            while client.description().is_none() {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            hosts.push(Keyhost { client, plan, links, served });
        }
        let member = |host: &Keyhost| Member {
            slot: host.client.name().to_owned(),
            client: host.client.clone(),
        };
        let members: Vec<_> = hosts.iter().map(member).collect();
        let group = Client::group("group", &members, 2);
        let pair = Self { group, hosts, _directory: directory };
        let key = pair.key().await;
        (pair, key)
    }

    async fn key(&self) -> SealedKey {
        let vault = VaultId::from_bytes([1; 16]);
        let vault_key: Arc<[u8]> =
            self.group.create_vault_key(vault, soon()).await.expect("a vault key").into();
        let (key, version) = (KeyId::from_bytes([2; 16]), VersionId::from_bytes([3; 16]));
        let binding = Binding { vault, key, version };
        let rules = policy(KeySpec::Aes256, KeySpec::Aes256.operations());
        let made = self.group.generate(binding, &rules, &vault_key, soon()).await.expect("a key");
        let (policy, sealed) = (made.policy, made.sealed.into());
        SealedKey { binding, policy, vault_key, sealed, slot: made.slot }
    }

    async fn encrypt(&self, key: &SealedKey) -> Result<(), CallError> {
        self.group.encrypt(key, AesMode::Gcm, b"", b"message", soon()).await.map(drop)
    }
}

/// Guards against a caller who is told of a fault that another slot could have met, and
/// against calls that all go to one.
#[tokio::test]
async fn what_one_slot_cannot_another_does() {
    let (pair, key) = Pair::start().await;
    for error in [
        Error::DeviceFailed("C_Encrypt: CKR_DEVICE_ERROR".to_owned()),
        Error::SessionFailed("C_Encrypt: CKR_GENERAL_ERROR".to_owned()),
        Error::KeyMissing,
        Error::FaultyResult,
    ] {
        for faulty in &pair.hosts {
            faulty.plan.always(Call::Encrypt, Fault::Fail(error.clone()));
            for _ in 0..4 {
                assert_eq!(pair.encrypt(&key).await, Ok(()), "{error}");
            }
            faulty.plan.clear();
        }
    }
    for host in &pair.hosts {
        host.plan.always(Call::Encrypt, Fault::Fail(Error::KeyMissing));
    }
    let everywhere = pair.encrypt(&key).await;
    assert_eq!(everywhere, Err(CallError::Backend(Error::KeyMissing)));
}

/// Guards against nonsense that is tried in every slot, or that ends one: the canary says
/// that the slot is well.
#[tokio::test]
async fn a_callers_garbage_is_nobodys_fault_but_his() {
    let (pair, key) = Pair::start().await;
    let garbage =
        || keyreeve_backend::Sealed { iv: &[0; 12], aad: &[], ciphertext: &[1; 16], tag: &[2; 16] };
    let algorithm = EncryptionAlgorithm::Aes(KeySpec::Aes256, AesMode::Gcm);
    for _ in 0..20 {
        let refused = pair.group.decrypt(&key, algorithm, garbage(), soon()).await;
        assert_eq!(refused.err(), Some(CallError::Backend(Error::CryptoFailed)));
    }
    assert!(pair.hosts.iter().all(|host| host.client.is_serving()));
    // The same answer from a device whose canary does not sign is a fault of the device.
    for host in &pair.hosts {
        host.plan.always(Call::Check, Fault::Fail(Error::FaultyResult));
    }
    let refused = pair.group.decrypt(&key, algorithm, garbage(), soon()).await;
    assert!(
        matches!(
            refused,
            Err(CallError::Backend(Error::DeviceFailed(_)) | CallError::Unavailable { .. })
        ),
        "a dying device's answer passed for the caller's fault"
    );
    for host in pair.hosts {
        let ended = host.served.join().expect("it does not panic");
        assert!(matches!(ended, Err(HostError::Dead)), "it went on: {ended:?}");
    }
}

/// Guards against callers who wait for a slot that hangs while another could serve them,
/// against calls that go there again, and against a slot that is never asked again.
#[tokio::test]
async fn a_slot_that_hangs_is_left_and_taken_back() {
    let (pair, key) = Pair::start().await;
    for _ in 0..4 {
        pair.encrypt(&key).await.expect("both have it open");
    }
    let hang = Duration::from_secs(4);
    pair.hosts[0].plan.nth(Call::Encrypt, 1, Fault::Delay(hang));
    let since = Instant::now();
    for call in 0..10 {
        let at = Instant::now();
        pair.encrypt(&key).await.expect("the other one serves");
        assert!(at.elapsed() < Duration::from_millis(1_900), "call {call}: {:?}", at.elapsed());
    }
    assert!(since.elapsed() < Duration::from_millis(2_500), "{:?}", since.elapsed());
    assert!(pair.hosts[0].client.is_mute() && !pair.hosts[0].client.is_serving());
    while !pair.hosts[0].client.is_serving() {
        assert!(since.elapsed() < 3 * hang, "it is not taken back");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    pair.hosts[1].links.send(None).await.expect("the driver runs");
    while pair.hosts[1].client.is_serving() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    pair.encrypt(&key).await.expect("the first one serves again");
}

/// Guards against a wait for nobody.
#[tokio::test]
async fn without_any_keyhost_a_call_ends_at_once() {
    let (pair, key) = Pair::start().await;
    for host in &pair.hosts {
        host.links.send(None).await.expect("the driver runs");
    }
    while pair.group.is_serving() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    let since = Instant::now();
    for _ in 0..100 {
        assert!(matches!(pair.encrypt(&key).await, Err(CallError::Unavailable { .. })));
    }
    assert!(since.elapsed() < Duration::from_secs(1), "{:?}", since.elapsed());
}

/// Guards against a key that is handed out while only one slot can use it.
#[tokio::test]
async fn a_new_key_takes_as_many_slots_as_it_must() {
    let (pair, _) = Pair::start().await;
    pair.hosts[1].plan.always(Call::Open, Fault::Fail(Error::CorruptKey));
    pair.hosts[0].plan.always(Call::Open, Fault::Fail(Error::CorruptKey));
    let vault = VaultId::from_bytes([1; 16]);
    let vault_key: Arc<[u8]> =
        pair.group.create_vault_key(vault, soon()).await.expect("a vault key").into();
    let id = [9; 16];
    let binding = Binding { vault, key: KeyId::from_bytes(id), version: VersionId::from_bytes(id) };
    let rules = policy(KeySpec::EcP256, KeySpec::EcP256.operations());
    let refused = pair.group.generate(binding, &rules, &vault_key, soon()).await;
    assert_eq!(refused.err(), Some(CallError::TooFewReplicas { have: 1, need: 2 }));
}
