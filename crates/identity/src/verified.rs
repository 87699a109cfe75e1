//! Tokens that were verified, so that each is verified once.
//!
//! The key is the SHA-256 of the whole token, so that a hit means these very bytes. A
//! hit counts only while the token lasts and the issuer's keys are those it was
//! verified with: a key that the issuer withdraws takes its tokens with it. Only what
//! was verified is entered, so nobody can fill it but issuers that are trusted.
//!
//! Reading takes a snapshot and no lock; entering one replaces the snapshot, which
//! shares all but a path with the one before.

use std::sync::Arc;

use arc_swap::ArcSwap;
use imbl::HashMap;
use keyreeve_types::UnixTime;

/// What was proven by tokens that have not ended.
#[derive(Debug)]
pub struct Verified<T> {
    tokens: ArcSwap<HashMap<[u8; 32], Entry<T>>>,
    room: usize,
}

#[derive(Debug)]
struct Entry<T> {
    proven: Arc<T>,
    expires: UnixTime,
    keys: u64,
}

impl<T> Clone for Entry<T> {
    fn clone(&self) -> Self {
        Self { proven: Arc::clone(&self.proven), ..*self }
    }
}

impl<T> Verified<T> {
    /// Room for `room` tokens, at least 4. When it is full, those that end first leave.
    pub fn new(room: usize) -> Self {
        Self { tokens: ArcSwap::from_pointee(HashMap::new()), room: room.max(4) }
    }

    /// What the token of this hash proves, as long as it lasts. `generation` is that of
    /// the issuer's keys now.
    pub fn get(
        &self,
        hash: &[u8; 32],
        now: UnixTime,
        generation: impl FnOnce(&T) -> Option<u64>,
    ) -> Option<Arc<T>> {
        let tokens = self.tokens.load();
        let entry = tokens.get(hash)?;
        let lasts = now.0 < entry.expires.0 && generation(&entry.proven) == Some(entry.keys);
        lasts.then(|| Arc::clone(&entry.proven))
    }

    /// Enters what was proven by the issuer's keys of `generation`, until `expires`.
    pub fn enter(
        &self,
        hash: [u8; 32],
        proven: Arc<T>,
        expires: UnixTime,
        generation: u64,
        now: UnixTime,
    ) {
        let entry = Entry { proven, expires, keys: generation };
        self.tokens.rcu(|tokens| {
            let mut next = HashMap::clone(tokens);
            if next.len() >= self.room && !next.contains_key(&hash) {
                next = thinned(&next, self.room, now);
            }
            next.insert(hash, entry.clone());
            next
        });
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.tokens.load().len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// Those that last, and of them three quarters of the room: making room for one at a
/// time would look through all of them each time.
fn thinned<T>(
    tokens: &HashMap<[u8; 32], Entry<T>>,
    room: usize,
    now: UnixTime,
) -> HashMap<[u8; 32], Entry<T>> {
    let mut last: Vec<_> = tokens.iter().filter(|(_, entry)| now.0 < entry.expires.0).collect();
    last.sort_by_key(|(_, entry)| std::cmp::Reverse(entry.expires.0));
    last.truncate(room / 4 * 3);
    last.into_iter().map(|(hash, entry)| (*hash, entry.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: UnixTime = UnixTime(1_000);

    fn seen(cache: &Verified<&'static str>, hash: u8, now: i64, keys: u64) -> Option<&'static str> {
        cache.get(&[hash; 32], UnixTime(now), |_| Some(keys)).map(|proven| *proven)
    }

    /// Guards against a token that outlives its end or the key that signed it, and
    /// against one token taken for another.
    #[test]
    fn an_entry_ends_with_its_token_and_with_its_keys() {
        let cache = Verified::new(8);
        cache.enter([1; 32], Arc::new("a"), UnixTime(2_000), 7, NOW);
        assert_eq!(seen(&cache, 1, 1_999, 7), Some("a"));
        assert_eq!(seen(&cache, 1, 2_000, 7), None);
        assert_eq!(seen(&cache, 1, 1_999, 8), None);
        assert_eq!(seen(&cache, 2, 1_999, 7), None);
        assert_eq!(cache.get(&[1; 32], NOW, |_| None), None);
    }

    /// Guards against a cache without bounds.
    #[test]
    fn what_ends_first_leaves_first() {
        let cache = Verified::new(8);
        for n in 0..100u8 {
            cache.enter([n; 32], Arc::new("a"), UnixTime(2_000 + i64::from(n)), 1, NOW);
            assert!(cache.len() <= 8);
        }
        assert!(seen(&cache, 99, 1_000, 1).is_some());
        assert!(seen(&cache, 0, 1_000, 1).is_none());
    }
}
