//! Answers on their way to the front.
//!
//! Answers gather in one packet per reply socket and leave together when there is
//! nothing more to do, or when the first has waited for long enough: one system
//! call and one wake-up of the front serve many answers.

use std::{io, time::Duration};

use keyreeve_memory::{wipe, wipe_and_clear};

use crate::{
    codec,
    deadline::monotonic_us,
    frame::{MAX_PACKET, Response, ResponseFrame},
    packet::PacketSocket,
};

/// How long an answer waits for company while there is more to do: as long as a few
/// operations like it take, within these bounds. Behind a queue of RSA
/// signatures a few more milliseconds cost a caller little, and save the front as
/// many wake-ups.
const COMPANY: u64 = 16;
const MIN_WAIT: Duration = Duration::from_micros(150);
const MAX_WAIT: Duration = Duration::from_millis(10);

/// Answers that have not left yet.
pub(super) struct Replies<'a> {
    sockets: &'a [PacketSocket],
    packets: Vec<Vec<u8>>,
    /// When the oldest waiting answer was added; `None` if none waits.
    since: Option<u64>,
    /// When the last answer was added, or sent.
    last: u64,
}

impl<'a> Replies<'a> {
    pub(super) fn new(sockets: &'a [PacketSocket]) -> Self {
        let packets = sockets.iter().map(|_| Vec::with_capacity(4096)).collect();
        Self { sockets, packets, since: None, last: monotonic_us() }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.since.is_none()
    }

    /// Adds an answer; one for a socket that does not exist is dropped.
    pub(super) fn push(&mut self, shard: u8, id: u64, response: Response<'_>) -> io::Result<()> {
        let shard = usize::from(shard);
        let Some(packet) = self.packets.get_mut(shard) else { return Ok(()) };
        let start = packet.len();
        codec::append(packet, &ResponseFrame { id, response });
        if packet.len() > MAX_PACKET && start > 0 {
            // It does not fit any more: what was there before goes first.
            self.sockets[shard].send(&packet[..start])?;
            packet.copy_within(start.., 0);
            let len = packet.len() - start;
            wipe(&mut packet[len..]);
            packet.truncate(len);
        }
        let now = monotonic_us();
        let took = now.saturating_sub(self.last);
        self.last = now;
        let since = *self.since.get_or_insert(now);
        let patience = Duration::from_micros(took.saturating_mul(COMPANY));
        let patience = patience.clamp(MIN_WAIT, MAX_WAIT);
        // Not if the next one, as slow as this, would come too late.
        if Duration::from_micros(now.saturating_sub(since).saturating_add(took)) > patience {
            self.flush()?;
        }
        Ok(())
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.since = None;
        self.last = monotonic_us();
        for (packet, socket) in self.packets.iter_mut().zip(self.sockets) {
            if !packet.is_empty() {
                let sent = socket.send(packet);
                wipe_and_clear(packet);
                sent?;
            }
        }
        Ok(())
    }
}
