//! A keyhost seen from the front: the real frames, sockets and threads, around the
//! software backend. Only the process boundary is missing; `tests/boundary` in the
//! root package has that.

mod keys;
mod lying_front;
mod restart;
mod use_keys;

use std::{sync::Arc, time::Duration};

use keyreeve_backend_software::SoftwareBackend;
use keyreeve_keyhost::{
    Binding, Client, ClientLink, Deadline, RootKey, SealedKey,
    host::{Custody, Host, Pulse},
    link,
};
use keyreeve_types::{KeyId, KeyOps, KeyPolicy, KeySpec, VaultId, VersionId};
use tokio::sync::mpsc;

/// A client with a keyhost behind it that can be taken away and started anew.
struct Fixture {
    client: Client,
    links: mpsc::Sender<Option<ClientLink>>,
    root_key: std::path::PathBuf,
    _dir: tempfile::TempDir,
}

impl Fixture {
    async fn start() -> Self {
        let dir = tempfile::tempdir().expect("a directory");
        let root_key = dir.path().join("root.key");
        RootKey::create(&root_key).expect("a root key");
        let (client, driver) = Client::new("software");
        let (links, receiver) = mpsc::channel(4);
        tokio::spawn(driver.run(receiver));
        let fixture = Self { client, links, root_key, _dir: dir };
        fixture.start_keyhost().await;
        fixture
    }

    /// Starts a keyhost; an earlier one loses its link and ends.
    async fn start_keyhost(&self) {
        let (front, end) = link(1).expect("sockets");
        let host = Host {
            backend: SoftwareBackend::new(),
            custody: Custody::Root(RootKey::load(&self.root_key).expect("the root key")),
            threads: 2,
            protections: Vec::new(),
        };
        std::thread::spawn(move || host.serve(end, &Arc::new(Pulse::new(2))));
        let recipient = || self.client.description().map(|d| d.recipient.id);
        let before = recipient();
        let link = front.shards().expect("links").pop();
        self.links.send(link).await.expect("a driver");
        // Each start has an import recipient of its own: the new one answers.
        while recipient() == before {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn vault(&self, n: u8) -> (VaultId, Arc<[u8]>) {
        let id = VaultId::from_bytes([n; 16]);
        let key = self.client.create_vault_key(id, soon()).await.expect("a vault key");
        (id, key.into())
    }

    /// A new key of `spec`, in a vault of its own.
    async fn key(&self, spec: KeySpec) -> (SealedKey, Option<Vec<u8>>) {
        let n = spec.code();
        let (vault, vault_key) = self.vault(n).await;
        let binding = binding(vault, n);
        let policy = policy(spec, spec.operations());
        let made = self.client.generate(binding, &policy, &vault_key, soon()).await;
        let made = made.expect("a key");
        let key = SealedKey { binding, policy: made.policy, vault_key, sealed: made.sealed.into() };
        (key, made.public)
    }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

fn binding(vault: VaultId, n: u8) -> Binding {
    Binding { vault, key: KeyId::from_bytes([n; 16]), version: VersionId::from_bytes([n; 16]) }
}

fn policy(spec: KeySpec, ops: KeyOps) -> KeyPolicy {
    KeyPolicy {
        spec,
        made_for: ops,
        ops,
        enabled: true,
        not_before: None,
        expires: None,
        revision: 1,
    }
}
