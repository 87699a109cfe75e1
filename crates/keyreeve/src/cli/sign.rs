//! `keyreeve sign`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use super::Settings;
use crate::{
    failure::Failure,
    input::{Message, Signable},
    output::Out,
};

/// Prints the signature in base64url, or writes it as it is to --out. A message
/// longer than 64 KiB is hashed here.
#[derive(Args)]
pub(crate) struct Sign {
    #[arg(value_name = "VAULT/NAME[/VERSION]")]
    name: KeyName,

    /// RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, ES256K, EdDSA
    /// or ML-DSA-65
    #[arg(long, value_name = "ALG")]
    alg: String,

    #[command(flatten)]
    message: Message,

    #[command(flatten)]
    out: Out,
}

impl Sign {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let input = match self.message.read(&self.alg)? {
            Signable::Message(message) => v1::sign_request::Input::Message(message),
            Signable::Digest(digest) => v1::sign_request::Input::Digest(digest),
        };
        let request =
            v1::SignRequest { name: self.name.resource(), algorithm: self.alg, input: Some(input) };
        let answer = client.call(request).await?;
        self.out.write_or_show(settings.output, &answer, &answer.signature)
    }
}
