//! Answers on their way to the front.
//!
//! Answers gather in one packet per reply socket and leave together when there is
//! nothing more to do, or when the first has waited for long enough: one system
//! call and one wake-up of the front serve many answers.

use std::{io, time::Duration};

use zeroize::Zeroize;

use crate::{
    codec,
    deadline::monotonic_us,
    frame::{MAX_PACKET, Response, ResponseFrame},
    packet::PacketSocket,
};

/// Longest time that an answer waits for company.
const MAX_WAIT: Duration = Duration::from_micros(150);

/// Answers that have not left yet.
pub(super) struct Replies<'a> {
    sockets: &'a [PacketSocket],
    packets: Vec<Vec<u8>>,
    /// When the oldest waiting answer was added; `None` if none waits.
    since: Option<u64>,
}

impl<'a> Replies<'a> {
    pub(super) fn new(sockets: &'a [PacketSocket]) -> Self {
        let packets = sockets.iter().map(|_| Vec::with_capacity(4096)).collect();
        Self { sockets, packets, since: None }
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
            packet[len..].zeroize();
            packet.truncate(len);
        }
        match self.since {
            None => self.since = Some(monotonic_us()),
            Some(since) => {
                if u128::from(monotonic_us() - since) > MAX_WAIT.as_micros() {
                    self.flush()?;
                }
            }
        }
        Ok(())
    }

    /// Sends what waits.
    pub(super) fn flush(&mut self) -> io::Result<()> {
        self.since = None;
        for (packet, socket) in self.packets.iter_mut().zip(self.sockets) {
            if !packet.is_empty() {
                let sent = socket.send(packet);
                packet.zeroize();
                sent?;
            }
        }
        Ok(())
    }
}
