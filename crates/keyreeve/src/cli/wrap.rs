//! `keyreeve wrap`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use super::Settings;
use crate::{
    failure::Failure,
    input::Input,
    json,
    output::Out,
    usual::{WRAP, with_algorithm},
};

/// Reads the bytes of a key and prints one JSON object, which `keyreeve unwrap`
/// reads.
#[derive(Args)]
pub(crate) struct Wrap {
    #[arg(value_name = "VAULT/NAME[/VERSION]")]
    name: KeyName,

    /// As AES-KWP, A256KW, RSA-OAEP-256; unless given the key's usual one, or the next
    /// best that its backend has
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
            algorithm: String::new(),
            key: bytes::Bytes::copy_from_slice(&key),
        };
        let answer = with_algorithm(self.alg, WRAP, async |algorithm| {
            client.call(v1::WrapKeyRequest { algorithm, ..request.clone() }).await
        });
        let wrapped = answer.await?.wrapped_key.unwrap_or_default();
        self.out.write(format!("{}\n", json::to_string(&wrapped)).as_bytes())
    }
}
