//! `keyreeve role delete`.

use clap::Args;
use keyreeve_client::v1;

use crate::{cli::Settings, failure::Failure};

#[derive(Args)]
pub(crate) struct Delete {
    /// Its name or id
    #[arg(value_name = "ROLE")]
    role: String,
}

impl Delete {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let v1::Role { name, etag, .. } = super::find(&client, &self.role).await?;
        Ok(client.call(v1::DeleteRoleRequest { name, etag }).await?)
    }
}
