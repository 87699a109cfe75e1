//! `keyreeve encrypt`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use super::Settings;
use crate::{
    additional_data::AdditionalData,
    failure::Failure,
    input::Input,
    json,
    output::Out,
    usual::{ENCRYPT, with_algorithm},
};

/// Prints one JSON object, which `keyreeve decrypt` reads.
#[derive(Args)]
pub(crate) struct Encrypt {
    #[arg(value_name = "VAULT/NAME[/VERSION]")]
    name: KeyName,

    /// As A256GCM, A256CBCPAD, RSA-OAEP-256; unless given the key's usual one, or the
    /// next best that its backend has
    #[arg(long, value_name = "ALG")]
    alg: Option<String>,

    #[command(flatten)]
    additional_data: AdditionalData,

    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    out: Out,
}

impl Encrypt {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let plaintext = self.input.read()?;
        let request = v1::EncryptRequest {
            name: self.name.resource(),
            algorithm: String::new(),
            plaintext: bytes::Bytes::copy_from_slice(&plaintext),
            additional_data: self.additional_data.read()?,
        };
        let answer = with_algorithm(self.alg, ENCRYPT, async |algorithm| {
            client.call(v1::EncryptRequest { algorithm, ..request.clone() }).await
        });
        let ciphertext = answer.await?.ciphertext.unwrap_or_default();
        self.out.write(format!("{}\n", json::to_string(&ciphertext)).as_bytes())
    }
}
