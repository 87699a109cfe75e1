//! `keyreeve assignment list`.

use clap::Args;
use keyreeve_client::v1;

use crate::{access_table, cli::Settings, failure::Failure, principal::KindAndName, scope::Scope};

#[derive(Args)]
pub(crate) struct List {
    /// Those that hold there and below: /, VAULT, VAULT/KEY, or in full
    #[arg(long, value_name = "SCOPE", default_value = "/")]
    scope: Scope,

    /// Those of this principal or group alone
    #[arg(long = "to", value_name = "KIND:NAME")]
    holder: Option<KindAndName>,

    /// The identity provider that vouches for it
    #[arg(long, value_name = "ISSUER", requires = "holder")]
    issuer: Option<String>,
}

impl List {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let request = v1::ListAssignmentsRequest {
            scope: self.scope.0,
            principal: self.holder.map(|holder| holder.into_principal(self.issuer)),
            ..v1::ListAssignmentsRequest::default()
        };
        let assignments = settings.client()?.assignments(request).await?;
        let list = v1::ListAssignmentsResponse { assignments, next_page_token: String::new() };
        settings.output.print(&list, access_table::assignments)
    }
}
