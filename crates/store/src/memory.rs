//! The in-memory engine: the contract in its plainest form.
//!
//! It serves tests and is what the other engines are compared with. It refuses to
//! be durable: what it holds ends with it.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;

use crate::{
    Batch, Commit, Entry, Error, History, Key, MAX_PAGE_BYTES, MAX_PAGE_ENTRIES, Page,
    Precondition, Retention, Revision, Store, Value, Watch,
};

/// An engine that keeps everything in memory.
#[derive(Debug)]
pub struct MemoryStore {
    state: Mutex<State>,
    history: Arc<History>,
}

#[derive(Debug, Default)]
struct State {
    entries: BTreeMap<Key, (Value, Revision)>,
    revision: Revision,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::with_retention(Retention::default())
    }

    /// An empty store that keeps so much of the past for watches.
    pub fn with_retention(retention: Retention) -> Self {
        Self {
            state: Mutex::new(State::default()),
            history: History::new(Revision::ZERO, retention),
        }
    }

    /// Every change to the state is made after all checks and cannot fail, so a
    /// poisoned lock guards a whole state.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

#[async_trait]
impl Store for MemoryStore {
    async fn get(&self, key: &Key) -> Result<Option<Entry>, Error> {
        let state = self.state();
        Ok(state.entries.get(key).map(|(value, revision)| Entry {
            key: key.clone(),
            value: value.clone(),
            revision: *revision,
        }))
    }

    async fn scan(&self, prefix: &Key, after: Option<&Key>, limit: usize) -> Result<Page, Error> {
        let limit = limit.clamp(1, MAX_PAGE_ENTRIES);
        let state = self.state();
        let start = match after {
            Some(after) if after >= prefix => Bound::Excluded(after),
            _ => Bound::Included(prefix),
        };
        let mut page = Page { entries: Vec::new(), more: false, revision: state.revision };
        let mut bytes = 0;
        let found = state.entries.range((start, Bound::Unbounded));
        for (key, (value, revision)) in found.take_while(|(key, _)| key.starts_with(prefix)) {
            bytes += key.as_bytes().len() + value.len();
            if page.entries.len() == limit || (bytes > MAX_PAGE_BYTES && !page.entries.is_empty()) {
                page.more = true;
                break;
            }
            page.entries.push(Entry {
                key: key.clone(),
                value: value.clone(),
                revision: *revision,
            });
        }
        Ok(page)
    }

    async fn commit(&self, batch: Batch) -> Result<Revision, Error> {
        batch.check()?;
        let mut state = self.state();
        for (key, precondition) in batch.requirements() {
            let found = state.entries.get(key).map(|(_, revision)| *revision);
            let holds = match precondition {
                Precondition::Absent => found.is_none(),
                Precondition::Revision(revision) => found == Some(*revision),
            };
            if !holds {
                return Err(Error::Conflict { key: key.clone() });
            }
        }
        let revision = Revision(state.revision.0 + 1);
        let mut changes = batch.into_changes();
        changes.retain(|change| match &change.value {
            Some(value) => {
                state.entries.insert(change.key.clone(), (value.clone(), revision));
                true
            }
            None => state.entries.remove(&change.key).is_some(),
        });
        if changes.is_empty() {
            return Ok(state.revision);
        }
        state.revision = revision;
        // Under the lock, so that commits are published in order.
        self.history.publish([Commit { revision, changes }]);
        Ok(revision)
    }

    async fn watch(&self, prefix: &Key, after: Revision) -> Result<Box<dyn Watch>, Error> {
        if after > self.state().revision {
            return Err(Error::Compacted);
        }
        self.history.watch(prefix.clone(), after)
    }

    fn health(&self) -> Result<(), Error> {
        Ok(())
    }
}

impl Drop for MemoryStore {
    fn drop(&mut self) {
        self.history.end(Error::Stopped("the engine was closed".into()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::Opened;

    crate::conformance_suite!(async { Opened::new(Arc::new(MemoryStore::new()), ()) });
}
