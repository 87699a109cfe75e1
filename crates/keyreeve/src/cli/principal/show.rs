//! `keyreeve principal show`.

use clap::Args;
use keyreeve_client::v1;

use super::PrincipalName;
use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct Show {
    #[arg(value_name = "ID")]
    id: PrincipalName,
}

impl Show {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let request = v1::GetPrincipalRequest { name: self.id.0 };
        let principal = settings.client()?.call(request).await?;
        settings.output.print(&principal, table::principal)
    }
}
