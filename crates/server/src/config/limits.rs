//! `[limits]`: what a caller can use up.
//!
//! What is not here is fixed: the sizes of messages and batches, which are part of
//! the interface, and the longest time of a call, which its caller sets.
//!
//! Each has a default that suits a small machine, and a range outside which the
//! service would not work or would not be protected.

use keyreeve_service::{Rate, Rates};
use serde::{Deserialize, Serialize};

use super::Report;
use crate::listen::cores;

/// `[limits]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Open connections, both doors together. Default 4096; what comes beyond waits
    /// in the kernel's queue. Each costs some 32 KiB, for what was read ahead of it,
    /// and at most 64 KiB more while its peer does not read what it is sent.
    pub connections: usize,
    /// Open connections from one address, or one IPv6 /64. What comes beyond is closed
    /// at once. Default 1024: behind a proxy all callers have its address.
    pub connections_per_address: usize,
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
    /// Processor time that one principal may use in each second, in milliseconds, by
    /// the table of docs/limits.md. Default: 750 for each core.
    pub principal_cpu_ms: u64,
    /// The same for one vault, by all who use it. Default: 900 for each core.
    pub vault_cpu_ms: u64,
    /// How many seconds' worth of that can be used at once after a rest. Default 10.
    pub burst_s: u64,
    /// Whether more may be used as long as nobody waits for it. Default true.
    pub lend_spare: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 4096,
            connections_per_address: 1024,
            calls_per_connection: 256,
            handshake_ms: 5_000,
            keepalive_ms: 30_000,
            drain_ms: 5_000,
            principal_cpu_ms: 750 * cores() as u64,
            vault_cpu_ms: 900 * cores() as u64,
            burst_s: 10,
            lend_spare: true,
        }
    }
}

impl Limits {
    /// What one principal and one vault may use.
    pub(crate) fn rates(&self) -> Rates {
        let rate = |cpu_ms: u64| {
            let us_per_second = cpu_ms * 1_000;
            Rate { us_per_second, burst_us: us_per_second * self.burst_s }
        };
        Rates {
            principal: rate(self.principal_cpu_ms),
            vault: rate(self.vault_cpu_ms),
            lend_spare: self.lend_spare,
        }
    }

    pub(super) fn check(&self, report: &mut Report) {
        let Self {
            connections,
            connections_per_address,
            calls_per_connection,
            handshake_ms,
            keepalive_ms,
            drain_ms,
            principal_cpu_ms,
            vault_cpu_ms,
            burst_s,
            lend_spare: _,
        } = self;
        for (field, value, low, high) in [
            ("connections", *connections as u64, 1, 1_000_000),
            ("connections_per_address", *connections_per_address as u64, 1, 1_000_000),
            ("calls_per_connection", u64::from(*calls_per_connection), 1, 65_536),
            ("handshake_ms", *handshake_ms, 100, 60_000),
            ("keepalive_ms", *keepalive_ms, 1_000, 3_600_000),
            ("drain_ms", *drain_ms, 0, 600_000),
            ("principal_cpu_ms", *principal_cpu_ms, 1, 1_000_000),
            ("vault_cpu_ms", *vault_cpu_ms, 1, 1_000_000),
            ("burst_s", *burst_s, 1, 3_600),
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
