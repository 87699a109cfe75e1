//! `keyreeve mac`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use super::Settings;
use crate::{failure::Failure, input::Input, output::Out};

/// Prints the MAC in base64url, or writes it as it is to --out.
#[derive(Args)]
pub(crate) struct Mac {
    #[arg(value_name = "VAULT/NAME[/VERSION]")]
    name: KeyName,

    /// HS256, HS384 or HS512
    #[arg(long, value_name = "ALG")]
    alg: String,

    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    out: Out,
}

impl Mac {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let message = bytes::Bytes::copy_from_slice(&self.input.read()?);
        let request = v1::MacRequest { name: self.name.resource(), algorithm: self.alg, message };
        let answer = client.call(request).await?;
        self.out.write_or_show(settings.output, &answer, &answer.mac)
    }
}
