//! How often somebody may fail.
//!
//! Secrets here cannot be guessed: they have 256 random bits. What is bounded is the work
//! and the noise in the log that failing costs: so many failures in a minute from one
//! address, and then nothing from there that is not known already is looked at until the
//! minute is over. When too many addresses fail at once, they share one count.
//!
//! A lock is taken for a credential that is not known, and never for one that is.

use std::{
    collections::HashMap,
    net::IpAddr,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use keyreeve_service::{Peer, Source};

/// The window.
const WINDOW: Duration = Duration::from_secs(60);
/// Most addresses that are told apart.
const ADDRESSES: usize = 4096;

/// Who failed how often.
pub(super) struct Attempts {
    /// Failures of one address in a window.
    most: u32,
    counts: Mutex<HashMap<Key, Count>>,
}

/// An address, or what stands for those that are not told apart.
type Key = Option<[u8; 8]>;
/// Since when, and how often.
type Count = (Instant, u32);

/// The address that a request came from. All that came by a Unix socket are one.
pub(super) fn address(source: &Source) -> Option<IpAddr> {
    match source.peer {
        Some(Peer::Ip(address, _)) => Some(address),
        Some(Peer::Unix(_)) | None => None,
    }
}

impl Attempts {
    /// At most so many failures of one address in a minute.
    pub(super) fn new(most: u32) -> Self {
        Self { most, counts: Mutex::default() }
    }

    /// How long `address` has to wait before it is looked at; `None` for not at all.
    pub(super) fn wait(&self, address: Option<IpAddr>, now: Instant) -> Option<Duration> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let key = key(address);
        let known = counts.get(&key).or_else(|| counts.get(&None).filter(|_| full(&counts)));
        let (since, count) = known?;
        let left = WINDOW.saturating_sub(now.saturating_duration_since(*since));
        (*count >= self.most && !left.is_zero()).then_some(left)
    }

    /// Counts a failure of `address`.
    pub(super) fn failed(&self, address: Option<IpAddr>, now: Instant) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let mut key = key(address);
        if !counts.contains_key(&key) && full(&counts) {
            counts.retain(|_, (since, _)| now.saturating_duration_since(*since) < WINDOW);
            if full(&counts) {
                key = None;
            }
        }
        let (since, count) = counts.entry(key).or_insert((now, 0));
        if now.saturating_duration_since(*since) >= WINDOW {
            (*since, *count) = (now, 0);
        }
        *count = count.saturating_add(1);
    }
}

fn full(counts: &HashMap<Option<[u8; 8]>, (Instant, u32)>) -> bool {
    counts.len() >= ADDRESSES
}

/// An IPv4 address, or the network of an IPv6 address: its owner has all of it.
fn key(address: Option<IpAddr>) -> Option<[u8; 8]> {
    let mut key = [0; 8];
    match address? {
        IpAddr::V4(address) => key[4..].copy_from_slice(&address.octets()),
        IpAddr::V6(address) => key.copy_from_slice(&address.octets()[..8]),
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOST: u32 = 30;

    /// Guards against failures without end, and against one address that keeps another
    /// out or stays out for ever.
    #[test]
    fn whoever_fails_too_often_waits() {
        let (attempts, start) = (Attempts::new(MOST), Instant::now());
        let address = |last| Some(IpAddr::from([192, 0, 2, last]));
        for _ in 0..MOST {
            assert_eq!(attempts.wait(address(1), start), None);
            attempts.failed(address(1), start);
        }
        assert!(attempts.wait(address(1), start).is_some());
        assert_eq!(attempts.wait(address(2), start), None);
        assert_eq!(attempts.wait(address(1), start + WINDOW), None);
    }

    /// Guards against a table that grows with every address that fails.
    #[test]
    fn the_table_is_bounded_and_what_does_not_fit_shares_a_count() {
        let (attempts, start) = (Attempts::new(MOST), Instant::now());
        for n in 0..5000_u128 {
            attempts.failed(Some(IpAddr::from((n << 64).to_be_bytes())), start);
        }
        assert!(attempts.counts.lock().expect("unpoisoned").len() <= ADDRESSES + 1);
        let another = Some(IpAddr::from([192, 0, 2, 9]));
        assert!(attempts.wait(another, start).is_some());
    }
}
