//! The sockets that join the front and one start of a keyhost.
//!
//! ```text
//!  front runtime 0 ─┐            ┌─ worker 0 ─┐
//!  front runtime 1 ─┼── work ────┼─ worker 1 ─┼── reply 0 → runtime 0
//!        …          │            └─ …         └── reply 1 → runtime 1
//!                   └── slow ────── one thread (makes, imports, destroys keys)
//! ```
//!
//! All runtimes write to one socket and all workers read from it, so the kernel's
//! queue is the only queue and an idle worker takes the next packet. Each runtime
//! has a reply socket of its own, so no answer crosses a thread in the front. A new
//! start gets new sockets: nothing of a dead keyhost reaches the next.

use std::{
    io,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use crate::packet::PacketSocket;

/// The front's ends.
pub struct FrontEnd(Sockets);

/// The keyhost's ends.
pub struct HostEnd(Sockets);

/// The sockets of either side, for whoever passes packets on.
pub struct Sockets {
    /// What goes to the workers.
    pub work: PacketSocket,
    /// What goes to the thread for what takes long.
    pub slow: PacketSocket,
    /// What goes back, one for each thread of the front.
    pub replies: Vec<PacketSocket>,
}

/// What one runtime of the front needs of a [`FrontEnd`].
pub struct ClientLink {
    /// Where it writes operations.
    pub work: PacketSocket,
    /// Where it writes what takes long.
    pub slow: PacketSocket,
    /// Where it reads answers.
    pub reply: PacketSocket,
    /// Which reply socket that is.
    pub shard: u8,
}

/// Makes the sockets for a front of `shards` runtimes.
pub fn link(shards: usize) -> io::Result<(FrontEnd, HostEnd)> {
    let (front_work, work) = PacketSocket::pair()?;
    let (front_slow, slow) = PacketSocket::pair()?;
    let (mut front_replies, mut replies) = (Vec::new(), Vec::new());
    for _ in 0..shards {
        let (front, host) = PacketSocket::pair()?;
        front_replies.push(front);
        replies.push(host);
    }
    let front = Sockets { work: front_work, slow: front_slow, replies: front_replies };
    Ok((FrontEnd(front), HostEnd(Sockets { work, slow, replies })))
}

impl Sockets {
    fn fds(&self) -> Vec<BorrowedFd<'_>> {
        let mut fds = vec![self.work.as_fd(), self.slow.as_fd()];
        fds.extend(self.replies.iter().map(AsFd::as_fd));
        fds
    }

    fn from_fds(fds: Vec<OwnedFd>) -> Option<Self> {
        let mut sockets = fds.into_iter().map(PacketSocket::from_fd);
        let (work, slow) = (sockets.next()?, sockets.next()?);
        let replies: Vec<_> = sockets.collect();
        (!replies.is_empty()).then_some(Self { work, slow, replies })
    }
}

impl FrontEnd {
    /// The descriptors, to be sent to the front.
    pub fn fds(&self) -> Vec<BorrowedFd<'_>> {
        self.0.fds()
    }

    /// The ends from their descriptors, in the order of [`FrontEnd::fds`].
    pub fn from_fds(fds: Vec<OwnedFd>) -> Option<Self> {
        Sockets::from_fds(fds).map(Self)
    }

    /// The sockets themselves.
    pub fn into_sockets(self) -> Sockets {
        self.0
    }

    /// One link for each runtime.
    pub fn shards(self) -> io::Result<Vec<ClientLink>> {
        let Sockets { work, slow, replies } = self.0;
        let link = |(shard, reply)| -> io::Result<ClientLink> {
            let shard = u8::try_from(shard).map_err(io::Error::other)?;
            Ok(ClientLink { work: work.try_clone()?, slow: slow.try_clone()?, reply, shard })
        };
        replies.into_iter().enumerate().map(link).collect()
    }
}

impl HostEnd {
    /// The descriptors, to be sent to the keyhost.
    pub fn fds(&self) -> Vec<BorrowedFd<'_>> {
        self.0.fds()
    }

    /// The ends from their descriptors, in the order of [`HostEnd::fds`].
    pub fn from_fds(fds: Vec<OwnedFd>) -> Option<Self> {
        Sockets::from_fds(fds).map(Self)
    }

    /// The sockets themselves: where operations arrive, where slow ones arrive, and where
    /// answers go.
    pub fn into_sockets(self) -> Sockets {
        self.0
    }
}
