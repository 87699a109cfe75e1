//! `keyreeve role update`.

use clap::Args;
use keyreeve_client::v1;
use prost_types::FieldMask;

use super::Lists;
use crate::{access_table, cli::Settings, failure::Failure};

/// A list that is given takes the place of the one there was.
#[derive(Args)]
pub(crate) struct Update {
    /// Its name or id
    #[arg(value_name = "ROLE")]
    role: String,

    /// What to call it from now on
    #[arg(long, value_name = "NAME")]
    title: Option<String>,

    #[command(flatten)]
    lists: Lists,
}

impl Update {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let mut role = super::find(&client, &self.role).await?;
        let mut paths = Vec::new();
        let mut named = |path: &str| paths.push(path.to_owned());
        if let Some(title) = self.title {
            role.title = title;
            named("title");
        }
        let Lists { actions, not_actions, data_actions, not_data_actions } = self.lists;
        for (path, given, field) in [
            ("actions", actions, &mut role.actions),
            ("not_actions", not_actions, &mut role.not_actions),
            ("data_actions", data_actions, &mut role.data_actions),
            ("not_data_actions", not_data_actions, &mut role.not_data_actions),
        ] {
            if let Some(list) = given {
                *field = list;
                named(path);
            }
        }
        let update_mask = Some(FieldMask { paths });
        let request = v1::UpdateRoleRequest { role: Some(role), update_mask };
        let changed = client.call(request).await?;
        settings.output.print(&changed, access_table::role)
    }
}
