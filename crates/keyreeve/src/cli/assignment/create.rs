//! `keyreeve assignment create`.

use clap::Args;
use keyreeve_client::v1;

use crate::{
    access_table, cli::Settings, cli::role, failure::Failure, moment::Moment, principal::Holder,
    scope::Scope,
};

#[derive(Args)]
pub(crate) struct Create {
    /// The role's name or id
    #[arg(long, value_name = "ROLE")]
    role: String,

    #[command(flatten)]
    holder: Holder,

    /// Where it holds: /, VAULT, VAULT/KEY, or in full, as /vaults/prod/secrets/db
    #[arg(long, value_name = "SCOPE")]
    scope: Scope,

    /// When it ends, as 2027-01-31 or 90d; without it, never
    #[arg(long, value_name = "TIME")]
    expires: Option<Moment>,
}

impl Create {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let role = role::resource(&client, &self.role).await?;
        let assignment = v1::Assignment {
            role,
            principal: Some(self.holder.into_principal()),
            scope: self.scope.0,
            expire_time: self.expires.map(|Moment(time)| time),
            ..v1::Assignment::default()
        };
        let request = v1::CreateAssignmentRequest {
            assignment_id: String::new(),
            assignment: Some(assignment),
        };
        let made = client.call(request).await?;
        settings.output.print(&made, access_table::assignment)
    }
}
