//! The keyhosts behind one client, and which of them a call goes to.
//!
//! A wrapped key is served by every keyhost of the group, a key that lives in one slot by
//! the keyhosts of that slot. Of those that can be called, the one with the shortest line
//! is; of equals, the next in turn, so that all of them are at work.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::{CallError, connection::Connection};

/// Most keyhosts of one group: a place is a bit.
const MOST: usize = 64;

/// The keyhosts of a client.
pub(super) struct Group {
    pub(super) name: String,
    pub(super) members: Vec<Place>,
    /// How many slots must show a new wrapped key.
    pub(super) min_replicas: usize,
    turn: AtomicUsize,
}

/// One of them.
pub(super) struct Place {
    /// The slot it serves.
    pub(super) slot: String,
    pub(super) connection: Connection,
}

/// Places that a call has been to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Tried(u64);

impl Tried {
    pub(super) const fn and(self, place: usize) -> Self {
        Self(self.0 | 1 << place)
    }

    const fn has(self, place: usize) -> bool {
        self.0 & 1 << place != 0
    }
}

impl Group {
    pub(super) fn new(name: String, mut members: Vec<Place>, min_replicas: usize) -> Self {
        members.truncate(MOST);
        Self { name, members, min_replicas, turn: AtomicUsize::new(0) }
    }

    /// Where to send a call for a key of `slot`, or of any: to a place that was not tried
    /// and can be called. `None` if there is none.
    pub(super) fn choose(&self, slot: Option<&str>, tried: Tried) -> Option<usize> {
        if let [_] = self.members.as_slice() {
            // Whether it can be called, it says itself.
            return (!tried.has(0)).then_some(0);
        }
        let count = self.members.len();
        let first = self.turn.fetch_add(1, Ordering::Relaxed);
        let mut best = None;
        for place in (0..count).map(|offset| (first.wrapping_add(offset)) % count) {
            let Place { slot: of, connection } = &self.members[place];
            if tried.has(place) || slot.is_some_and(|slot| slot != of) {
                continue;
            }
            let Some(load) = connection.load() else { continue };
            if best.is_none_or(|(shortest, _)| load < shortest) {
                best = Some((load, place));
            }
        }
        best.map(|(_, place)| place)
    }

    /// One place for each slot but `slot`, as [`Group::choose`] would.
    pub(super) fn other_slots<'g>(&'g self, slot: &str) -> Vec<&'g str> {
        let mut slots: Vec<&str> =
            self.members.iter().map(|place| place.slot.as_str()).filter(|of| *of != slot).collect();
        slots.dedup();
        slots
    }
}

impl CallError {
    /// Whether another keyhost may do better: the fault is this one's, or its device's.
    pub(super) const fn moves_on(&self) -> bool {
        use keyreeve_backend::Error;
        match self {
            Self::Unavailable { .. } | Self::Overloaded { .. } => true,
            Self::Backend(error) => match error {
                Error::KeyMissing
                | Error::CorruptKey
                | Error::SessionFailed(_)
                | Error::DeviceFailed(_)
                | Error::NeedsOperator(_)
                | Error::FaultyResult => true,
                Error::InvalidInput(_) | Error::Unsupported | Error::CryptoFailed => false,
            },
            Self::NotAllowed(_)
            | Self::WrongAlgorithm
            | Self::PolicyWidens
            | Self::StaleRecord
            | Self::WrongRecipient
            | Self::TooFewReplicas { .. }
            | Self::DeadlineExceeded
            | Self::TooLarge
            | Self::Protocol => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group(slots: &[&str]) -> Group {
        let place = |slot: &&str| Place {
            slot: (*slot).to_owned(),
            connection: Connection::new((*slot).to_owned()),
        };
        Group::new("group".to_owned(), slots.iter().map(place).collect(), 1)
    }

    fn link(group: &Group, place: usize) {
        group.members[place].connection.0.state().relink(Some(0));
    }

    /// Guards against calls that go where nobody answers, or to a slot that does not have
    /// the key, and against keyhosts that stand idle.
    #[test]
    fn a_call_goes_to_a_place_that_can_serve_it() {
        let group = group(&["a", "a", "b"]);
        let none = Tried::default();
        assert_eq!(group.choose(None, none), None, "there is no keyhost");
        link(&group, 1);
        link(&group, 2);
        let chosen: Vec<_> = (0..6).filter_map(|_| group.choose(None, none)).collect();
        assert!(chosen.contains(&1) && chosen.contains(&2) && !chosen.contains(&0), "{chosen:?}");
        assert_eq!(group.choose(Some("a"), none), Some(1));
        assert_eq!(group.choose(Some("b"), none), Some(2));
        assert_eq!(group.choose(Some("c"), none), None);
        assert_eq!(group.choose(None, none.and(1)), Some(2));
        assert_eq!(group.choose(None, none.and(1).and(2)), None);
        group.members[2].connection.0.state().set_breaker(true);
        assert_eq!(group.choose(None, none.and(1)), None, "its breaker is open");
        assert_eq!(group.other_slots("a"), ["b"]);
    }
}
