//! `keyreeve role create`.

use clap::Args;
use keyreeve_client::v1;

use super::Lists;
use crate::{access_table, cli::Settings, failure::Failure};

#[derive(Args)]
pub(crate) struct Create {
    /// What to call it
    #[arg(value_name = "NAME")]
    role: String,

    #[command(flatten)]
    lists: Lists,
}

impl Create {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let Lists { actions, not_actions, data_actions, not_data_actions } = self.lists;
        let role = v1::Role {
            title: self.role,
            actions: actions.unwrap_or_default(),
            not_actions: not_actions.unwrap_or_default(),
            data_actions: data_actions.unwrap_or_default(),
            not_data_actions: not_data_actions.unwrap_or_default(),
            ..v1::Role::default()
        };
        let request = v1::CreateRoleRequest { role_id: String::new(), role: Some(role) };
        let made = settings.client()?.call(request).await?;
        settings.output.print(&made, access_table::role)
    }
}
