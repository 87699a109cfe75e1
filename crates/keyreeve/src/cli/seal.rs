//! `keyreeve seal`.

use std::path::PathBuf;

use clap::Args;
use keyreeve_client::{KeyName, SealedFile};

use super::Settings;
use crate::{failure::Failure, file_progress::FileProgress, output::print_line};

/// Seals the file to FILE.sealed under a fresh data key, which the named key wraps.
/// The data stays on this machine. The file itself is left as it is.
#[derive(Args)]
pub(crate) struct Seal {
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The key that wraps the data key
    #[arg(long, value_name = "VAULT/NAME", env = "KEYREEVE_SEAL_KEY")]
    key: KeyName,

    /// Write here instead of FILE.sealed
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace the output if it exists
    #[arg(long)]
    force: bool,
}

impl Seal {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let out = self.out.unwrap_or_else(|| {
            let mut name = self.file.clone().into_os_string();
            name.push(".sealed");
            name.into()
        });
        let mut sealed = SealedFile::new(&settings.client()?, &self.key.to_string());
        if self.force {
            sealed = sealed.replacing();
        }
        let progress = FileProgress::start(&self.file);
        let result = sealed.seal(&self.file, &out, progress.report()).await;
        let length = progress.finish(result)?;
        print_line(&format!("sealed {length} bytes to {} under {}", out.display(), self.key))
    }
}
