//! Associated data of GCM on the command line.

use std::{fs, path::PathBuf};

use bytes::Bytes;
use clap::Args;

use crate::failure::Failure;

/// Authenticated and not encrypted; GCM only.
#[derive(Args)]
pub(crate) struct AdditionalData {
    /// Associated data as text: needed again to open; GCM only
    #[arg(long, value_name = "TEXT")]
    aad: Option<String>,

    /// The same from a file
    #[arg(long, value_name = "FILE", conflicts_with = "aad")]
    aad_file: Option<PathBuf>,
}

impl AdditionalData {
    pub(crate) fn read(self) -> Result<Bytes, Failure> {
        match (self.aad, self.aad_file) {
            (Some(text), _) => Ok(text.into()),
            (None, Some(path)) => fs::read(&path).map(Bytes::from).map_err(|error| {
                Failure::local(
                    format!("{} cannot be read: {error}", path.display()),
                    "check the path",
                )
            }),
            (None, None) => Ok(Bytes::new()),
        }
    }
}
