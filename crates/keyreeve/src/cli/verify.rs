//! `keyreeve verify`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use super::Settings;
use crate::{
    failure::Failure,
    input::{Message, Signable},
    mark::Mark,
    table::short,
};

/// Says whether the signature is valid, and exits with 0 if it is and 1 if not.
#[derive(Args)]
pub(crate) struct Verify {
    #[arg(value_name = "VAULT/NAME[/VERSION]")]
    name: KeyName,

    /// The algorithm it was signed with
    #[arg(long, value_name = "ALG")]
    alg: String,

    #[command(flatten)]
    signature: SignatureArgs,

    #[command(flatten)]
    message: Message,
}

#[derive(Args)]
#[group(required = true, multiple = false)]
struct SignatureArgs {
    /// The signature, base64url or base64
    #[arg(long, value_name = "TEXT")]
    signature: Option<String>,

    /// A file that holds it: as bytes, or as `keyreeve sign` printed it
    #[arg(long, value_name = "FILE")]
    signature_file: Option<std::path::PathBuf>,
}

impl Verify {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let signature = Mark { json_field: "signature", what: "signature" }
            .read(self.signature.signature.as_deref(), self.signature.signature_file.as_deref())?;
        let input = match self.message.read(&self.alg)? {
            Signable::Message(message) => v1::verify_request::Input::Message(message),
            Signable::Digest(digest) => v1::verify_request::Input::Digest(digest),
        };
        let request = v1::VerifyRequest {
            name: self.name.resource(),
            algorithm: self.alg,
            input: Some(input),
            signature,
        };
        let answer = client.call(request).await?;
        settings.output.print(&answer, |answer| {
            let version = short(&answer.version_name);
            if answer.valid {
                format!("valid: signed by {version}")
            } else {
                format!("not valid: {version} did not sign this")
            }
        })?;
        if answer.valid { Ok(()) } else { Err(Failure::No) }
    }
}
