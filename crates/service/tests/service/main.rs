//! The service over a real keyhost: real frames, sockets and threads around the
//! software backend, and the in-memory store. Only the process boundary is missing.

mod access;
mod audit;
mod counted;
mod crypto;
mod escalation;
mod following;
mod gate;
mod identities;
mod jwt;
mod keys;
mod limits;
mod races;
mod recorded_access;
mod revoking;
mod who;

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
};

use keyreeve_keyhost::Client;
use keyreeve_service::{
    Backends, Caller, Clock, ConfiguredRole, KeyName, KeyVersion, Service, Settings, Shared, Tier,
    VaultName,
    keys::{Attributes, CreateKey},
    vaults::CreateVault,
};
use keyreeve_store::{MemoryStore, Store};
use keyreeve_testkit::{AuditLog, LocalKeyhost, soon};
use keyreeve_types::{KeySpec, UnixTime};
use who::{caller, everything, role, token};

/// When the tests take place.
const NOW: i64 = 1_700_000_000;

/// A service with a vault called `prod`.
struct Fixture {
    service: Service,
    caller: Caller,
    store: Arc<dyn Store>,
    clock: Arc<AtomicI64>,
    keyhost: LocalKeyhost,
    audit: AuditLog,
}

impl Fixture {
    async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    async fn with(settings: Settings) -> Self {
        let keyhost = LocalKeyhost::start().await.expect("a keyhost");
        let audit = AuditLog::start().expect("an audit log");
        let store: Arc<dyn Store> = Arc::new(MemoryStore::new());
        let clock = Arc::new(AtomicI64::new(NOW));
        let roles = [everything("tests"), settings.roles].concat();
        let settings = Settings { roles, ..settings };
        let service = open(&store, keyhost.client(), &clock, settings, &audit).await;
        let caller = caller("tests");
        let fixture = Self { service, caller, store, clock, keyhost, audit };
        let request = CreateVault { name: vault("prod"), tier: Tier::Standard };
        fixture.service.create_vault(&fixture.caller, request, soon()).await.expect("a vault");
        fixture
    }

    /// A second node: the same store and keyhost, a registry of its own.
    async fn second_node(&self) -> Service {
        let settings = Settings { roles: everything("tests"), ..Settings::default() };
        open(&self.store, self.keyhost.client(), &self.clock, settings, &self.audit).await
    }

    fn set_clock(&self, now: i64) {
        self.clock.store(now, Ordering::Relaxed);
    }

    async fn key(&self, name: &str, spec: KeySpec) -> Arc<KeyVersion> {
        let made = self.service.create_key(&self.caller, new_key(name, spec), soon()).await;
        made.expect("a key")
    }
}

async fn open(
    store: &Arc<dyn Store>,
    client: &Client,
    clock: &Arc<AtomicI64>,
    settings: Settings,
    audit: &AuditLog,
) -> Service {
    let clock = Arc::clone(clock);
    let clock = Clock::new(move || UnixTime(clock.load(Ordering::Relaxed)));
    let opened = Shared::open(Arc::clone(store), settings, clock, audit.recorder()).await;
    let (shared, follower) = opened.expect("a store");
    tokio::spawn(follower.run());
    Service::new(shared, Backends::new(client.clone(), Vec::new(), None))
}

fn new_key(name: &str, spec: KeySpec) -> CreateKey<'_> {
    CreateKey { key: key(name), spec, operations: None, attributes: Attributes::default() }
}

fn vault(name: &str) -> VaultName<'_> {
    VaultName::new(name).expect("a name")
}

/// The key `name` of the vault `prod`.
fn key(name: &str) -> KeyName<'_> {
    KeyName::new("prod", name, None).expect("a name")
}

fn version_of<'a>(name: &'a str, version: &KeyVersion) -> KeyName<'a> {
    KeyName::new("prod", name, Some(version.id())).expect("a name")
}

fn tags(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|&(k, v)| (k.to_owned(), v.to_owned())).collect()
}
