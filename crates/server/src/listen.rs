//! The listening sockets.
//!
//! The supervisor binds them and hands them to each front it starts. So an address
//! that is taken is found before a process is started, port 0 is known exactly and
//! stays the same when the front is started anew, and a caller who comes in between
//! waits in the kernel's queue instead of being refused.
//!
//! There is one socket for each thread of the front (`SO_REUSEPORT`): the kernel
//! spreads connections over them and no thread takes from another's queue.

use std::{
    fs, io,
    net::{SocketAddr, TcpListener},
    os::unix::{
        fs::{FileTypeExt as _, PermissionsExt as _},
        net::UnixStream,
    },
    path::Path,
};

use socket2::{Domain, Protocol, SockAddr, Socket, Type};

/// Connections the kernel keeps for a thread that is busy.
const BACKLOG: i32 = 1024;

/// How many cores this process may use.
pub(crate) fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// Binds `count` sockets to `address` and says where they are. They do not block.
pub(crate) fn bind(
    address: SocketAddr,
    count: usize,
) -> io::Result<(SocketAddr, Vec<TcpListener>)> {
    // Without SO_REUSEPORT first: with it, a second service on the same port would
    // silently get half of the connections.
    let first = socket(address, false)?;
    let address = local_address(&first)?;
    drop(first);
    let sockets = (0..count).map(|_| {
        let socket = socket(address, true)?;
        socket.listen(BACKLOG)?;
        Ok(socket.into())
    });
    Ok((address, sockets.collect::<io::Result<_>>()?))
}

/// Binds one socket to the path `at`, which the service's user and group may use. All
/// threads accept from it. A socket that nobody listens on any more is replaced;
/// anything else that is there is left alone. It does not block.
pub(crate) fn bind_unix(at: &Path) -> io::Result<Socket> {
    match fs::symlink_metadata(at) {
        Ok(found) if found.file_type().is_socket() => match UnixStream::connect(at) {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => fs::remove_file(at)?,
            _ => return Err(io::ErrorKind::AddrInUse.into()),
        },
        Ok(_) => return Err(io::ErrorKind::AlreadyExists.into()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
    socket.set_nonblocking(true)?;
    socket.bind(&SockAddr::unix(at)?)?;
    // Nobody can connect before it listens.
    fs::set_permissions(at, fs::Permissions::from_mode(0o660))?;
    socket.listen(BACKLOG)?;
    Ok(socket)
}

fn socket(address: SocketAddr, share: bool) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(share)?;
    socket.set_nonblocking(true)?;
    if address.is_ipv6() {
        // `[::]` means IPv6 alone on every machine, whatever its sysctl says.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

fn local_address(socket: &Socket) -> io::Result<SocketAddr> {
    let address = socket.local_addr()?;
    address.as_socket().ok_or_else(|| io::Error::other("a TCP socket without an address"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a socket that a killed service left and that keeps the next one from
    /// starting, against a file or another's socket that is removed, and against a socket
    /// for everybody on the machine.
    #[test]
    fn a_socket_is_replaced_if_nobody_listens_on_it() {
        let directory = tempfile::tempdir().expect("a directory");
        let at = directory.path().join("s.sock");
        let first = bind_unix(&at).expect("free");
        let mode = fs::metadata(&at).expect("made").permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        let again = bind_unix(&at).map_err(|error| error.kind());
        assert_eq!(again.err(), Some(io::ErrorKind::AddrInUse));
        drop(first);
        bind_unix(&at).expect("nobody listens");
        let file = directory.path().join("file");
        fs::write(&file, "mine").expect("written");
        bind_unix(&file).expect_err("a file");
        assert_eq!(fs::read(&file).expect("still there"), b"mine");
    }

    /// Guards against two services that share a port and each get half the calls.
    #[test]
    fn a_port_that_is_taken_is_refused_although_ports_can_be_shared() {
        let loopback = "127.0.0.1:0".parse().expect("an address");
        let (address, sockets) = bind(loopback, 2).expect("a free port");
        assert_eq!(sockets.len(), 2);
        assert_ne!(address.port(), 0);
        let again = bind(address, 2).map_err(|error| error.kind());
        assert_eq!(again.err(), Some(io::ErrorKind::AddrInUse));
    }
}
