//! A revoke takes effect at once: what starts after its answer is refused.

use std::{
    sync::atomic::{AtomicBool, AtomicU64},
    time::Duration,
};

use keyreeve_service::{
    Kind,
    keys::{Changes, UpdateKey},
};
use keyreeve_testkit::soon;
use tokio::task::JoinSet;

use super::*;

/// How often a role is taken away while it is used.
const REVOKES: u64 = 9_000;

/// How often a key is disabled while it is used. Its keyhost seals it anew each time, and
/// whoever meets that half way waits for some milliseconds.
const DISABLES: u64 = 1_000;

/// Where things stand: a number that is raised at each step.
#[derive(Clone, Default)]
struct Steps {
    step: Arc<AtomicU64>,
    /// How many uses have ended as was certain.
    certain: Arc<AtomicU64>,
}

impl Steps {
    /// It may be used, and whoever tries can.
    const ALLOWED: u64 = 0;
    /// It was taken away, and the one who did it has the answer.
    const TAKEN: u64 = 2;

    fn next(&self) {
        self.step.fetch_add(1, Ordering::SeqCst);
    }

    fn now(&self) -> u64 {
        self.step.load(Ordering::SeqCst)
    }

    /// Stays here for a moment, now and then until somebody has used it.
    async fn stay(&self, i: u64) {
        let seen = self.certain.load(Ordering::SeqCst);
        for _ in 0..i % 4 {
            tokio::task::yield_now().await;
        }
        let used = async {
            while i.is_multiple_of(5) && self.certain.load(Ordering::SeqCst) == seen {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(Duration::from_secs(20), used).await.expect("nobody uses it");
    }
}

/// Uses the key for as long as it is told to. While nothing is being changed, what comes
/// of a use is certain. Returns how many such uses were done, and how many refused.
async fn use_it(
    service: Service,
    steps: Steps,
    ended: Arc<AtomicBool>,
    refusal: Kind,
) -> (u64, u64) {
    let app = caller("app");
    let (mut done, mut refused) = (0, 0);
    while !ended.load(Ordering::SeqCst) {
        let before = steps.now();
        let outcome = access::may_sign(&service, &app).await;
        match &outcome {
            // It met the change half way, too often: neither done nor refused.
            Err(error) if error.reason() == "RECORD_CHANGED" => {
                tokio::task::yield_now().await;
                continue;
            }
            Err(error) => assert_eq!(error.kind(), refusal, "{error:?}"),
            Ok(()) => {}
        }
        if steps.now() == before {
            match before % 4 {
                Steps::ALLOWED => {
                    assert!(outcome.is_ok(), "refused while it was allowed");
                    done += 1;
                }
                Steps::TAKEN => {
                    assert!(outcome.is_err(), "done after it was taken away");
                    refused += 1;
                }
                _ => continue,
            }
            steps.certain.fetch_add(1, Ordering::SeqCst);
        }
        tokio::task::yield_now().await;
    }
    (done, refused)
}

/// Two who use it, of whom one is on this thread's heels.
fn users(
    it: &Fixture,
    steps: &Steps,
    ended: &Arc<AtomicBool>,
    refusal: Kind,
) -> JoinSet<(u64, u64)> {
    let mut users = JoinSet::new();
    for _ in 0..2 {
        users.spawn(use_it(it.service.clone(), steps.clone(), Arc::clone(ended), refusal));
    }
    users
}

async fn count(users: JoinSet<(u64, u64)>) {
    let all = users.join_all().await;
    let (done, refused) = all.iter().fold((0, 0), |sum, it| (sum.0 + it.0, sum.1 + it.1));
    assert!(done > 100 && refused > 100, "hardly used while it changed: {done} {refused}");
}

/// Guards against a decision that is kept: 9000 times a role is given and taken away
/// while its holder keeps signing.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nothing_that_starts_after_a_revoke_is_done() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let (steps, ended) = (Steps::default(), Arc::new(AtomicBool::new(false)));
    let mut given = it.assign("Key Vault Crypto User", "app", "/").await;
    let users = users(&it, &steps, &ended, Kind::PermissionDenied);
    for i in 0..REVOKES {
        steps.stay(i).await;
        steps.next();
        let id = given.assignment.id;
        it.service.delete_assignment(&it.caller, id, soon()).await.expect("taken away");
        steps.next();
        steps.stay(i).await;
        let scope = ["/", "/vaults/prod", "/vaults/prod/keys/jwt"][i as usize % 3];
        steps.next();
        given = it.assign("Key Vault Crypto User", "app", scope).await;
        steps.next();
    }
    ended.store(true, Ordering::SeqCst);
    count(users).await;
}

/// Guards against a key that works after it was disabled: 1000 times.
#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn nothing_that_starts_after_a_key_is_disabled_is_done() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    it.assign("Key Vault Crypto User", "app", "/vaults/prod/keys/jwt").await;
    let (steps, ended) = (Steps::default(), Arc::new(AtomicBool::new(false)));
    let users = users(&it, &steps, &ended, Kind::FailedPrecondition);
    let set = async |enabled| {
        let changes = Changes { enabled: Some(enabled), ..Changes::default() };
        let request = UpdateKey { key: key("jwt"), changes, etag: "" };
        it.service.update_key(&it.caller, request, soon()).await.expect("changed");
    };
    for i in 0..DISABLES {
        steps.stay(i).await;
        steps.next();
        set(false).await;
        steps.next();
        steps.stay(i).await;
        steps.next();
        set(true).await;
        steps.next();
    }
    ended.store(true, Ordering::SeqCst);
    count(users).await;
}
