//! `keyreeve unseal`.

use std::path::PathBuf;

use clap::Args;
use keyreeve_client::{KeyName, SealedFile};

use super::Settings;
use crate::{failure::Failure, file_progress::FileProgress, output::print_line};

/// Opens what `keyreeve seal` made. The output appears only when all of the file is
/// there and authentic.
#[derive(Args)]
pub(crate) struct Unseal {
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The key it must be sealed under. Without it, the key that the file names: then
    /// whoever may use that key could have made the file
    #[arg(long, value_name = "VAULT/NAME", env = "KEYREEVE_SEAL_KEY")]
    key: Option<KeyName>,

    /// Write here instead of FILE without its .sealed
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,

    /// Replace the output if it exists
    #[arg(long)]
    force: bool,
}

impl Unseal {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let out = match self.out {
            Some(out) => out,
            None if self.file.extension().is_some_and(|e| e == "sealed") => {
                self.file.with_extension("")
            }
            None => {
                return Err(Failure::local(
                    format!("{} does not end in .sealed", self.file.display()),
                    "name the output with --out",
                ));
            }
        };
        let key = match self.key {
            Some(key) => key,
            None => SealedFile::key_of(&self.file)?.without_version(),
        };
        let mut sealed = SealedFile::new(&settings.client()?, &key.to_string());
        if self.force {
            sealed = sealed.replacing();
        }
        let progress = FileProgress::start(&self.file);
        let result = sealed.unseal(&self.file, &out, progress.report()).await;
        let length = progress.finish(result)?;
        print_line(&format!("unsealed {length} bytes to {} under {key}", out.display()))
    }
}
