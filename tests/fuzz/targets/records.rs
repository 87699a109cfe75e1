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
const PRINCIPAL_ID: &str = "11111111-2222-4333-8444-555555555555";
const TOKEN_ID: &str = "0123456789abcdef0123456789abcdef";

/// A byte for the kind, then the record.
fn seeds() -> Vec<Vec<u8>> {
    [VAULT, KEY, VERSION, PRINCIPAL, TOKEN]
        .into_iter()
        .zip(0_u8..)
        .map(|(record, kind)| [&[kind][..], record].concat())
        .collect()
}

fn run(input: &[u8]) {
    let Some((kind, record)) = input.split_first() else { return };
    let kind = match kind % 5 {
        0 => StoredAs::Vault,
        1 => StoredAs::Key,
        2 => StoredAs::Version,
        3 => StoredAs::Principal,
        _ => StoredAs::Token,
    };
    if let Some(once) = rewrite(kind, record) {
        assert_eq!(rewrite(kind, &once).as_ref(), Some(&once));
        load(kind, record);
    }
}

/// Starts a service over a store with the record in its place.
/// One for all: it is not what is tested.
fn audit() -> &'static AuditLog {
    static AUDIT: OnceLock<AuditLog> = OnceLock::new();
    AUDIT.get_or_init(|| AuditLog::start().expect("an audit log"))
}

fn load(kind: StoredAs, record: &[u8]) {
    let or = |this, golden: &[u8]| if kind == this { record.to_vec() } else { golden.to_vec() };
    let batch = Batch::new()
        .put(Key::new(["vaults", "prod"]), or(StoredAs::Vault, VAULT))
        .put(Key::new(["keys", "prod", "jwt"]), or(StoredAs::Key, KEY))
        .put(Key::new(["keys", "prod", "jwt", &"03".repeat(16)]), or(StoredAs::Version, VERSION))
        .put(Key::new(["principals", PRINCIPAL_ID]), or(StoredAs::Principal, PRINCIPAL))
        .put(Key::new(["tokens", TOKEN_ID]), or(StoredAs::Token, TOKEN));
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
