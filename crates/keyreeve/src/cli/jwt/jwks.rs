//! `keyreeve jwt jwks`.

use std::str::FromStr;

use clap::Args;
use keyreeve_client::{BadName, KeyName, VaultName, v1};

use crate::{cli::Settings, failure::Failure, output::print_line};

#[derive(Args)]
pub(crate) struct Jwks {
    #[arg(value_name = "VAULT[/NAME]")]
    parent: Parent,
}

/// A vault, or one key in it.
#[derive(Clone)]
struct Parent(String);

impl FromStr for Parent {
    type Err = BadName;

    fn from_str(text: &str) -> Result<Self, BadName> {
        let vault = text.parse::<VaultName>().map(|vault| vault.resource());
        vault.or_else(|_| Ok(text.parse::<KeyName>()?.without_version().resource())).map(Self)
    }
}

impl Jwks {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let request = v1::GetJwksRequest { parent: self.parent.0 };
        print_line(&settings.client()?.call(request).await?.jwks)
    }
}
