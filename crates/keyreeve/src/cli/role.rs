//! `keyreeve role`.

mod create;
mod delete;
mod list;
mod show;
mod update;

use clap::{Args, Subcommand};
use keyreeve_authz::{Role, RoleId};
use keyreeve_client::{Client, v1};

use super::Settings;
use crate::failure::Failure;

#[derive(Subcommand)]
pub(crate) enum Command {
    /// List the roles, built-in ones and others
    List(list::List),
    /// Show a role and what it grants
    Show(show::Show),
    /// Make a custom role
    Create(create::Create),
    /// Change a custom role, and every assignment of it
    Update(update::Update),
    /// Delete a custom role that nobody holds
    Delete(delete::Delete),
}

impl Command {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        match self {
            Self::List(command) => command.run(settings).await,
            Self::Show(command) => command.run(settings).await,
            Self::Create(command) => command.run(settings).await,
            Self::Update(command) => command.run(settings).await,
            Self::Delete(command) => command.run(settings).await,
        }
    }
}

/// What a role grants. Patterns of rights, in which `*` stands for anything.
#[derive(Args)]
struct Lists {
    /// Management that it grants, as Microsoft.KeyVault/vaults/read; may be repeated
    #[arg(long = "action", value_name = "PATTERN")]
    actions: Option<Vec<String>>,

    /// Management that it leaves out
    #[arg(long = "not-action", value_name = "PATTERN")]
    not_actions: Option<Vec<String>>,

    /// Use of data that it grants, as Microsoft.KeyVault/vaults/keys/sign/action
    #[arg(long = "data-action", value_name = "PATTERN")]
    data_actions: Option<Vec<String>>,

    /// Use of data that it leaves out
    #[arg(long = "not-data-action", value_name = "PATTERN")]
    not_data_actions: Option<Vec<String>>,
}

/// `roles/{GUID}` of that name or GUID. Nothing is asked for about a built-in role: who
/// assigns roles in one vault need not be allowed to list them.
pub(crate) async fn resource(client: &Client, text: &str) -> Result<String, Failure> {
    if let Some(role) = Role::find_built_in(text) {
        return Ok(format!("roles/{}", role.id()));
    }
    match text.parse::<RoleId>() {
        Ok(id) => Ok(format!("roles/{id}")),
        Err(_) => Ok(find(client, text).await?.name),
    }
}

/// The role of that name or GUID.
pub(crate) async fn find(client: &Client, text: &str) -> Result<v1::Role, Failure> {
    let roles = client.roles().await?;
    let is_it = |role: &v1::Role| {
        role.title.eq_ignore_ascii_case(text)
            || role.name.strip_prefix("roles/").is_some_and(|id| id.eq_ignore_ascii_case(text))
    };
    roles.into_iter().find(is_it).ok_or_else(|| {
        Failure::local(
            format!("there is no role {text:?}"),
            "`keyreeve role list` shows them: use a name or an id",
        )
    })
}
