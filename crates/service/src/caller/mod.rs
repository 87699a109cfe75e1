//! What comes with a request: who asks, from where, and which request it is.
//!
//! A door makes one [`Caller`] for each request, which takes no system call and, with
//! the parts that are shared, no allocation. Who asks is an [`Identity`], made once
//! when a credential is proven.
//!
//! This module refuses to prove anything: it believes the server's authentication.

mod identity;
mod request_id;
mod source;
mod trace;

use std::sync::Arc;

pub use identity::Identity;
pub(crate) use identity::recorded_name;
pub use request_id::RequestId;
pub use source::Source;
pub use trace::TraceId;

/// One request's who, where and which. Cheap to clone; a clone is the same request.
#[derive(Debug, Clone)]
pub struct Caller {
    identity: Arc<Identity>,
    request: RequestId,
    trace: Option<TraceId>,
    source: Source,
}

impl Caller {
    /// Of a request that has just arrived; it gets a fresh [`RequestId`].
    pub fn new(identity: Arc<Identity>, source: Source, trace: Option<TraceId>) -> Self {
        Self { identity, request: RequestId::fresh(), trace, source }
    }

    /// Who asks.
    pub fn identity(&self) -> &Identity {
        &self.identity
    }

    /// Which request it is.
    pub fn request(&self) -> RequestId {
        self.request
    }

    /// The trace that the request belongs to, if the caller named one.
    pub fn trace(&self) -> Option<TraceId> {
        self.trace
    }

    /// Where it came from.
    pub fn source(&self) -> &Source {
        &self.source
    }
}
