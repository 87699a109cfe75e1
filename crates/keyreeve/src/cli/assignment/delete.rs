//! `keyreeve assignment delete`.

use clap::Args;
use keyreeve_client::v1;

use crate::{cli::Settings, failure::Failure};

#[derive(Args)]
pub(crate) struct Delete {
    /// Its id, as `keyreeve assignment list` shows it
    #[arg(value_name = "ID")]
    assignment: String,
}

impl Delete {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let id = self.assignment.strip_prefix("assignments/").unwrap_or(&self.assignment);
        let request = v1::DeleteAssignmentRequest { name: format!("assignments/{id}") };
        Ok(settings.client()?.call(request).await?)
    }
}
