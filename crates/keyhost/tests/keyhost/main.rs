//! A keyhost seen from the front: the real frames, sockets and threads, around the
//! software backend. Only the process boundary is missing: `conformance` has that, and
//! `tests/boundary` in the root package has the whole product.

mod conformance;
mod group;
mod keys;
mod lying_front;
mod many_keys;
mod restart;
mod use_keys;

use std::sync::Arc;

use keyreeve_keyhost::{Binding, Client, SealedKey};
use keyreeve_testkit::{LocalKeyhost, policy, soon};
use keyreeve_types::{KeyId, KeySpec, VaultId, VersionId};

/// A keyhost that can be taken away and started anew, with vaults and keys.
struct Fixture {
    client: Client,
    keyhost: LocalKeyhost,
}

impl Fixture {
    async fn start() -> Self {
        let keyhost = LocalKeyhost::start().await.expect("a keyhost");
        Self { client: keyhost.client().clone(), keyhost }
    }

    /// Starts a keyhost; an earlier one loses its link and ends.
    async fn start_keyhost(&self) {
        self.keyhost.restart().await.expect("a keyhost");
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
        let key = SealedKey {
            binding,
            policy: made.policy,
            vault_key,
            sealed: made.sealed.into(),
            slot: None,
        };
        (key, made.public)
    }
}

fn binding(vault: VaultId, n: u8) -> Binding {
    Binding { vault, key: KeyId::from_bytes([n; 16]), version: VersionId::from_bytes([n; 16]) }
}
