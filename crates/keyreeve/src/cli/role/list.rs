//! `keyreeve role list`.

use clap::Args;
use keyreeve_client::v1;

use crate::{access_table, cli::Settings, failure::Failure};

#[derive(Args)]
pub(crate) struct List {}

impl List {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let roles = settings.client()?.roles().await?;
        let list = v1::ListRolesResponse { roles, next_page_token: String::new() };
        settings.output.print(&list, access_table::roles)
    }
}
