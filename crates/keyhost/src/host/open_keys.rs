//! The keys that are open in this keyhost.
//!
//! Parsing an RSA key costs two thirds of a signature and finding one in a token
//! costs many, so an opened key stays open, with the policy that was authenticated
//! when it was opened. A request names the revision of the policy it goes by: an
//! older entry is opened anew, a newer one refuses the request, so that a disabled
//! key stays disabled however requests are ordered.

use std::{
    collections::HashMap,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};

use keyreeve_types::{KeyPolicy, VersionId};

use crate::frame::KeyRef;

/// An opened key.
pub(super) struct OpenKey<K> {
    pub(super) key: K,
    pub(super) policy: KeyPolicy,
    /// When it was last used, in uses of the cache.
    used: AtomicU64,
}

/// A bounded set of opened keys; the least recently used go first.
pub(super) struct OpenKeys<K> {
    keys: RwLock<HashMap<VersionId, Arc<OpenKey<K>>>>,
    capacity: usize,
    uses: AtomicU64,
}

/// What the set has for a request.
pub(super) enum Lookup<K> {
    /// The key, at the revision asked for.
    Open(Arc<OpenKey<K>>),
    /// Nothing, or only an older revision.
    NotOpen,
    /// A newer revision than asked for.
    Stale,
}

impl<K> OpenKeys<K> {
    pub(super) fn new(capacity: usize) -> Self {
        Self { keys: RwLock::new(HashMap::new()), capacity, uses: AtomicU64::new(0) }
    }

    pub(super) fn get(&self, wanted: KeyRef) -> Lookup<K> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        match keys.get(&wanted.version) {
            Some(open) if open.policy.revision == wanted.revision => {
                open.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
                Lookup::Open(Arc::clone(open))
            }
            Some(open) if open.policy.revision > wanted.revision => Lookup::Stale,
            _ => Lookup::NotOpen,
        }
    }

    /// Adds a key, unless a newer revision of it is there.
    pub(super) fn insert(&self, version: VersionId, key: K, policy: KeyPolicy) -> Lookup<K> {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.get(&version).is_some_and(|open| open.policy.revision > policy.revision) {
            return Lookup::Stale;
        }
        let evicted = if keys.len() >= self.capacity && !keys.contains_key(&version) {
            Self::evict(&mut keys)
        } else {
            Vec::new()
        };
        let used = AtomicU64::new(self.uses.fetch_add(1, Ordering::Relaxed));
        let open = Arc::new(OpenKey { key, policy, used });
        let replaced = keys.insert(version, Arc::clone(&open));
        drop(keys);
        // The end of a key may be a call to a device: nobody waits for it.
        drop((evicted, replaced));
        Lookup::Open(open)
    }

    pub(super) fn remove(&self, version: VersionId) {
        let removed = self.keys.write().unwrap_or_else(PoisonError::into_inner).remove(&version);
        // Without the lock, as above.
        drop(removed);
    }

    /// Drops the eighth that was not used for longest, so that the scan is paid
    /// once for many insertions.
    fn evict(keys: &mut HashMap<VersionId, Arc<OpenKey<K>>>) -> Vec<Arc<OpenKey<K>>> {
        let mut ages: Vec<u64> = keys.values().map(|k| k.used.load(Ordering::Relaxed)).collect();
        let cut = ages.len() / 8;
        let (_, oldest_kept, _) = ages.select_nth_unstable(cut);
        let oldest_kept = *oldest_kept;
        keys.extract_if(|_, key| key.used.load(Ordering::Relaxed) <= oldest_kept)
            .map(|(_, key)| key)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use keyreeve_types::{KeyOps, KeySpec};

    use super::*;

    fn policy(revision: u32) -> KeyPolicy {
        KeyPolicy {
            spec: KeySpec::EcP256,
            made_for: KeyOps::NONE,
            ops: KeyOps::NONE,
            enabled: true,
            not_before: None,
            expires: None,
            revision,
        }
    }

    fn version(n: u8) -> VersionId {
        VersionId::from_bytes([n; 16])
    }

    /// Guards against a late request with an old record that brings a disabled key
    /// back to life.
    #[test]
    fn a_newer_revision_is_never_replaced_by_an_older_one() {
        let keys = OpenKeys::new(8);
        let at = |revision| KeyRef { version: version(1), revision };
        keys.insert(version(1), (), policy(2));
        assert!(matches!(keys.insert(version(1), (), policy(1)), Lookup::Stale));
        assert!(matches!(keys.get(at(1)), Lookup::Stale));
        assert!(matches!(keys.get(at(2)), Lookup::Open(_)));
        assert!(matches!(keys.get(at(3)), Lookup::NotOpen));
    }

    /// Guards against a set that grows without bound, or that evicts what is in use.
    #[test]
    fn the_least_recently_used_go_first() {
        let keys = OpenKeys::new(16);
        for n in 0..16 {
            keys.insert(version(n), (), policy(1));
        }
        assert!(matches!(keys.get(KeyRef { version: version(0), revision: 1 }), Lookup::Open(_)));
        keys.insert(version(16), (), policy(1));
        let open =
            |n| matches!(keys.get(KeyRef { version: version(n), revision: 1 }), Lookup::Open(_));
        assert!(open(0) && open(16) && !open(1));
    }
}
