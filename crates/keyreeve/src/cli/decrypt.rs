//! `keyreeve decrypt`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use super::Settings;
use crate::{additional_data::AdditionalData, failure::Failure, input::Input, json, output::Out};

/// Reads the JSON that `keyreeve encrypt` printed and writes the plaintext.
#[derive(Args)]
pub(crate) struct Decrypt {
    /// The key it must be under; the one it names unless given
    #[arg(value_name = "VAULT/NAME")]
    name: Option<KeyName>,

    #[command(flatten)]
    additional_data: AdditionalData,

    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    out: Out,
}

impl Decrypt {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let ciphertext = json::parse_ciphertext(&self.input.read_text()?)?;
        let request = v1::DecryptRequest {
            name: self.name.map(|name| name.resource()).unwrap_or_default(),
            ciphertext: Some(ciphertext),
            additional_data: self.additional_data.read()?,
        };
        let answer = client.call(request).await?;
        self.out.write(&answer.plaintext)
    }
}
