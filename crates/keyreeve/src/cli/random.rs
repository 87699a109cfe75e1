//! `keyreeve random`.

use clap::Args;
use keyreeve_client::{VaultName, v1};

use super::Settings;
use crate::{
    failure::Failure,
    json,
    output::{Format, Out, print_line},
};

/// Prints the bytes in hex, or writes them as they are to --out.
#[derive(Args)]
pub(crate) struct Random {
    #[arg(value_name = "VAULT")]
    vault: VaultName,

    /// Bytes, 1 to 4096
    #[arg(long, value_name = "BYTES", default_value = "32")]
    size: i32,

    #[command(flatten)]
    out: Out,
}

impl Random {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let request = v1::RandomBytesRequest { parent: self.vault.resource(), size: self.size };
        let answer = settings.client()?.call(request).await?;
        match settings.output {
            _ if !self.out.is_stdout() => self.out.write(&answer.data),
            Format::Json => print_line(&json::to_string(&answer)),
            Format::Table => print_line(&hex::encode(&answer.data)),
        }
    }
}
