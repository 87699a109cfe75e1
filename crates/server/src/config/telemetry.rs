//! `[telemetry]`: spans for an OpenTelemetry collector.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Report;

/// `[telemetry]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// IP address and port of a collector that takes OTLP over gRPC, without TLS, as
    /// `127.0.0.1:4317`. None by default: no spans.
    pub otlp: Option<String>,
    /// Of the requests that come without a trace, how many have a span: 0 to 1. Default
    /// 0.01. Those that come with one are sampled if their callers' spans are.
    pub sample: f64,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { otlp: None, sample: 0.01 }
    }
}

impl Telemetry {
    pub(super) fn check(&self, report: &mut Report) {
        if let Some(text) = &self.otlp
            && text.parse::<SocketAddr>().is_err()
        {
            report.add(
                "telemetry.otlp",
                format!("`{text}` is not an IP address with a port"),
                "write it as 127.0.0.1:4317, without a scheme; a host name does not do",
            );
        }
        if !(0.0..=1.0).contains(&self.sample) {
            report.add(
                "telemetry.sample",
                format!("{} is not 0 to 1", self.sample),
                "write the part of requests, as 0.01 for one in a hundred",
            );
        }
    }
}
