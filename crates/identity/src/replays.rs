//! Assertions that were presented, so that none is taken twice (RFC 7523 section 3,
//! item 7).
//!
//! Each is remembered by a hash until it ends, which is ten minutes at most. When there
//! is no room to remember another, none is taken: forgetting one would let it be used
//! again.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use keyreeve_types::UnixTime;

use crate::{Refusal, secret};

/// Presented assertions of this process.
#[derive(Debug)]
pub struct Replays {
    seen: Mutex<HashMap<[u8; 32], UnixTime>>,
    room: usize,
}

impl Replays {
    /// Room for `room` assertions that have not ended.
    pub fn new(room: usize) -> Self {
        Self { seen: Mutex::new(HashMap::new()), room }
    }

    /// Takes the assertion `id` of `client`, which ends at `expires`.
    ///
    /// # Errors
    /// [`Refusal::Replayed`] if it was taken before, [`Refusal::Busy`] without room.
    pub fn take(
        &self,
        client: &str,
        id: &str,
        expires: UnixTime,
        now: UnixTime,
    ) -> Result<(), Refusal> {
        let length = u64::try_from(client.len()).map_err(|_| Refusal::Malformed)?;
        let key = secret::sha256(&[&length.to_be_bytes(), client.as_bytes(), id.as_bytes()]);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(&key).is_some_and(|until| now.0 < until.0) {
            return Err(Refusal::Replayed);
        }
        if seen.len() >= self.room {
            seen.retain(|_, until| now.0 < until.0);
            if seen.len() >= self.room {
                return Err(Refusal::Busy);
            }
        }
        seen.insert(key, expires);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against an assertion that works twice, also when many others come in
    /// between, and against one client's ids keeping another's out.
    #[test]
    fn an_assertion_is_taken_once() {
        let replays = Replays::new(2);
        let take = |client, id, now| replays.take(client, id, UnixTime(100), UnixTime(now));
        assert_eq!(take("a", "1", 0), Ok(()));
        assert_eq!(take("a", "1", 50), Err(Refusal::Replayed));
        assert_eq!(take("a1", "", 50), Ok(()));
        assert_eq!(take("b", "1", 50), Err(Refusal::Busy));
        assert_eq!(take("b", "1", 100), Ok(()));
        assert_eq!(take("a", "1", 100), Ok(()));
    }
}
