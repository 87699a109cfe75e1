//! Data keys kept for a while, within bounds.
//!
//! A kept data key saves a call for each seal and open. What is lost is bounded: who
//! reads this process' memory gets the keys of the last `age`, and who gets one data
//! key opens at most `seals` envelopes. Each envelope has its own salt and so its own
//! key, so the bound is about loss and not about nonces.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::DataKey;

/// Bounds for using a data key more than once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DataKeyReuse {
    /// At most this many envelopes are sealed under one data key.
    pub seals: u32,
    /// A data key is dropped when it is this old.
    pub age: Duration,
    /// At most this many data keys are kept for opening, the latest ones.
    pub opened_keys: usize,
}

impl Default for DataKeyReuse {
    /// 1000 seals, one minute, 64 keys.
    fn default() -> Self {
        Self { seals: 1000, age: Duration::from_secs(60), opened_keys: 64 }
    }
}

pub(super) struct DataKeys {
    bounds: DataKeyReuse,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    sealing: Option<(Entry, u32)>,
    opening: VecDeque<Entry>,
}

struct Entry {
    data_key: Arc<DataKey>,
    wrapped: Arc<[u8]>,
    since: Instant,
}

impl DataKeys {
    pub(super) fn new(bounds: DataKeyReuse) -> Self {
        Self { bounds, kept: Mutex::default() }
    }

    /// A key to seal one more envelope with, if one is kept and within bounds.
    pub(super) fn for_sealing(&self) -> Option<(Arc<DataKey>, Arc<[u8]>)> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut kept.sealing {
            Some((entry, seals)) if *seals < self.bounds.seals && self.is_fresh(entry) => {
                *seals += 1;
                Some((Arc::clone(&entry.data_key), Arc::clone(&entry.wrapped)))
            }
            sealing => {
                *sealing = None;
                None
            }
        }
    }

    /// Keeps a key that has sealed one envelope.
    pub(super) fn sealed_with(&self, data_key: Arc<DataKey>, wrapped: Arc<[u8]>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = Entry { data_key, wrapped, since: Instant::now() };
        kept.sealing = (self.bounds.seals > 1).then_some((entry, 1));
    }

    /// The key behind a wrapped one, if it is kept and within bounds.
    pub(super) fn for_opening(&self, wrapped: &[u8]) -> Option<Arc<DataKey>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.opening.retain(|entry| self.is_fresh(entry));
        let sealing = kept.sealing.iter().map(|(entry, _)| entry).filter(|e| self.is_fresh(e));
        let mut known = kept.opening.iter().chain(sealing);
        known.find(|entry| *entry.wrapped == *wrapped).map(|entry| Arc::clone(&entry.data_key))
    }

    /// Keeps a key that was unwrapped.
    pub(super) fn opened_with(&self, data_key: Arc<DataKey>, wrapped: Arc<[u8]>) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.opening.push_back(Entry { data_key, wrapped, since: Instant::now() });
        while kept.opening.len() > self.bounds.opened_keys {
            kept.opening.pop_front();
        }
    }

    fn is_fresh(&self, entry: &Entry) -> bool {
        entry.since.elapsed() < self.bounds.age
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> (Arc<DataKey>, Arc<[u8]>) {
        (Arc::new(DataKey::new(vec![byte; 32])), Arc::from([byte]))
    }

    fn keys(seals: u32, age: Duration, opened_keys: usize) -> DataKeys {
        DataKeys::new(DataKeyReuse { seals, age, opened_keys })
    }

    /// Guards against one data key sealing more than was allowed.
    #[test]
    fn a_key_seals_as_often_as_allowed() {
        for allowed in [1, 2, 5] {
            let kept = keys(allowed, Duration::MAX, 0);
            let (data_key, wrapped) = key(1);
            kept.sealed_with(data_key, wrapped);
            let more = std::iter::from_fn(|| kept.for_sealing()).count();
            assert_eq!(more + 1, allowed as usize);
        }
    }

    /// Guards against keys that outlive their age.
    #[test]
    fn an_old_key_is_dropped() {
        let kept = keys(10, Duration::ZERO, 10);
        let (data_key, wrapped) = key(1);
        kept.sealed_with(Arc::clone(&data_key), Arc::clone(&wrapped));
        kept.opened_with(data_key, Arc::clone(&wrapped));
        assert!(kept.for_sealing().is_none());
        assert!(kept.for_opening(&wrapped).is_none());
    }

    /// Guards against a store of keys that grows without bound, or returns the wrong
    /// one.
    #[test]
    fn only_the_latest_keys_are_kept_for_opening() {
        let kept = keys(1, Duration::MAX, 2);
        for byte in 1..=3 {
            let (data_key, wrapped) = key(byte);
            kept.opened_with(data_key, wrapped);
        }
        assert!(kept.for_opening(&[1]).is_none());
        assert_eq!(kept.for_opening(&[2]).as_deref(), Some(&*key(2).0));
        assert_eq!(kept.for_opening(&[3]).as_deref(), Some(&*key(3).0));
    }
}
