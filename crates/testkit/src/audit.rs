//! An audit log for tests of what writes one: the real one, in a directory of its own,
//! signed for in the test's own process.

use std::{path::PathBuf, sync::Arc};

use anyhow::{Result, anyhow};
use keyreeve_audit::{
    CheckpointSigner, Ed25519Signer, Log, OpenError, Opening, Recorder, Settings, VerifierKey,
};
use keyreeve_types::Secret;
use tempfile::TempDir;

/// A log, and where it is. Dropped, the directory goes.
pub struct AuditLog {
    recorder: Arc<Recorder>,
    directory: TempDir,
    key: VerifierKey,
}

impl AuditLog {
    /// Begins one.
    ///
    /// # Errors
    ///
    /// If there is no room or no thread.
    pub fn start() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let signer = Ed25519Signer::from_seed("audit.test", &Secret::new([7; 32]));
        let signer: Arc<dyn CheckpointSigner> =
            Arc::new(signer.map_err(|bad| anyhow!("a constant: {bad}"))?);
        let key = signer.key().clone();
        let place = Place { directory: directory.path().to_owned(), signer };
        Ok(Self { recorder: Recorder::start(place)?, directory, key })
    }

    /// What writes to it.
    pub fn recorder(&self) -> Arc<Recorder> {
        Arc::clone(&self.recorder)
    }

    /// Closes it and gives every record, in order.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or is not what was signed.
    pub fn records(&self) -> Result<Vec<keyreeve_audit::Entry>> {
        self.recorder.close();
        let reader = keyreeve_audit::Reader::open(self.directory.path(), &self.key)?;
        let query = keyreeve_audit::Query::default();
        Ok(reader.records(0, &query).collect::<Result<_, _>>()?)
    }
}

impl Drop for AuditLog {
    fn drop(&mut self) {
        self.recorder.close();
    }
}

struct Place {
    directory: PathBuf,
    signer: Arc<dyn CheckpointSigner>,
}

impl Opening for Place {
    fn open(&mut self) -> Result<(Log, VerifierKey), OpenError> {
        let settings = Settings { segment_bytes: 1 << 20, ..Settings::default() };
        let log = Log::open(&self.directory, Arc::clone(&self.signer), settings)?;
        Ok((log, self.signer.key().clone()))
    }

    fn tend(&mut self, _: &Log) {}
}
