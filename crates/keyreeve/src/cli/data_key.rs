//! `keyreeve data-key`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use super::Settings;
use crate::{
    additional_data::AdditionalData,
    failure::Failure,
    json,
    output::{Out, print_line},
    usual::{WRAP, with_algorithm},
};

/// Prints the wrapped key as one JSON object, which `keyreeve unwrap` reads. The key
/// itself goes to --out, or into the JSON if none is given.
#[derive(Args)]
pub(crate) struct DataKey {
    #[arg(value_name = "VAULT/NAME[/VERSION]")]
    name: KeyName,

    /// Bytes, 1 to 1024
    #[arg(long, value_name = "BYTES", default_value = "32")]
    size: i32,

    /// How it is wrapped, as AES-KWP, A256GCM, RSA-OAEP-256; unless given the key's usual
    /// way, or the next best that its backend has
    #[arg(long, value_name = "ALG")]
    alg: Option<String>,

    /// Leave the key itself in the service
    #[arg(long, conflicts_with = "out")]
    wrapped_only: bool,

    #[command(flatten)]
    additional_data: AdditionalData,

    #[command(flatten)]
    out: Out,
}

impl DataKey {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let request = v1::GenerateDataKeyRequest {
            name: self.name.resource(),
            algorithm: String::new(),
            size: self.size,
            wrapped_only: self.wrapped_only,
            additional_data: self.additional_data.read()?,
        };
        let answer = with_algorithm(self.alg, WRAP, async |algorithm| {
            client.call(v1::GenerateDataKeyRequest { algorithm, ..request.clone() }).await
        });
        let answer = answer.await?;
        if self.out.is_stdout() && !self.wrapped_only {
            return print_line(&json::to_string(&answer));
        }
        if !self.wrapped_only {
            self.out.write(&answer.key)?;
        }
        print_line(&json::to_string(&answer.wrapped_key.unwrap_or_default()))
    }
}
