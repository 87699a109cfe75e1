//! `keyreeve key import`.

use clap::Args;
use keyreeve_client::KeyName;

use super::attributes::Attributes;
use crate::{cli::Settings, failure::Failure, input::Input, table};

/// Takes a JWK (JSON), a PKCS#8 key (PEM or DER), or a SEC1 or PKCS#1 key (PEM).
#[derive(Args)]
pub(crate) struct Import {
    #[arg(value_name = "VAULT/NAME")]
    name: KeyName,

    #[command(flatten)]
    input: Input,

    #[command(flatten)]
    attributes: Attributes,
}

impl Import {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let private_key = self.input.read()?;
        let key = settings.client()?.key(&self.name.to_string());
        let key = key.import(self.attributes.into_key(), &private_key).await?;
        settings.output.print(&key, table::key)
    }
}
