//! `keyreeve token create`.

use clap::Args;
use keyreeve_client::v1::{self, token::Owner};

use crate::{
    cli::{Settings, principal::PrincipalName},
    failure::Failure,
    moment::Moment,
    table,
};

#[derive(Args)]
pub(crate) struct Create {
    /// Whom it proves: a name, to which roles can be assigned
    #[arg(value_name = "BEARER", required_unless_present = "principal")]
    bearer: Option<String>,

    /// Whom it proves: a principal of `keyreeve principal list`
    #[arg(long, value_name = "ID", conflicts_with = "bearer")]
    principal: Option<PrincipalName>,

    /// When it ends
    #[arg(long, value_name = "WHEN", default_value = "90d")]
    expires: Moment,
}

impl Create {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let owner = match (self.principal, self.bearer) {
            (Some(principal), _) => Some(Owner::Principal(principal.0)),
            (None, bearer) => bearer.map(Owner::Bearer),
        };
        let token = v1::Token { owner, expire_time: Some(self.expires.0), ..v1::Token::default() };
        let request = v1::CreateTokenRequest { token: Some(token) };
        let made = settings.client()?.call(request).await?;
        settings.output.print(&made, table::new_token)
    }
}
