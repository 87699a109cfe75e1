//! A log's directory, read without the service.

use std::{
    fs,
    path::{Path, PathBuf},
};

use clap::Args;
use keyreeve_audit::{ReadError, Reader, VerifierKey};

use crate::failure::Failure;

/// Where a log is, if it is not to be read from the service.
#[derive(Args)]
pub(crate) struct Offline {
    /// Read this log's directory, as DATA_DIR/audit or a copy of it, instead of asking
    /// the service
    #[arg(long, value_name = "DIR", requires = "key")]
    dir: Option<PathBuf>,

    /// The file with the log's public key. Take it from where you trust it, not from
    /// beside the log
    #[arg(long, value_name = "FILE", requires = "dir")]
    key: Option<PathBuf>,
}

impl Offline {
    /// A reader of the directory, if one is named.
    pub(crate) fn reader(&self) -> Result<Option<Reader>, Failure> {
        let (Some(dir), Some(key)) = (&self.dir, &self.key) else { return Ok(None) };
        Reader::open(dir, &read_key(key)?).map(Some).map_err(|error| unreadable(&error))
    }
}

/// The public key in the file at `path`.
pub(crate) fn read_key(path: &Path) -> Result<VerifierKey, Failure> {
    let text = read_text(path)?;
    text.trim().parse().map_err(|_| {
        Failure::local(
            format!("{} holds no public key of a log", path.display()),
            "it is one line, NAME+ID+KEY: `keyreeve status` shows it, and DATA_DIR/audit.vkey \
             has it",
        )
    })
}

pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| {
        Failure::local(
            format!("{} cannot be read: {error}", path.display()),
            "name a file that is there and readable",
        )
    })
}

pub(crate) fn unreadable(error: &ReadError) -> Failure {
    let next = match error {
        ReadError::Checkpoint => "check that --key is the key of this log",
        ReadError::NotThere(_) => "`keyreeve audit query` shows which records are there",
        ReadError::Missing(_) => "name the directory with the file `checkpoint` in it",
        _ => "run `keyreeve audit verify` on a copy of the directory",
    };
    Failure::local(error.to_string(), next)
}
