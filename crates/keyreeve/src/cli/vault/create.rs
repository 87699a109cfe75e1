//! `keyreeve vault create`.

use clap::{Args, ValueEnum};
use keyreeve_client::{VaultName, v1::vault::Tier};

use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct Create {
    /// The new vault's name
    #[arg(value_name = "VAULT")]
    name: VaultName,

    /// Where its keys are held
    #[arg(long, value_enum, default_value = "standard")]
    tier: TierName,
}

#[derive(Clone, Copy, ValueEnum)]
enum TierName {
    /// In the software keystore
    Standard,
    /// In an HSM
    Premium,
}

impl Create {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let tier = match self.tier {
            TierName::Standard => Tier::Standard,
            TierName::Premium => Tier::Premium,
        };
        let vault = settings.client()?.vault(self.name.id()).create(tier).await?;
        settings.output.print(&vault, table::vault)
    }
}
