//! `keyreeve jwt sign`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use crate::{cli::Settings, failure::Failure, input::Input};

/// Prints the compact form.
#[derive(Args)]
pub(crate) struct Sign {
    #[arg(value_name = "VAULT/NAME[/VERSION]")]
    name: KeyName,

    /// A signature algorithm, or HS256, HS384, HS512 with an HMAC key
    #[arg(long, value_name = "ALG")]
    alg: String,

    /// The claims, a JSON object; from --file or stdin if not given
    #[arg(long, value_name = "JSON", conflicts_with = "file")]
    claims: Option<String>,

    /// More header parameters, a JSON object without `alg` and `kid`
    #[arg(long, value_name = "JSON")]
    header: Option<String>,

    #[command(flatten)]
    input: Input,
}

impl Sign {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let claims = match self.claims {
            Some(claims) => claims,
            None => self.input.read_text()?.trim().to_owned(),
        };
        let request = v1::SignJwtRequest {
            name: self.name.resource(),
            algorithm: self.alg,
            claims,
            header: self.header.unwrap_or_default(),
        };
        let answer = client.call(request).await?;
        settings.output.print(&answer, |answer| answer.jwt.clone())
    }
}
