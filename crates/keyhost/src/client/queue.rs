//! Calls on their way out, and those that wait for an answer.

use std::collections::{HashMap, VecDeque};

use keyreeve_memory::{wipe, wipe_and_clear};
use tokio::sync::oneshot;

use crate::{
    codec::{self, Body},
    frame::RequestFrame,
};

/// Most frames in one packet. A packet is served by one worker from end to end, so
/// more would keep the others idle.
const MAX_FRAMES: usize = 16;

/// A packet is closed when it has this many bytes.
const CLOSE_AT: usize = 32 * 1024;

/// How a call travels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// With others, to the workers.
    Light,
    /// Alone, to the workers.
    Heavy,
    /// Alone, to the thread for what takes long.
    Slow,
}

/// A packet that has not left.
pub(super) struct Packet {
    pub(super) bytes: Vec<u8>,
    pub(super) slow: bool,
    frames: usize,
    closed: bool,
}

/// The state that callers and the driver share.
#[derive(Default)]
pub(super) struct Queue {
    /// The reply socket of the current link; `None` while there is no keyhost.
    shard: Option<u8>,
    next_id: u64,
    waiting: HashMap<u64, oneshot::Sender<Body>>,
    packets: VecDeque<Packet>,
    /// A buffer to fill next, kept from a packet that has left.
    spare: Option<Vec<u8>>,
}

impl Queue {
    pub(super) const fn shard(&self) -> Option<u8> {
        self.shard
    }

    pub(super) const fn is_linked(&self) -> bool {
        self.shard.is_some()
    }

    pub(super) fn pending(&self) -> usize {
        self.waiting.len()
    }

    /// Registers a call; ids are never used twice, so a late answer finds nobody.
    pub(super) fn expect(&mut self, answer: oneshot::Sender<Body>) -> u64 {
        self.next_id += 1;
        self.waiting.insert(self.next_id, answer);
        self.next_id
    }

    pub(super) fn forget(&mut self, id: u64) {
        self.waiting.remove(&id);
    }

    /// Adds a frame to a packet; false if it alone is longer than a packet may be.
    pub(super) fn append(&mut self, lane: Lane, frame: &RequestFrame<'_>, max: usize) -> bool {
        let joins = lane == Lane::Light && self.packets.back().is_some_and(|p| !p.closed);
        if !joins {
            let bytes = self.spare.take().unwrap_or_default();
            self.packets.push_back(Packet {
                bytes,
                slow: lane == Lane::Slow,
                frames: 0,
                closed: false,
            });
        }
        let Some(packet) = self.packets.back_mut() else { return false };
        let start = packet.bytes.len();
        codec::append(&mut packet.bytes, frame);
        if packet.bytes.len() > max {
            wipe(&mut packet.bytes[start..]);
            packet.bytes.truncate(start);
            if start == 0 {
                self.packets.pop_back();
                return false;
            }
            // It fits a packet of its own, or none.
            packet.closed = true;
            return self.append(lane, frame, max);
        }
        packet.frames += 1;
        packet.closed =
            lane != Lane::Light || packet.frames >= MAX_FRAMES || packet.bytes.len() >= CLOSE_AT;
        true
    }

    pub(super) fn pop_packet(&mut self) -> Option<Packet> {
        self.packets.pop_front()
    }

    /// Puts a packet back that could not leave yet.
    pub(super) fn unpop_packet(&mut self, mut packet: Packet) {
        packet.closed = true;
        self.packets.push_front(packet);
    }

    /// Wipes a packet that has left and keeps its buffer.
    pub(super) fn recycle(&mut self, mut packet: Packet) {
        wipe_and_clear(&mut packet.bytes);
        self.spare = Some(packet.bytes);
    }

    /// Hands an answer to its caller, if that still waits.
    pub(super) fn answer(&mut self, id: u64, body: Body) {
        if let Some(caller) = self.waiting.remove(&id) {
            // A caller that has gone away needs no answer.
            let _ = caller.send(body);
        }
    }

    /// Begins with a new keyhost, or with none: whoever waits learns of it by its
    /// sender being dropped.
    pub(super) fn relink(&mut self, shard: Option<u8>) {
        self.shard = shard;
        self.waiting.clear();
        for packet in &mut self.packets {
            wipe(&mut packet.bytes);
        }
        self.packets.clear();
    }
}
