//! `[telemetry]`: spans and audit records for an OpenTelemetry collector.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    time::Duration,
};

use http::Uri;
use serde::{Deserialize, Serialize};

use super::{Report, file};
use crate::tls;

/// The port of OTLP over gRPC.
const OTLP: u16 = 4317;
/// What `audit_within_s` can be: a record is under a checkpoint, and can be sent, only
/// after a second or so.
const WITHIN_S: RangeInclusive<u64> = 5..=86_400;

/// `[telemetry]`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Telemetry {
    /// A collector that takes OTLP over gRPC: `https://HOST:PORT`, or an IP address and
    /// port without TLS, as `127.0.0.1:4317`. None by default: nothing is sent.
    pub otlp: Option<String>,
    /// PEM file with the authority of the collector's certificate. Default those that
    /// the system trusts.
    pub ca: Option<PathBuf>,
    /// Of the requests that come without a trace, how many have a span: 0 to 1. Default
    /// 0.01. Those that come with one are sampled if their callers' spans are.
    pub sample: f64,
    /// Whether the audit log is sent, too. Default false.
    pub audit: bool,
    /// How long an audit record may wait to reach the collector, in seconds, 5 to 86400,
    /// before nothing more is done that needs a record. Default none: nobody waits.
    pub audit_within_s: Option<u64>,
}

/// Where a collector is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CollectorAddress {
    /// A name, or an address without brackets.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) tls: bool,
}

impl Default for Telemetry {
    fn default() -> Self {
        Self { otlp: None, ca: None, sample: 0.01, audit: false, audit_within_s: None }
    }
}

impl Telemetry {
    /// The collector, if there is one.
    pub(crate) fn collector(&self) -> Option<CollectorAddress> {
        self.otlp.as_deref().and_then(CollectorAddress::parse)
    }

    /// How long an audit record may wait.
    pub(crate) fn audit_within(&self) -> Option<Duration> {
        self.audit_within_s.map(Duration::from_secs)
    }

    pub(super) fn check(mut self, report: &mut Report, base: &Path) -> Self {
        let collector = self.collector();
        if let (Some(text), None) = (&self.otlp, &collector) {
            report.add(
                "telemetry.otlp",
                format!("`{text}` is no collector"),
                "write https://collector.example:4317; without TLS it is an IP address and a \
                 port, as 127.0.0.1:4317, without a scheme",
            );
        }
        self.ca = self.ca.map(|ca| base.join(ca));
        if let Some(ca) = &self.ca {
            let mend = "name the PEM file with the authority of the collector's certificate";
            if file::check_readable(report, "telemetry.ca", ca, mend)
                && let Err(why) = tls::client(Some(ca), &[])
            {
                report.add("telemetry.ca", why, mend);
            }
        }
        if !(0.0..=1.0).contains(&self.sample) {
            report.add(
                "telemetry.sample",
                format!("{} is not 0 to 1", self.sample),
                "write the part of requests, as 0.01 for one in a hundred",
            );
        }
        self.check_audit(report, collector.as_ref());
        self
    }

    fn check_audit(&self, report: &mut Report, collector: Option<&CollectorAddress>) {
        match collector {
            _ if !self.audit => {}
            None if self.otlp.is_none() => {
                report.add("telemetry.audit", "there is no collector", "set telemetry.otlp");
            }
            Some(collector) if !collector.tls && !collector.is_local() => report.add(
                "telemetry.audit",
                "who does what would cross the network for everybody to read",
                "write telemetry.otlp as https://HOST:PORT, or use a collector on this host",
            ),
            _ => {}
        }
        let Some(within) = self.audit_within_s else { return };
        if !self.audit || !WITHIN_S.contains(&within) {
            let (low, high) = (WITHIN_S.start(), WITHIN_S.end());
            report.add(
                "telemetry.audit_within_s",
                format!("{within} is not {low} to {high}, or telemetry.audit is not set"),
                "leave it out so that nobody waits for the collector",
            );
        }
    }
}

impl CollectorAddress {
    fn parse(text: &str) -> Option<Self> {
        if let Ok(address) = text.parse::<SocketAddr>() {
            let host = address.ip().to_string();
            return Some(Self { host, port: address.port(), tls: false });
        }
        let uri: Uri = text.parse().ok()?;
        let bare = uri.path_and_query().is_none_or(|path| path == "/");
        let fits = uri.scheme_str() == Some("https") && bare && !text.contains('@');
        let host = uri.host().filter(|host| fits && !host.is_empty())?;
        let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
        Some(Self { host, port: uri.port_u16().unwrap_or(OTLP), tls: true })
    }

    /// Whether it is on this host.
    fn is_local(&self) -> bool {
        self.host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
    }

    /// Whether its name has to be resolved.
    pub(crate) fn is_named(&self) -> bool {
        self.host.parse::<IpAddr>().is_err()
    }
}
