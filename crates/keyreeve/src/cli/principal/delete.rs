//! `keyreeve principal delete`.

use clap::Args;
use keyreeve_client::v1;

use super::PrincipalName;
use crate::{cli::Settings, failure::Failure};

#[derive(Args)]
pub(crate) struct Delete {
    #[arg(value_name = "ID")]
    id: PrincipalName,
}

impl Delete {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        settings.client()?.call(v1::DeletePrincipalRequest { name: self.id.0 }).await?;
        Ok(())
    }
}
