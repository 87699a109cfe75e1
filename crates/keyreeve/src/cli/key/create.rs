//! `keyreeve key create`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use super::attributes::Attributes;
use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct Create {
    #[arg(value_name = "VAULT/NAME")]
    name: KeyName,

    /// RSA, EC, OKP, oct or AKP
    #[arg(long, value_name = "TYPE")]
    kty: String,

    /// EC: P-256, P-384, P-521, secp256k1; OKP: Ed25519; AKP: ML-DSA-65
    #[arg(long, value_name = "CURVE")]
    crv: Option<String>,

    /// Bits. RSA: 2048, 3072, 4096; oct: 128, 192, 256, for HMAC also 384, 512
    #[arg(long, value_name = "BITS")]
    size: Option<i32>,

    #[command(flatten)]
    attributes: Attributes,
}

impl Create {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let key = v1::Key {
            key_type: self.kty,
            curve: self.crv.unwrap_or_default(),
            size: self.size.unwrap_or_default(),
            ..self.attributes.into_key()
        };
        let key = settings.client()?.key(&self.name.to_string()).create(key).await?;
        settings.output.print(&key, table::key)
    }
}
