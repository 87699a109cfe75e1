//! Keyhosts on another host, beside their HSM.
//!
//! ```text
//!  front ══ link ══ relay ── stream: TLS or a Unix socket ── gate ══ link ══ keyhost
//!    └──────── supervisor ─┘                                   └─ control ────┘
//!  (where the service runs)                          (`keyreeve keyhost serve`)
//! ```
//!
//! The *relay* stands in the place of a keyhost: the supervisor starts it, asks it for
//! signs of life and starts it anew, and the front sends it the same packets. It passes
//! them over one stream to a *gate*, which keeps a keyhost for each stream: a process that
//! begins and ends with it, so that a fresh connection always meets a fresh module. A call
//! that hangs is ended there, and a stream that goes silent is ended on both sides.
//!
//! Both sides prove themselves: over TLS with certificates of an authority that is named
//! for this alone, over a Unix socket by being the same user. Frames are those of one
//! build, so a gate of another version is refused.

mod gate;
mod relay;
mod stream;
mod wire;

pub use gate::{GateError, serve};
pub(crate) use relay::run as relay;
pub(crate) use stream::PROTOCOL;
pub use stream::{Remote, RemoteTls};
