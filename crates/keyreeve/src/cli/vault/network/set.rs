//! `keyreeve vault network set`.

use clap::{Args, ValueEnum};
use keyreeve_client::{VaultName, v1, v1::network_rules::DefaultAction};

use crate::{access_table, cli::Settings, failure::Failure};

#[derive(Args)]
pub(crate) struct Set {
    #[arg(value_name = "VAULT")]
    name: VaultName,

    /// What becomes of a peer that no rule names
    #[arg(long, value_enum, value_name = "ACTION")]
    default: ActionName,

    /// A network or an address that is admitted, as 203.0.113.0/24; may be repeated
    #[arg(long = "range", value_name = "RANGE")]
    ranges: Vec<String>,

    /// A listener by which everybody is admitted; may be repeated
    #[arg(long = "listener", value_name = "NAME")]
    listeners: Vec<String>,
}

#[derive(Clone, Copy, ValueEnum)]
enum ActionName {
    /// It is admitted
    Allow,
    /// It is turned away
    Deny,
}

impl Set {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let default = match self.default {
            ActionName::Allow => DefaultAction::Allow,
            ActionName::Deny => DefaultAction::Deny,
        };
        let rules = v1::NetworkRules {
            default_action: default.into(),
            ip_ranges: self.ranges,
            listeners: self.listeners,
        };
        let request = v1::UpdateNetworkRulesRequest {
            name: format!("{}/access", self.name.resource()),
            network_rules: Some(rules),
            etag: String::new(),
        };
        let changed = settings.client()?.call(request).await?;
        settings.output.print(&changed, access_table::network)
    }
}
