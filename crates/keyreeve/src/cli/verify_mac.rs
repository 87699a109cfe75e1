//! `keyreeve verify-mac`.

use std::path::PathBuf;

use clap::Args;
use keyreeve_client::{KeyName, v1};

use super::Settings;
use crate::{failure::Failure, input::Input, mark::Mark, table::short};

/// Says whether the MAC is valid, and exits with 0 if it is and 1 if not.
#[derive(Args)]
pub(crate) struct VerifyMac {
    #[arg(value_name = "VAULT/NAME[/VERSION]")]
    name: KeyName,

    /// HS256, HS384 or HS512
    #[arg(long, value_name = "ALG")]
    alg: String,

    #[command(flatten)]
    mac: MacArgs,

    #[command(flatten)]
    input: Input,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct MacArgs {
    /// The MAC, base64url or base64
    #[arg(long, value_name = "TEXT")]
    mac: Option<String>,

    /// A file that holds it: as bytes, or as `keyreeve mac` printed it
    #[arg(long, value_name = "FILE")]
    mac_file: Option<PathBuf>,
}

impl VerifyMac {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let mac = Mark { json_field: "mac", what: "MAC" }
            .read(self.mac.mac.as_deref(), self.mac.mac_file.as_deref())?;
        let message = bytes::Bytes::copy_from_slice(&self.input.read()?);
        let request =
            v1::VerifyMacRequest { name: self.name.resource(), algorithm: self.alg, message, mac };
        let answer = client.call(request).await?;
        settings.output.print(&answer, |answer| {
            let version = short(&answer.version_name);
            if answer.valid {
                format!("valid: made by {version}")
            } else {
                format!("not valid: {version} did not make this")
            }
        })?;
        if answer.valid { Ok(()) } else { Err(Failure::No) }
    }
}
