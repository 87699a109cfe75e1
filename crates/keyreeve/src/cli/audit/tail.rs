//! `keyreeve audit tail`.

use clap::Args;

use super::{
    query::Wanted,
    show::{Line, Show},
};
use crate::{cli::Settings, failure::Failure};

#[derive(Args)]
pub(crate) struct Tail {
    #[command(flatten)]
    filter: Wanted,

    /// How many records
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 20,
          value_parser = clap::value_parser!(i32).range(1..=10_000))]
    lines: i32,

    /// Go on with what is recorded from now on, until Ctrl-C
    #[arg(short, long)]
    follow: bool,
}

impl Tail {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let mut request = self.filter.to_request()?;
        request.last = self.lines;
        request.follow = self.follow;
        let mut records = settings.client()?.audit_records(request).await?;
        let mut show = Show::new(settings.output);
        while let Some(record) = records.next().await? {
            show.print(&Line::read(record)?)?;
        }
        Ok(())
    }
}
