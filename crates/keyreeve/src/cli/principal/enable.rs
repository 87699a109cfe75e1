//! `keyreeve principal disable` and `enable`.

use clap::Args;
use keyreeve_client::v1;
use prost_types::FieldMask;

use super::PrincipalName;
use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct Enable {
    #[arg(value_name = "ID")]
    id: PrincipalName,
}

impl Enable {
    pub(crate) async fn run(self, settings: &Settings, disabled: bool) -> Result<(), Failure> {
        let principal = v1::Principal { name: self.id.0, disabled, ..v1::Principal::default() };
        let request = v1::UpdatePrincipalRequest {
            principal: Some(principal),
            update_mask: Some(FieldMask { paths: vec!["disabled".to_owned()] }),
        };
        let changed = settings.client()?.call(request).await?;
        settings.output.print(&changed, table::principal)
    }
}
