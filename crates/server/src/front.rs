//! What runs in the front: its two doors and who may come in.
//!
//! Each thread has a runtime of its own, accepts for itself, and has its own
//! clients to the keyhosts. What all threads read, they read as snapshots; nothing
//! on the way of a call is shared for writing.

mod accept;
mod attempts;
mod audit;
mod authn;
mod beat;
mod drain;
mod grpc;
mod guests;
mod https;
mod metrics;
pub(crate) mod otlp;
mod prefix;
mod runtime;
mod socket;
mod status;
mod token_endpoint;
mod trace;
mod turn;

pub(crate) use audit::FrontLog;
pub(crate) use authn::{Authn, Certificates, Issuers, Pace, Tokens};
pub(crate) use guests::Guests;
pub(crate) use runtime::{Keyhosts, Links, Listening, Runtime};
pub(crate) use socket::Socket;
pub(crate) use status::Processes;
pub(crate) use token_endpoint::TokenEndpoint;
