//! `[audit]`: the audit log. There is no field that turns it off.

use std::ops::RangeInclusive;

use serde::{Deserialize, Serialize};

use super::Report;

/// A journal file in MiB.
const JOURNAL_MIB: RangeInclusive<u64> = 1..=1024;
/// A century.
const RETENTION_DAYS: RangeInclusive<u32> = 1..=36_525;

/// `[audit]`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct AuditConfig {
    /// How many days records are kept. Older ones are removed once a day, in bundles of
    /// 256; their hashes stay. Default: for ever.
    pub retention_days: Option<u32>,
    /// Size of a journal file in MiB, 1 to 1024; two of them are on the disk at a time.
    /// Default 8.
    pub journal_mib: u64,
}

impl Default for AuditConfig {
    fn default() -> Self {
        Self { retention_days: None, journal_mib: 8 }
    }
}

impl AuditConfig {
    pub(super) fn check(&self, report: &mut Report) {
        if let Some(days) = self.retention_days.filter(|days| !RETENTION_DAYS.contains(days)) {
            let (low, high) = (RETENTION_DAYS.start(), RETENTION_DAYS.end());
            report.add(
                "audit.retention_days",
                format!("{days} is not {low} to {high}"),
                "leave it out to keep every record",
            );
        }
        if !JOURNAL_MIB.contains(&self.journal_mib) {
            let (low, high) = (JOURNAL_MIB.start(), JOURNAL_MIB.end());
            report.add(
                "audit.journal_mib",
                format!("{} is not {low} to {high}", self.journal_mib),
                "leave it out for the default",
            );
        }
    }
}
