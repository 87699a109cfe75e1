//! More wrapped keys than a token could hold, and a working set of some of them.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use keyreeve_keyhost::{Binding, Client, SealedKey};
use keyreeve_testkit::{KeyhostProcess, SoftHsm, policy, soon};
use keyreeve_types::{KeyId, KeyOps, KeySpec, Operation, SignatureAlgorithm, VaultId, VersionId};
use tokio::sync::mpsc;

/// How many keys there are; the campaign sets more.
const KEYS: &str = "KEYREEVE_WRAPPED_KEYS";
/// How many of them are used.
const WORKING_SET: usize = 1_000;
/// Callers at a time.
const CALLERS: usize = 16;
/// How long each kind is measured, one after the other, again and again.
const TURN: Duration = Duration::from_millis(700);
const TURNS: usize = 4;

/// Guards against wrapped keys that are slower to use than a resident one because there
/// are many of them.
#[tokio::test]
async fn many_wrapped_keys_are_as_fast_as_one_resident_key() {
    let keys: usize = std::env::var(KEYS).map_or(300, |text| text.parse().expect("a number"));
    let resident_token = SoftHsm::direct().expect("a token");
    let resident = KeyhostProcess::slot(&resident_token).expect("a keyhost");
    let wrapped_token = SoftHsm::provisioned().expect("a token");
    let wrapped = KeyhostProcess::slot_in_group(&wrapped_token).expect("a keyhost");
    let (resident, _links) = connected(resident).await;
    let (wrapped, _more_links) = connected(wrapped).await;

    let one = made(&resident, 1).await;
    let since = Instant::now();
    let many = made(&wrapped, keys).await;
    let making = since.elapsed();
    let step = (keys / WORKING_SET).max(1);
    let working_set: Arc<[SealedKey]> =
        many.iter().step_by(step).take(WORKING_SET).cloned().collect();
    // Whatever was left open by the making is not what is measured.
    run(&wrapped, &working_set, TURN).await;
    let one: Arc<[SealedKey]> = one.into();
    let (mut of_one, mut of_many) = (0, 0);
    for _ in 0..TURNS {
        of_one += run(&resident, &one, TURN).await;
        of_many += run(&wrapped, &working_set, TURN).await;
    }
    let ratio = of_many as f64 / of_one as f64;
    let each = making / u32::try_from(keys).expect("not that many");
    eprintln!(
        "{keys} wrapped keys, {each:?} to make one; of {} in use, {ratio:.2} times the \
         signatures of one resident key",
        working_set.len()
    );
    assert!(ratio >= 0.9, "{of_many} against {of_one}");
}

async fn connected(keyhost: KeyhostProcess) -> (Client, impl Sized) {
    let mut keyhost = keyhost;
    let (client, driver) = Client::new("slot");
    let (links, receiver) = mpsc::channel(1);
    tokio::spawn(driver.run(receiver));
    links.send(Some(keyhost.take_link().expect("its link"))).await.expect("the driver runs");
    while client.description().is_none() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    (client, (links, keyhost))
}

/// New P-256 keys, all in one vault.
async fn made(client: &Client, count: usize) -> Vec<SealedKey> {
    let vault = VaultId::from_bytes([1; 16]);
    let vault_key: Arc<[u8]> = client.create_vault_key(vault, soon()).await.expect("a key").into();
    let ops = KeyOps::of(&[Operation::Sign, Operation::Verify]);
    let rules = policy(KeySpec::EcP256, ops);
    let mut keys = Vec::with_capacity(count);
    for number in 0..count {
        let mut id = [9; 16];
        id[..8].copy_from_slice(&(number as u64).to_be_bytes());
        let (key, version) = (KeyId::from_bytes(id), VersionId::from_bytes(id));
        let binding = Binding { vault, key, version };
        let made = client.generate(binding, &rules, &vault_key, soon()).await.expect("a key");
        keys.push(SealedKey {
            binding,
            policy: made.policy,
            vault_key: Arc::clone(&vault_key),
            sealed: made.sealed.into(),
            slot: made.slot,
        });
    }
    keys
}

/// How many signatures there are in that time.
async fn run(client: &Client, keys: &Arc<[SealedKey]>, time: Duration) -> usize {
    let until = Instant::now() + time;
    let callers = (0..CALLERS).map(|caller| {
        let (client, keys) = (client.clone(), Arc::clone(keys));
        tokio::spawn(async move {
            let mut signed = 0;
            while Instant::now() < until {
                let key = &keys[(caller + signed * CALLERS) % keys.len()];
                let es256 = SignatureAlgorithm::Es256;
                client.sign(key, es256, &[7; 32], soon()).await.expect("signed");
                signed += 1;
            }
            signed
        })
    });
    let mut all = 0;
    for caller in callers.collect::<Vec<_>>() {
        all += caller.await.expect("a caller ends in order");
    }
    all
}
