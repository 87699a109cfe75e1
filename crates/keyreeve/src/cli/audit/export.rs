//! `keyreeve audit export`.

use clap::Args;
use keyreeve_audit::to_ocsf;
use keyreeve_client::v1::GetAuditCheckpointRequest;

use super::query::Query;
use crate::{cli::Settings, failure::Failure, output::print_line};

#[derive(Args)]
pub(crate) struct Export {
    #[command(flatten)]
    query: Query,
}

impl Export {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        // By its name and index a line leads back to the record it is of.
        let log = match self.query.offline.reader()? {
            Some(reader) => reader.key().name().to_owned(),
            None => {
                let head = settings.client()?.call(GetAuditCheckpointRequest {}).await?;
                head.note.lines().next().unwrap_or_default().to_owned()
            }
        };
        self.query.each(settings, &mut |line| print_line(&to_ocsf(&line.0, &log))).await
    }
}
