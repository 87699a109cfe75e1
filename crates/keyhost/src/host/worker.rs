//! One thread of a keyhost.

use std::io::{self, ErrorKind};

use keyreeve_backend::KeyBackend;
use keyreeve_memory::{wipe, wipe_and_clear};
use keyreeve_types::UnixTime;

use super::{
    HostError, Shared,
    pulse::{Progress, Pulse},
    replies::Replies,
    serve::{After, Answer, Desk},
};
use crate::{
    codec,
    deadline::monotonic_us,
    frame::{MAX_PACKET, RequestFrame, Response},
    packet::PacketSocket,
};

/// A thread, before it runs.
pub(super) struct Worker<'a, B: KeyBackend> {
    shared: &'a Shared<B>,
    source: &'a PacketSocket,
    replies: Replies<'a>,
    pulse: &'a Pulse,
    thread: usize,
    is_slow: bool,
}

impl<'a, B: KeyBackend> Worker<'a, B> {
    pub(super) fn new(
        shared: &'a Shared<B>,
        source: &'a PacketSocket,
        replies: &'a [PacketSocket],
        pulse: &'a Pulse,
        thread: usize,
        is_slow: bool,
    ) -> Self {
        Self { shared, source, replies: Replies::new(replies), pulse, thread, is_slow }
    }

    /// Takes packets until the front is gone.
    pub(super) fn run(mut self) -> Result<(), HostError> {
        let mut session = self.shared.backend.open_session()?;
        let mut scratch = Vec::with_capacity(MAX_PACKET);
        let mut packet = vec![0; MAX_PACKET + 1];
        while let Some(len) = self.next_packet(&mut packet).map_err(HostError::Io)? {
            self.serve_packet(&mut session, &mut scratch, &packet[..len])?;
            wipe(&mut packet[..len]);
            if self.is_slow {
                // The next request may take a minute; what is done does not wait for it.
                self.replies.flush().map_err(HostError::Io)?;
            }
        }
        Ok(())
    }

    /// Waits for a packet, and lets the answers go before it really waits. `None`
    /// when the front has closed its end.
    fn next_packet(&mut self, packet: &mut [u8]) -> io::Result<Option<usize>> {
        if !self.replies.is_empty() {
            match self.source.recv_waiting(packet) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.replies.flush()?,
                other => return other.map(|len| (len > 0).then_some(len)),
            }
        }
        self.source.recv(packet).map(|len| (len > 0).then_some(len))
    }

    /// Serves each frame. A session that failed is replaced before the next one.
    fn serve_packet(
        &mut self,
        session: &mut B::Session,
        scratch: &mut Vec<u8>,
        packet: &[u8],
    ) -> Result<(), HostError> {
        let now = now();
        // A front that sends what does not parse is not ours any more.
        let broken = || HostError::Io(ErrorKind::InvalidData.into());
        let (since, frames) = codec::split_head(packet).ok_or_else(broken)?;
        let mut began = monotonic_us();
        self.replies.begin_packet(began.saturating_sub(since));
        for body in codec::bodies(frames) {
            let frame: RequestFrame<'_> =
                body.and_then(|body| postcard::from_bytes(body).ok()).ok_or_else(broken)?;
            self.pulse.begin(self.thread, began);
            let answer = if began > frame.deadline_us {
                Answer::Response(Response::TooLate)
            } else {
                let desk = Desk {
                    shared: self.shared,
                    session: &mut *session,
                    scratch: &mut *scratch,
                    now,
                    progress: Progress::new(self.pulse, self.thread),
                };
                desk.answer(frame.opening, frame.request)
            };
            let (response, after) = match answer {
                Answer::Response(response) => (response, After::Well),
                Answer::Suspect(suspicion) => {
                    self.pulse.begin(self.thread, monotonic_us());
                    suspicion.judge(self.shared, session)
                }
            };
            self.pulse.end(self.thread);
            // One look at the clock per frame: it ends one and begins the next, unless
            // something else took its time in between.
            let ended = monotonic_us();
            let took = ended.saturating_sub(began);
            let sent = self.replies.push(frame.shard, frame.id, response, ended, took);
            began = if sent.map_err(HostError::Io)? { monotonic_us() } else { ended };
            wipe_and_clear(scratch);
            match after {
                After::Well => {}
                After::SessionBroken => {
                    *session = self.shared.backend.open_session()?;
                    began = monotonic_us();
                }
                After::Dead => {
                    self.replies.flush().map_err(HostError::Io)?;
                    return Err(HostError::Dead);
                }
            }
        }
        Ok(())
    }
}

fn now() -> UnixTime {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::Realtime);
    UnixTime(now.tv_sec)
}
