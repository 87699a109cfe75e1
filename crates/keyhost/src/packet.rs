//! Packets between processes of one machine.
//!
//! `SOCK_SEQPACKET` keeps message boundaries, so a packet arrives whole or not at
//! all, a killed process leaves no half of one, and several threads may take turns
//! on one socket: the kernel is the queue between the front and a keyhost's
//! threads. File descriptors can travel along.

use std::{
    io::{self, IoSlice, IoSliceMut},
    mem::MaybeUninit,
    os::fd::{AsFd, BorrowedFd, OwnedFd},
};

use rustix::net::{
    AddressFamily, RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, ReturnFlags,
    SendAncillaryBuffer, SendAncillaryMessage, SendFlags, SocketFlags, SocketType, recv, recvmsg,
    send, sendmsg, socketpair, sockopt,
};

/// Most descriptors in one packet.
pub const MAX_FDS: usize = 128;

/// How much the kernel may queue per direction, in bytes; it grants less where the
/// system's limit is lower.
const BUFFER: usize = 1024 * 1024;

/// One end of a packet socket. Closed on exec.
#[derive(Debug)]
pub struct PacketSocket(OwnedFd);

impl PacketSocket {
    /// Two connected ends.
    pub fn pair() -> io::Result<(Self, Self)> {
        let (a, b) =
            socketpair(AddressFamily::UNIX, SocketType::SEQPACKET, SocketFlags::CLOEXEC, None)?;
        for end in [&a, &b] {
            sockopt::set_socket_send_buffer_size(end, BUFFER)?;
        }
        Ok((Self(a), Self(b)))
    }

    /// An end that came from another process.
    pub const fn from_fd(fd: OwnedFd) -> Self {
        Self(fd)
    }

    /// Another handle on the same end.
    pub fn try_clone(&self) -> io::Result<Self> {
        self.0.try_clone().map(Self)
    }

    /// Whether calls return `WouldBlock` instead of waiting.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        Ok(rustix::io::ioctl_fionbio(&self.0, nonblocking)?)
    }

    /// Ends the connection for everyone who uses this end or the other.
    pub(crate) fn shut_down(&self) {
        // It fails only if the other end has gone already.
        let _ = rustix::net::shutdown(&self.0, rustix::net::Shutdown::Both);
    }

    /// Sends one packet. `BrokenPipe` if the other end is closed.
    pub fn send(&self, packet: &[u8]) -> io::Result<()> {
        retry(|| send(&self.0, packet, SendFlags::NOSIGNAL)).map(drop)
    }

    /// Receives one packet and returns its length; 0 means the other end is closed.
    /// A packet longer than `buffer` is an error and is gone.
    pub fn recv(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.recv_flags(buffer, RecvFlags::empty())
    }

    /// As [`PacketSocket::recv`], but `WouldBlock` if no packet waits.
    pub fn recv_waiting(&self, buffer: &mut [u8]) -> io::Result<usize> {
        self.recv_flags(buffer, RecvFlags::DONTWAIT)
    }

    fn recv_flags(&self, buffer: &mut [u8], flags: RecvFlags) -> io::Result<usize> {
        let capacity = buffer.len();
        let (_, len) = retry(|| recv(&self.0, &mut *buffer, flags | RecvFlags::TRUNC))?;
        if len > capacity {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "packet too long"));
        }
        Ok(len)
    }

    /// Sends one packet with descriptors, at most [`MAX_FDS`].
    pub fn send_with_fds(&self, packet: &[u8], fds: &[BorrowedFd<'_>]) -> io::Result<()> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = SendAncillaryBuffer::new(&mut space);
        if !fds.is_empty() && !control.push(SendAncillaryMessage::ScmRights(fds)) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "too many descriptors"));
        }
        retry(|| sendmsg(&self.0, &[IoSlice::new(packet)], &mut control, SendFlags::NOSIGNAL))
            .map(drop)
    }

    /// Receives one packet and the descriptors that came with it; they are closed
    /// on exec. Length 0 means the other end is closed.
    pub fn recv_with_fds(&self, buffer: &mut [u8]) -> io::Result<(usize, Vec<OwnedFd>)> {
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(MAX_FDS))];
        let mut control = RecvAncillaryBuffer::new(&mut space);
        let message = retry(|| {
            recvmsg(
                &self.0,
                &mut [IoSliceMut::new(&mut *buffer)],
                &mut control,
                RecvFlags::CMSG_CLOEXEC,
            )
        })?;
        if message.flags.intersects(ReturnFlags::TRUNC | ReturnFlags::CTRUNC) {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "packet too long"));
        }
        let mut fds = Vec::new();
        for part in control.drain() {
            if let RecvAncillaryMessage::ScmRights(rights) = part {
                fds.extend(rights);
            }
        }
        Ok((message.bytes, fds))
    }
}

impl AsFd for PacketSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl std::os::fd::AsRawFd for PacketSocket {
    fn as_raw_fd(&self) -> std::os::fd::RawFd {
        self.0.as_raw_fd()
    }
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            other => return Ok(other?),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Read, pipe};

    use super::*;

    /// Guards against packets that run together, and descriptors that get lost.
    #[test]
    fn packets_arrive_whole_and_bring_their_descriptors() {
        let (a, b) = PacketSocket::pair().expect("a socket pair");
        let (mut reader, writer) = pipe().expect("a pipe");
        a.send(b"one").expect("sent");
        a.send_with_fds(b"two", &[writer.as_fd()]).expect("sent");
        drop(writer);

        let mut buffer = [0; 16];
        assert_eq!(b.recv(&mut buffer).expect("received"), 3);
        let (len, fds) = b.recv_with_fds(&mut buffer).expect("received");
        assert_eq!((&buffer[..len], fds.len()), (&b"two"[..], 1));

        io::Write::write_all(&mut std::fs::File::from(fds.into_iter().next().expect("one")), b"x")
            .expect("written");
        let mut text = String::new();
        reader.read_to_string(&mut text).expect("read");
        assert_eq!(text, "x");
    }

    /// Guards against a truncated packet that is taken for a whole one.
    #[test]
    fn a_packet_that_does_not_fit_is_an_error() {
        let (a, b) = PacketSocket::pair().expect("a socket pair");
        a.send(&[0; 100]).expect("sent");
        let got = b.recv(&mut [0; 10]).map_err(|e| e.kind());
        assert_eq!(got, Err(io::ErrorKind::InvalidData));
        drop(a);
        assert_eq!(b.recv(&mut [0; 10]).expect("closed"), 0);
    }
}
