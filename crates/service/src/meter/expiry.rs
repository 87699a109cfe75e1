//! Keys whose latest version expires soon, which nobody notices until it has.

use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use keyreeve_types::UnixTime;

use crate::{Shared, registry::Snapshot};

/// How long a count is good for: it reads every key.
const GOOD_FOR: Duration = Duration::from_secs(60);

const DAY: i64 = 86_400;

/// How many keys there are whose latest version is enabled and has, or will soon have,
/// expired.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Expiring {
    /// It has expired.
    pub expired: u64,
    /// It will within 7 days.
    pub within_7_days: u64,
    /// It will within 30 days, those within 7 included.
    pub within_30_days: u64,
}

/// The last count, of which snapshot, and when.
#[derive(Default)]
pub(crate) struct LastCount(Mutex<Option<(usize, Instant, Expiring)>>);

impl Shared {
    /// Counts the keys that expire soon: at once after a change, else at most once a
    /// minute.
    pub fn expiring(&self) -> Expiring {
        let now = self.registry.now();
        let snapshot: &Snapshot = &now;
        // Only to see that it is another one. A snapshot that took the place of a
        // forgotten one is noticed after a minute.
        let which = std::ptr::from_ref(snapshot) as usize;
        let mut last = self.expiring.0.lock().unwrap_or_else(PoisonError::into_inner);
        match *last {
            Some((of, since, known)) if of == which && since.elapsed() < GOOD_FOR => known,
            _ => {
                let counted = count(snapshot, self.clock.now());
                *last = Some((which, Instant::now(), counted));
                counted
            }
        }
    }
}

fn count(snapshot: &Snapshot, now: UnixTime) -> Expiring {
    let mut counted = Expiring::default();
    let keys = snapshot.values().flat_map(|entry| entry.keys.values());
    for version in keys.filter_map(|key| key.version(None)) {
        let policy = version.policy();
        let Some(expires) = policy.expires.filter(|_| policy.enabled) else { continue };
        let left = expires.0.saturating_sub(now.0);
        counted.expired += u64::from(left <= 0);
        counted.within_7_days += u64::from((1..=7 * DAY).contains(&left));
        counted.within_30_days += u64::from((1..=30 * DAY).contains(&left));
    }
    counted
}
