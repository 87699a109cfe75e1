//! `[limits]`: what a caller can use up.
//!
//! What is not here is fixed: the sizes of messages and batches, which are part of
//! the interface, and the longest time of a call, which its caller sets.
//!
//! Each has a default that suits a small machine, and a range outside which the
//! service would not work or would not be protected.

use serde::{Deserialize, Serialize};

use super::Report;

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections, both doors together. Default 4096; what comes beyond waits
    /// in the kernel's queue. Each costs some 32 KiB, for what was read ahead of it,
    /// and at most 64 KiB more while its peer does not read what it is sent.
    pub connections: usize,
    /// Calls in flight on one connection (HTTP/2 streams). Default 256.
    pub calls_per_connection: u32,
    /// Longest time for a TLS handshake, in milliseconds. Default 5000.
    pub handshake_ms: u64,
    /// Longest silence on a connection before the peer is asked whether it is
    /// still there, in milliseconds. Default 30000.
    pub keepalive_ms: u64,
    /// How long a stopping service waits for calls in flight, in milliseconds.
    /// Default 5000.
    pub drain_ms: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            calls_per_connection: 256,
            handshake_ms: 5_000,
            keepalive_ms: 30_000,
            drain_ms: 5_000,
        }
    }
}

impl Limits {
    pub(super) fn check(&self, report: &mut Report) {
        let Self { connections, calls_per_connection, handshake_ms, keepalive_ms, drain_ms } = self;
        let connections = *connections as u64;
        for (field, value, low, high) in [
            ("connections", connections, 1, 1_000_000),
            ("calls_per_connection", u64::from(*calls_per_connection), 1, 65_536),
            ("handshake_ms", *handshake_ms, 100, 60_000),
            ("keepalive_ms", *keepalive_ms, 1_000, 3_600_000),
            ("drain_ms", *drain_ms, 0, 600_000),
        ] {
            if !(low..=high).contains(&value) {
                report.add(
                    format!("limits.{field}"),
                    format!("{value} is not {low} to {high}"),
                    "leave it out for the default",
                );
            }
        }
    }
}
