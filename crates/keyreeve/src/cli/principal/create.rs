//! `keyreeve principal create`.

use clap::{Args, ValueEnum};
use keyreeve_client::v1::{self, principal::Kind};

use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct Create {
    /// What people will call it
    #[arg(value_name = "DISPLAY-NAME")]
    display_name: String,

    /// What it is
    #[arg(long, value_enum, default_value = "service-principal")]
    kind: KindName,
}

#[derive(Clone, Copy, ValueEnum)]
enum KindName {
    /// A program with credentials of its own
    ServicePrincipal,
    /// A program whose credentials the platform keeps
    ManagedIdentity,
}

impl Create {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let kind = match self.kind {
            KindName::ServicePrincipal => Kind::ServicePrincipal,
            KindName::ManagedIdentity => Kind::ManagedIdentity,
        };
        let principal = v1::Principal {
            display_name: self.display_name,
            kind: kind.into(),
            ..v1::Principal::default()
        };
        let request = v1::CreatePrincipalRequest { principal: Some(principal) };
        let made = settings.client()?.call(request).await?;
        settings.output.print(&made, table::principal)
    }
}
