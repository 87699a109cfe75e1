//! `keyreeve key show`.

use clap::Args;
use keyreeve_client::{KeyName, v1};

use crate::{cli::Settings, failure::Failure, output::print_line, table};

#[derive(Args)]
pub(crate) struct Show {
    #[arg(value_name = "VAULT/NAME[/VERSION]")]
    name: KeyName,

    /// Print the public key as PEM and nothing else
    #[arg(long)]
    pem: bool,

    /// Print the public key as a JWK and nothing else
    #[arg(long, conflicts_with = "pem")]
    jwk: bool,
}

impl Show {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let key = settings.client()?.key(&self.name.to_string()).get().await?;
        if self.pem {
            print_line(public(&key)?.pem.trim_end())
        } else if self.jwk {
            print_line(&public(&key)?.jwk)
        } else {
            settings.output.print(&key, table::key)
        }
    }
}

fn public(key: &v1::Key) -> Result<&v1::PublicKey, Failure> {
    key.public_key.as_ref().ok_or_else(|| {
        Failure::local(
            format!("a key of type {} has no public half", key.key_type),
            "show it without --pem and --jwk",
        )
    })
}
