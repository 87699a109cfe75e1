//! A few HTTP/2 connections, shared by all calls.
//!
//! One connection is served by one core of the service, so a busy client wants more
//! than one, and a quiet one no more than one. A call therefore takes the connection
//! with the fewest calls under way, the first of them if several.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use tonic::transport::{Channel, Endpoint};

/// Connections that are made when first used and made again when lost.
pub(crate) struct Connections(Vec<Connection>);

struct Connection {
    channel: Channel,
    under_way: Arc<AtomicUsize>,
}

/// A connection lent to one call, or to one stream.
pub(crate) struct Lease {
    pub(crate) channel: Channel,
    under_way: Arc<AtomicUsize>,
}

impl Connections {
    pub(crate) fn new(endpoint: &Endpoint, most: usize) -> Self {
        let connection =
            || Connection { channel: endpoint.connect_lazy(), under_way: Arc::default() };
        Self((0..most.max(1)).map(|_| connection()).collect())
    }

    pub(crate) fn lease(&self) -> Lease {
        let busy = |c: &&Connection| c.under_way.load(Relaxed);
        let idlest = self.0.iter().min_by_key(busy).expect("`new` makes at least one");
        idlest.under_way.fetch_add(1, Relaxed);
        Lease { channel: idlest.channel.clone(), under_way: Arc::clone(&idlest.under_way) }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        self.under_way.fetch_sub(1, Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against one caller opening every connection, and against many callers
    /// sharing one.
    #[tokio::test]
    async fn calls_spread_only_while_they_overlap() {
        let connections = Connections::new(&Endpoint::from_static("https://localhost:1"), 3);
        let used = |i: usize| connections.0[i].under_way.load(Relaxed);
        for _ in 0..5 {
            drop(connections.lease());
        }
        let leases: Vec<Lease> = (0..6).map(|_| connections.lease()).collect();
        assert_eq!([used(0), used(1), used(2)], [2, 2, 2]);
        drop(leases);
        assert_eq!([used(0), used(1), used(2)], [0, 0, 0]);
        let _one = connections.lease();
        assert_eq!([used(0), used(1), used(2)], [1, 0, 0]);
    }
}
