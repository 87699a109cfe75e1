//! `keyreeve re-encrypt`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use super::Settings;
use crate::{additional_data::AdditionalData, failure::Failure, input::Input, json, output::Out};

/// Reads the JSON that `keyreeve encrypt` printed and prints its like under another
/// key. The plaintext stays in the service.
#[derive(Args)]
pub(crate) struct ReEncrypt {
    /// The key to encrypt under
    #[arg(long, value_name = "VAULT/NAME[/VERSION]")]
    to: KeyName,

    /// The algorithm to encrypt with; the key's usual one unless given
    #[arg(long, value_name = "ALG")]
    to_alg: Option<String>,

    /// New associated data, as text
    #[arg(long, value_name = "TEXT")]
    to_aad: Option<String>,

    #[command(flatten)]
    additional_data: AdditionalData,

    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    out: Out,
}

impl ReEncrypt {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let ciphertext = json::parse_ciphertext(&self.input.read_text()?)?;
        let request = v1::ReEncryptRequest {
            ciphertext: Some(ciphertext),
            additional_data: self.additional_data.read()?,
            destination_name: self.to.resource(),
            destination_algorithm: self.to_alg.unwrap_or_default(),
            destination_additional_data: self.to_aad.unwrap_or_default().into(),
        };
        let ciphertext = client.call(request).await?.ciphertext.unwrap_or_default();
        self.out.write(format!("{}\n", json::to_string(&ciphertext)).as_bytes())
    }
}
