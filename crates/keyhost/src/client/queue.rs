//! Packets on their way out, one queue for each of a keyhost's two sockets: what
//! takes long must not hold up what does not.

use std::collections::VecDeque;

use keyreeve_memory::{wipe, wipe_and_clear};

use crate::{
    codec,
    deadline::monotonic_us,
    frame::{MAX_TOGETHER, RequestFrame},
};

/// A packet is closed when it has this many bytes.
pub(super) const CLOSE_AT: usize = 32 * 1024;

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

/// Which of a keyhost's sockets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outlet {
    /// To the workers.
    Work,
    /// To the thread for what takes long.
    Slow,
}

/// A packet that has not left.
pub(super) struct Packet {
    pub(super) bytes: Vec<u8>,
    frames: usize,
    operations: usize,
    closed: bool,
}

/// The packets that have not left.
#[derive(Default)]
pub(super) struct Queue {
    work: VecDeque<Packet>,
    slow: VecDeque<Packet>,
    /// Frames in all packets.
    frames: usize,
    /// A buffer to fill next, kept from a packet that has left.
    spare: Option<Vec<u8>>,
}

impl Queue {
    /// How many frames wait here.
    pub(super) const fn frames(&self) -> usize {
        self.frames
    }

    /// Adds a frame to a packet; false if it alone is longer than a packet may be.
    pub(super) fn append(&mut self, lane: Lane, frame: &RequestFrame<'_>, max: usize) -> bool {
        let packets = match lane {
            Lane::Light | Lane::Heavy => &mut self.work,
            Lane::Slow => &mut self.slow,
        };
        if lane == Lane::Light
            && let Some(packet) = packets.back_mut().filter(|packet| !packet.closed)
        {
            if packet.append(frame, max) {
                packet.closed = packet.is_full();
                self.frames += 1;
                return true;
            }
            // It fits a packet of its own, or none.
            packet.closed = true;
        }
        let mut packet = Packet::begin(self.spare.take().unwrap_or_default());
        let fits = packet.append(frame, max);
        if fits {
            packet.closed = lane != Lane::Light || packet.is_full();
            packets.push_back(packet);
            self.frames += 1;
        }
        fits
    }

    /// Takes the packet that leaves next.
    pub(super) fn pop(&mut self, outlet: Outlet) -> Option<Packet> {
        let packet = self.packets(outlet).pop_front()?;
        self.frames -= packet.frames;
        Some(packet)
    }

    /// Puts a packet back that could not leave yet.
    pub(super) fn unpop(&mut self, outlet: Outlet, packet: Packet) {
        self.frames += packet.frames;
        self.packets(outlet).push_front(packet);
    }

    /// Wipes a packet that has left and keeps its buffer.
    pub(super) fn recycle(&mut self, mut packet: Packet) {
        wipe_and_clear(&mut packet.bytes);
        self.spare = Some(std::mem::take(&mut packet.bytes));
    }

    /// Forgets all of them.
    pub(super) fn clear(&mut self) {
        self.work.clear();
        self.slow.clear();
        self.frames = 0;
    }

    const fn packets(&mut self, outlet: Outlet) -> &mut VecDeque<Packet> {
        match outlet {
            Outlet::Work => &mut self.work,
            Outlet::Slow => &mut self.slow,
        }
    }
}

impl Packet {
    fn begin(mut bytes: Vec<u8>) -> Self {
        codec::begin(&mut bytes, monotonic_us());
        Self { bytes, frames: 0, operations: 0, closed: false }
    }

    /// Adds a frame, unless that makes the packet longer than `max` bytes.
    fn append(&mut self, frame: &RequestFrame<'_>, max: usize) -> bool {
        let start = self.bytes.len();
        codec::append(&mut self.bytes, frame);
        let fits = self.bytes.len() <= max;
        if fits {
            self.frames += 1;
            self.operations += frame.request.operations();
        } else {
            wipe(&mut self.bytes[start..]);
            self.bytes.truncate(start);
        }
        fits
    }

    fn is_full(&self) -> bool {
        self.operations >= MAX_TOGETHER || self.bytes.len() >= CLOSE_AT
    }
}

impl Drop for Packet {
    fn drop(&mut self) {
        wipe(&mut self.bytes);
    }
}
