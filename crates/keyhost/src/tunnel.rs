//! Packets that cross from one machine to another.
//!
//! Times in frames are on the clock that the processes of a machine share. Where a keyhost
//! runs on another machine, whoever passes packets on to it puts them on that one's clock.

use crate::{
    codec,
    deadline::monotonic_us,
    frame::{MAX_PACKET, RequestFrame},
};

/// The clock that frames go by: microseconds since this machine started.
pub fn clock_us() -> u64 {
    monotonic_us()
}

/// A packet to a keyhost with `offset_us` added to all its times. `None` if it is no
/// packet of request frames.
pub fn retimed(packet: &[u8], offset_us: i64) -> Option<Vec<u8>> {
    if packet.len() > MAX_PACKET {
        return None;
    }
    let (since, frames) = codec::split_head(packet)?;
    // A time that was packed into fewer bytes than it then takes makes it longer.
    let mut retimed = Vec::with_capacity(packet.len() + 64);
    codec::begin(&mut retimed, since.saturating_add_signed(offset_us));
    for body in codec::bodies(frames) {
        let mut frame: RequestFrame<'_> = postcard::from_bytes(body?).ok()?;
        frame.deadline_us = frame.deadline_us.saturating_add_signed(offset_us);
        codec::append(&mut retimed, &frame);
    }
    (retimed.len() <= MAX_PACKET).then_some(retimed)
}

#[cfg(test)]
mod tests {
    use keyreeve_types::{SignatureAlgorithm, VersionId};

    use super::*;
    use crate::frame::{KeyRef, Request};

    fn packet(deadline_us: u64) -> Vec<u8> {
        let key = KeyRef { version: VersionId::from_bytes([7; 16]), revision: 3 };
        let request = Request::Sign { key, algorithm: SignatureAlgorithm::Es256, input: &[1; 32] };
        let frame = RequestFrame { id: 9, shard: 1, deadline_us, opening: None, request };
        let mut packet = Vec::new();
        codec::begin(&mut packet, 1_000);
        codec::append(&mut packet, &frame);
        packet
    }

    /// Guards against deadlines that have passed, or never do, on a machine that was
    /// started at another time.
    #[test]
    fn a_packet_is_the_same_at_another_time() {
        let theirs = packet(5_000);
        assert_eq!(retimed(&theirs, 0).as_deref(), Some(theirs.as_slice()));
        let ours = retimed(&theirs, 1_000_000_000).expect("a packet");
        assert_eq!(codec::split_head(&ours).expect("a head").0, 1_000_001_000);
        assert_eq!(retimed(&ours, -1_000_000_000).as_deref(), Some(theirs.as_slice()));
        assert!(retimed(&theirs, i64::MIN).is_some(), "times do not wrap");
        for broken in [&theirs[..4], &theirs[..theirs.len() - 1], &[0; 12]] {
            assert_eq!(retimed(broken, 1), None, "{broken:?}");
        }
    }
}
