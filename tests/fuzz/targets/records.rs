//! Records of the store, alone and as the service loads them when it starts.
//!
//! What is read is written again as something that reads the same, and a store with
//! any record in it either loads or is refused.

use std::sync::{Arc, OnceLock};

use keyreeve_service::{
    Clock, Settings, Shared,
    fuzzing::{StoredAs, rewrite},
};
use keyreeve_store::{Batch, Key, MemoryStore, Store};
use keyreeve_testkit::AuditLog;

use super::Target;

pub(super) const TARGET: Target = Target { name: "record", max_len: 1024, seeds, run };

const VAULT: &[u8] = include_bytes!("../../../crates/service/tests/golden/vault.json");
const KEY: &[u8] = include_bytes!("../../../crates/service/tests/golden/key.json");
const VERSION: &[u8] = include_bytes!("../../../crates/service/tests/golden/version.json");

const PRINCIPAL: &[u8] = include_bytes!("../../../crates/service/tests/golden/principal.json");
const TOKEN: &[u8] = include_bytes!("../../../crates/service/tests/golden/token.json");
const ROLE: &[u8] = include_bytes!("../../../crates/service/tests/golden/role.json");
const ASSIGNMENT: &[u8] = include_bytes!("../../../crates/service/tests/golden/assignment.json");
const POLICY: &[u8] = include_bytes!("../../../crates/service/tests/golden/vault-policy.json");
const HEAD: &[u8] = br#"{"format":1}"#;
const ROLE_ID: &str = "11111111-1111-4111-8111-111111111111";
const ASSIGNMENT_ID: &str = "33333333-3333-4333-8333-333333333333";
const PRINCIPAL_ID: &str = "11111111-2222-4333-8444-555555555555";
const TOKEN_ID: &str = "0123456789abcdef0123456789abcdef";

/// A byte for the kind, then the record.
fn seeds() -> Vec<Vec<u8>> {
    // In the order of `StoredAs::ALL`.
    [VAULT, KEY, VERSION, PRINCIPAL, TOKEN, ROLE, ASSIGNMENT, POLICY, HEAD]
        .into_iter()
        .zip(0_u8..)
        .map(|(record, kind)| [&[kind][..], record].concat())
        .collect()
}

fn run(input: &[u8]) {
    let Some((kind, record)) = input.split_first() else { return };
    let kind = StoredAs::ALL[usize::from(*kind) % StoredAs::ALL.len()];
    if let Some(once) = rewrite(kind, record) {
        assert_eq!(rewrite(kind, &once).as_ref(), Some(&once));
        load(kind, record);
    }
}

/// One for all: it is not what is tested.
fn audit() -> &'static AuditLog {
    static AUDIT: OnceLock<AuditLog> = OnceLock::new();
    AUDIT.get_or_init(|| AuditLog::start().expect("an audit log"))
}

/// Starts a service over a store with the record in its place.
fn load(kind: StoredAs, record: &[u8]) {
    let or = |this, golden: &[u8]| if kind == this { record.to_vec() } else { golden.to_vec() };
    let batch = Batch::new()
        .put(Key::new(["vaults", "prod"]), or(StoredAs::Vault, VAULT))
        .put(Key::new(["keys", "prod", "jwt"]), or(StoredAs::Key, KEY))
        .put(Key::new(["keys", "prod", "jwt", &"03".repeat(16)]), or(StoredAs::Version, VERSION))
        .put(Key::new(["principals", PRINCIPAL_ID]), or(StoredAs::Principal, PRINCIPAL))
        .put(Key::new(["tokens", TOKEN_ID]), or(StoredAs::Token, TOKEN))
        .put(Key::new(["access", "roles", ROLE_ID]), or(StoredAs::Role, ROLE))
        .put(
            Key::new(["access", "assignments", ASSIGNMENT_ID]),
            or(StoredAs::Assignment, ASSIGNMENT),
        )
        .put(Key::new(["access", "vaults", "prod"]), or(StoredAs::VaultPolicy, POLICY))
        .put(Key::new(["access", "head"]), or(StoredAs::Head, HEAD));
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    runtime.block_on(async {
        let store = MemoryStore::new();
        store.commit(batch).await.expect("it is in memory");
        let audit = audit();
        let opened =
            Shared::open(Arc::new(store), Settings::default(), Clock::system(), audit.recorder())
                .await;
        if let Err(refused) = opened {
            assert!(!refused.to_string().is_empty());
        }
    });
}
