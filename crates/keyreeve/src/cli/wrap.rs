//! `keyreeve wrap`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use super::Settings;
use crate::{failure::Failure, input::Input, json, output::Out};

/// Reads the bytes of a key and prints one JSON object, which `keyreeve unwrap`
/// reads.
#[derive(Args)]
pub(crate) struct Wrap {
    #[arg(value_name = "VAULT/NAME[/VERSION]")]
    name: KeyName,

    /// As AES-KWP, A256KW, RSA-OAEP-256; the key's usual one unless given
    #[arg(long, value_name = "ALG")]
    alg: Option<String>,

    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    out: Out,
}

impl Wrap {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let key = self.input.read()?;
        let request = v1::WrapKeyRequest {
            name: self.name.resource(),
            algorithm: self.alg.unwrap_or_default(),
            key: bytes::Bytes::copy_from_slice(&key),
        };
        let wrapped = client.call(request).await?.wrapped_key.unwrap_or_default();
        self.out.write(format!("{}\n", json::to_string(&wrapped)).as_bytes())
    }
}
