//! `keyreeve principal secret|certificate|federated remove`.

use clap::Args;
use keyreeve_client::v1;

use super::PrincipalName;
use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct Remove {
    #[arg(value_name = "ID")]
    id: PrincipalName,

    /// The credential's id, as `keyreeve principal show` shows it
    #[arg(value_name = "CREDENTIAL")]
    credential: String,
}

impl Remove {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let request =
            v1::RemoveCredentialRequest { parent: self.id.0, credential_id: self.credential };
        let left = settings.client()?.call(request).await?;
        settings.output.print(&left, table::principal)
    }
}
