//! What is sent to a collector, and to which ports the front connects at all.

use std::{path::Path, sync::Arc};

use keyreeve_service::Shared;
use tokio::runtime::{Builder, Runtime};

use super::spawn;
use crate::{
    config::{CollectorAddress, IssuerConfig, Telemetry},
    front::otlp::{self, AuditExport, Collector},
};

/// What is sent to a collector, on threads of its own: reading the audit log blocks.
pub(super) struct Exporter([(Runtime, Collector); 2]);

impl Exporter {
    /// Reads what is needed to trust the collector.
    pub(super) fn new(at: &CollectorAddress, ca: Option<&Path>) -> Result<Self, String> {
        let one = || {
            let runtime = Builder::new_current_thread()
                .enable_all()
                .build()
                .map_err(|error| error.to_string())?;
            let entered = runtime.enter();
            let collector = Collector::new(at, ca)?;
            drop(entered);
            Ok::<_, String>((runtime, collector))
        };
        Ok(Self([one()?, one()?]))
    }

    pub(super) fn start(
        self,
        shared: &Arc<Shared>,
        telemetry: &Telemetry,
        data_dir: &Path,
    ) -> Result<(), String> {
        let Self([(runtime, collector), (of_log, log_collector)]) = self;
        let (spans, sample) = (Arc::clone(shared), telemetry.sample);
        spawn("spans", move || runtime.block_on(otlp::export(&spans, &collector, sample)))?;
        if telemetry.audit {
            let (shared, within) = (Arc::clone(shared), telemetry.audit_within());
            let export = AuditExport::new(shared, log_collector, within, data_dir);
            spawn("audit-export", move || of_log.block_on(export.run()))?;
        }
        Ok(())
    }
}

/// The ports of the servers that the front asks by itself: issuers', and a collector's;
/// and that of name servers, whose long answers come over TCP.
pub(super) fn outgoing(issuers: &[IssuerConfig], collector: Option<&CollectorAddress>) -> Vec<u16> {
    const NAMES: u16 = 53;
    let mut ports: Vec<u16> = issuers.iter().flat_map(IssuerConfig::ports).collect();
    ports.extend(collector.map(|collector| collector.port));
    if !issuers.is_empty() || collector.is_some_and(CollectorAddress::is_named) {
        ports.push(NAMES);
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}
