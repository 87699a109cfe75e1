//! Where a request came from.

use std::{net::IpAddr, sync::Arc};

use keyreeve_audit::record::Peer;
use keyreeve_authz::Listener;

/// The other end of the connection, and the listener that it reached.
#[derive(Debug, Clone)]
pub struct Source {
    /// The other end, as the kernel names it; `None` where it does not.
    pub peer: Option<Peer>,
    /// The listener.
    pub listener: Arc<Listener>,
}

impl Source {
    /// The peer's address. A Unix socket has none.
    pub(crate) fn address(&self) -> Option<IpAddr> {
        match self.peer {
            Some(Peer::Ip(address, _)) => Some(address),
            Some(Peer::Unix(_)) | None => None,
        }
    }
}
