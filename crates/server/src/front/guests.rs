//! How many connections come from where, so that one host cannot take the room of all.
//!
//! Counted when a connection is accepted, before its handshake, which is what makes
//! connections dear. A lock is taken once for each connection and never for a request.
//!
//! It refuses to know who calls: behind a proxy that is many callers with one address.

use std::{
    collections::HashMap,
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use keyreeve_service::Peer;

/// The open connections of every address, and of every user of this machine, for all doors and threads together.
pub(crate) struct Guests {
    most: usize,
    /// No entry is 0.
    open: Mutex<HashMap<Host, usize>>,
}

/// An open connection. Dropped, it is counted no longer.
pub(super) struct Guest {
    guests: Arc<Guests>,
    host: Host,
}

/// What is counted by.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Host {
    Address(IpAddr),
    User(u32),
}

impl Guests {
    /// At most so many from one address, and of one user.
    pub(crate) fn new(most: usize) -> Self {
        Self { most, open: Mutex::default() }
    }

    /// Counts a connection; `None` if there are too many from there.
    pub(super) fn welcome(self: Arc<Self>, peer: Peer) -> Option<Guest> {
        let host = host(peer);
        let mut open = self.open();
        let count = open.entry(host).or_default();
        if *count >= self.most {
            return None;
        }
        *count += 1;
        drop(open);
        Some(Guest { guests: self, host })
    }

    fn open(&self) -> MutexGuard<'_, HashMap<Host, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        let mut open = self.guests.open();
        if let Some(count) = open.get_mut(&self.host) {
            *count -= 1;
            if *count == 0 {
                open.remove(&self.host);
            }
        }
    }
}

/// A host with IPv6 has all addresses of its /64.
fn host(peer: Peer) -> Host {
    match peer {
        Peer::Ip(IpAddr::V6(v6), _) => {
            Host::Address(IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() >> 64 << 64)))
        }
        Peer::Ip(address, _) => Host::Address(address),
        Peer::Unix(user) => Host::User(user),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a host that takes everybody's connections, one that gets round it
    /// with the addresses of its own network, and connections that stay counted.
    #[test]
    fn a_host_has_its_share_of_connections_and_no_more() {
        let guests = Arc::new(Guests::new(2));
        let come = |text: &str| {
            let address = text.parse().expect("an address");
            Arc::clone(&guests).welcome(Peer::Ip(address, 1))
        };
        let first = come("2001:db8::1").expect("the first");
        let second = come("2001:db8::2").expect("the second");
        assert!(come("2001:db8::3").is_none());
        let other = come("2001:db8:0:1::3").expect("another network");
        let v4 = come("192.0.2.1").expect("another host");
        drop(first);
        let third = come("2001:db8::3").expect("one has gone");
        let users = [0, 0, 1000].map(|user| Arc::clone(&guests).welcome(Peer::Unix(user)));
        assert!(users.iter().all(Option::is_some));
        assert!(Arc::clone(&guests).welcome(Peer::Unix(0)).is_none(), "nor has a user");
        drop((second, third, other, v4, users));
        assert!(guests.open().is_empty());
    }
}
