//! The listening sockets, as they come from the supervisor and as threads get them.

use std::{io, sync::Arc};

use keyreeve_authz::Listener;

use crate::{
    config::Door,
    control::{ControlSocket, FrontStart, ListenerStart, ToFront},
    front::{Listening, Socket},
};

/// What to serve, the sockets of the two public listeners, and the private ones.
pub(super) type First = (Box<FrontStart>, Vec<Socket>, Vec<Private>);

/// A private listener with its sockets.
pub(super) type Private = (ListenerStart, Vec<Socket>);

/// The first message, with all sockets; `None` if the supervisor is gone.
pub(super) fn first_message(control: &ControlSocket) -> io::Result<Option<First>> {
    let Some((ToFront::Start(start), fds)) = control.recv()? else { return Ok(None) };
    if fds.len() != 2 * start.threads {
        return Err(io::Error::other("the listening sockets did not come with Start"));
    }
    let mut private = Vec::new();
    for _ in 0..start.listeners {
        let Some((ToFront::Listener(listener), fds)) = control.recv()? else {
            return Err(io::Error::other("a private listener did not come"));
        };
        let sockets: Vec<_> = fds.into_iter().map(|fd| Socket::of(fd, listener.unix)).collect();
        if sockets.len() != if listener.unix { 1 } else { start.threads } {
            return Err(io::Error::other("a private listener came without its sockets"));
        }
        private.push((listener, sockets));
    }
    let public = fds.into_iter().map(|fd| Socket::of(fd, false)).collect();
    Ok(Some((start, public, private)))
}

/// What each thread listens on: the public doors, then the private ones.
pub(super) fn listening(
    threads: usize,
    mut grpc: Vec<Socket>,
    private: Vec<Private>,
) -> Result<Vec<Vec<Listening>>, String> {
    let listener = |name: &str, private| {
        let name = name.parse().map_err(|_| "a listener's name is damaged".to_owned())?;
        Ok::<_, String>(Arc::new(Listener { name, private }))
    };
    let https = grpc.split_off(threads);
    let public = [("grpc", Door::Grpc, grpc), ("https", Door::Https, https)];
    let mut of_thread: Vec<Vec<Listening>> = Vec::new();
    of_thread.resize_with(threads, Vec::new);
    for (name, door, sockets) in public {
        let listener = listener(name, false)?;
        for (of_thread, socket) in of_thread.iter_mut().zip(sockets) {
            of_thread.push(Listening { listener: Arc::clone(&listener), socket, door });
        }
    }
    for (ListenerStart { name, door, unix: _ }, sockets) in private {
        let listener = listener(&name, true)?;
        for (place, of_thread) in of_thread.iter_mut().enumerate() {
            // Of a Unix socket there is one, from which all accept.
            let socket = sockets.get(place).or(sockets.first()).ok_or("a socket is missing")?;
            let socket = socket.try_clone().map_err(|error| error.to_string())?;
            of_thread.push(Listening { listener: Arc::clone(&listener), socket, door });
        }
    }
    Ok(of_thread)
}
