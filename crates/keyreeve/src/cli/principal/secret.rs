//! `keyreeve principal secret`.

use clap::{Args, Subcommand};
use keyreeve_client::v1;

use super::{PrincipalName, remove::Remove};
use crate::{cli::Settings, failure::Failure, moment::Moment, table};

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make a client secret, which is shown this once
    Add(Add),
    /// Remove a client secret
    Remove(Remove),
}

#[derive(Args)]
pub(crate) struct Add {
    #[arg(value_name = "ID")]
    id: PrincipalName,

    /// When it ends
    #[arg(long, value_name = "WHEN", default_value = "180d")]
    expires: Moment,
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::Add(command) => command.run(settings).await,
            Self::Remove(command) => command.run(settings).await,
        }
    }
}

impl Add {
    async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let request =
            v1::AddClientSecretRequest { parent: self.id.0, expire_time: Some(self.expires.0) };
        let made = settings.client()?.call(request).await?;
        settings.output.print(&made, table::new_client_secret)
    }
}
