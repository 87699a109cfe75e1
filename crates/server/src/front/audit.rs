//! The audit log of this front: where it is, who signs for it, what it keeps.
//!
//! The front writes the log in `data_dir/audit` and cannot sign for it: checkpoints
//! go to the software keyhost, over a link of its own, so that neither a busy thread
//! nor the end of one stands in their way. The public key is written beside the log
//! (`data_dir/audit.vkey`), where auditors take it from once and then keep it.

mod key_file;
mod retention;
mod signer;

use std::{path::PathBuf, sync::Arc};

use keyreeve_audit::{Log, OpenError, Opening, Settings, SigningError, VerifierKey};
use keyreeve_keyhost::Client;

use crate::config::AuditConfig;
use retention::Retention;
use signer::KeyhostSigner;

/// The log's directory in the data directory.
pub(crate) const DIRECTORY: &str = "audit";

/// Opens the log of a data directory, as often as it takes.
pub(crate) struct FrontLog {
    data_dir: PathBuf,
    settings: Settings,
    client: Client,
    retention: Retention,
}

impl FrontLog {
    /// The log in `data_dir`, signed for by the keyhost behind `client`.
    pub(crate) fn new(data_dir: PathBuf, client: Client, config: &AuditConfig) -> Self {
        let settings = Settings { segment_bytes: config.journal_mib << 20, ..Settings::default() };
        let retention = Retention::of_days(config.retention_days);
        Self { data_dir, settings, client, retention }
    }
}

impl Opening for FrontLog {
    fn open(&mut self) -> Result<(Log, VerifierKey), OpenError> {
        let io = |error| OpenError::Io { path: key_file::path(&self.data_dir), error };
        let log = key_file::log_id(&self.data_dir).map_err(io)?;
        let signer = KeyhostSigner::ask(self.client.clone(), log)
            .map_err(|_| OpenError::Signing(SigningError::Unavailable))?;
        let key = signer.verifier().clone();
        key_file::keep(&self.data_dir, &key).map_err(io)?;
        let directory = self.data_dir.join(DIRECTORY);
        let log = Log::open(&directory, Arc::new(signer), self.settings)?;
        self.retention.begin(directory, key.clone());
        Ok((log, key))
    }

    fn tend(&mut self, log: &Log) {
        self.retention.tend(log);
    }
}
