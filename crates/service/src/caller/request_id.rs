//! Ids of requests.

use std::{
    cell::Cell,
    fmt,
    hash::{BuildHasher as _, RandomState},
};

/// Identifies one request: 16 bytes, shown as 32 hex digits.
///
/// The first half is drawn at random once for each thread, the second counts: no system
/// call per request, and no two alike unless two threads draw the same 64 bits. It is
/// no secret and proves nothing.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RequestId([u8; 16]);

thread_local! {
    /// The prefix, and the number of the next request.
    static NEXT: Cell<(u64, u64)> = Cell::new((RandomState::new().hash_one(()), 0));
}

impl RequestId {
    /// One that no other request has.
    pub(crate) fn fresh() -> Self {
        let (prefix, number) = NEXT.get();
        NEXT.set((prefix, number.wrapping_add(1)));
        Self((u128::from(prefix) << 64 | u128::from(number)).to_be_bytes())
    }

    /// The half that a thread has drawn.
    pub(crate) const fn prefix(self) -> u64 {
        (u128::from_be_bytes(self.0) >> 64) as u64
    }

    /// The half that counts.
    pub(crate) const fn number(self) -> u64 {
        u128::from_be_bytes(self.0) as u64
    }

    /// The bytes.
    pub const fn bytes(self) -> [u8; 16] {
        self.0
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", u128::from_be_bytes(self.0))
    }
}

impl fmt::Debug for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RequestId({self})")
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::HashSet, thread};

    use super::*;

    /// Guards against two requests under one id, in the log one request.
    #[test]
    fn no_two_requests_have_one_id() {
        let draw = || (0..1000).map(|_| RequestId::fresh()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..8).map(|_| thread::spawn(draw)).collect();
        let ids = threads.into_iter().flat_map(|thread| thread.join().expect("ids"));
        assert_eq!(ids.collect::<HashSet<_>>().len(), 8000);
    }

    /// Guards against an id that is shown in fewer digits than it has.
    #[test]
    fn an_id_is_shown_whole() {
        assert_eq!(RequestId([0; 16]).to_string(), "0".repeat(32));
    }
}
