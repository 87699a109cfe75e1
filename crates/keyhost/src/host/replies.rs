//! Answers on their way to the front.
//!
//! Answers gather in one packet per reply socket and leave together when there is
//! nothing more to do, or when the first has waited for long enough: one system
//! call and one wake-up of the front serve many answers.

use std::io;

use keyreeve_memory::{wipe, wipe_and_clear};

use crate::{
    codec,
    frame::{MAX_PACKET, Response, ResponseFrame},
    packet::PacketSocket,
};

/// While there is more to do, an answer waits for company for this part of the time
/// for which its request waited for a worker: a call takes at most a quarter longer
/// than it does anyway, and many of them share a system call and a wake-up of the
/// front.
const SHARE: u64 = 4;
/// Nor is it sent sooner than this, in microseconds: the next one may be as quick.
const MIN_WAIT: u64 = 150;
/// But never later, as far as that can be known: an operation is taken to last as
/// long as the one before.
const MAX_WAIT: u64 = 10_000;
/// A packet leaves when it has this many bytes: what follows finds it being read.
const LEAVE_AT: usize = 32 * 1024;

/// Answers that have not left yet.
pub(super) struct Replies<'a> {
    sockets: &'a [PacketSocket],
    packets: Vec<Vec<u8>>,
    /// When the oldest answer here must leave; `None` if there is none.
    leave: Option<u64>,
    /// How long the answers to the packet that is being served may wait, in
    /// microseconds.
    patience: u64,
}

impl<'a> Replies<'a> {
    pub(super) fn new(sockets: &'a [PacketSocket]) -> Self {
        let packets = sockets.iter().map(|_| Vec::with_capacity(4096)).collect();
        Self { sockets, packets, leave: None, patience: MIN_WAIT }
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.leave.is_none()
    }

    /// The answers that follow are to calls that have waited for so many microseconds.
    pub(super) fn begin_packet(&mut self, waited: u64) {
        self.patience = (waited / SHARE).clamp(MIN_WAIT, MAX_WAIT);
    }

    /// Adds an answer that was ready at `now` and took `took` microseconds. Returns
    /// whether something was sent. An answer for a socket that does not exist is
    /// dropped.
    pub(super) fn push(
        &mut self,
        shard: u8,
        id: u64,
        response: Response<'_>,
        now: u64,
        took: u64,
    ) -> io::Result<bool> {
        let shard = usize::from(shard);
        let Some(packet) = self.packets.get_mut(shard) else { return Ok(false) };
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
        let is_full = packet.len() >= LEAVE_AT;
        let leave = *self.leave.get_or_insert(now + self.patience);
        // Not if the next one, as slow as this, would come too late.
        let leaves = is_full || now.saturating_add(took) >= leave;
        if leaves {
            self.flush()?;
        }
        Ok(leaves)
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.leave = None;
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
