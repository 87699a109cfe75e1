//! `keyreeve audit query`.

use clap::{Args, ValueEnum};
use keyreeve_audit::{Outcome, Query as Filter, Word};
use keyreeve_client::v1::{QueryAuditRecordsRequest, query_audit_records_request as wire};
use keyreeve_types::Name;

use super::{
    offline::{Offline, unreadable},
    show::{Line, Show},
};
use crate::{cli::Settings, failure::Failure, moment::Moment};

#[derive(Args)]
pub(crate) struct Query {
    #[command(flatten)]
    pub(super) filter: Wanted,

    #[command(flatten)]
    pub(super) offline: Offline,
}

/// Which records.
#[derive(Args)]
pub(crate) struct Wanted {
    /// Of this principal, as the log has it: token:billing
    #[arg(long, value_name = "NAME")]
    principal: Option<String>,

    /// Of this operation, as Sign
    #[arg(long, value_name = "NAME")]
    operation: Option<String>,

    /// About this vault and all in it (VAULT), or one object (VAULT/NAME)
    #[arg(long, value_name = "VAULT[/NAME]")]
    object: Option<String>,

    /// From this time on: 2027-01-31, 2027-01-31T12:00:00Z
    #[arg(long, value_name = "TIME")]
    since: Option<Moment>,

    /// Before this time
    #[arg(long, value_name = "TIME")]
    until: Option<Moment>,

    /// That ended so
    #[arg(long, value_enum, value_name = "HOW")]
    outcome: Option<How>,

    /// From the record with this index on
    #[arg(long, value_name = "INDEX", default_value_t = 0)]
    from: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum How {
    /// Announced before it was done
    Intent,
    /// Done
    Ok,
    /// Refused for want of a role
    Denied,
    /// Failed for another reason
    Failed,
}

impl Query {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let mut show = Show::new(settings.output);
        self.each(settings, &mut |line| show.print(&line)).await
    }

    /// Gives every record that matches to `take`.
    pub(super) async fn each(
        &self,
        settings: &Settings,
        take: &mut dyn FnMut(Line) -> Result<(), Failure>,
    ) -> Result<(), Failure> {
        if let Some(reader) = self.offline.reader()? {
            let filter = self.filter.to_filter()?;
            let first = reader.start().map_err(|error| unreadable(&error))?;
            for entry in reader.records(self.filter.from.max(first), &filter) {
                take(Line::of(entry.map_err(|error| unreadable(&error))?))?;
            }
            return Ok(());
        }
        let mut records = settings.client()?.audit_records(self.filter.to_request()?).await?;
        while let Some(record) = records.next().await? {
            take(Line::read(record)?)?;
        }
        Ok(())
    }
}

impl Wanted {
    /// As the service takes it.
    pub(super) fn to_request(&self) -> Result<QueryAuditRecordsRequest, Failure> {
        let object = match &self.object {
            None => String::new(),
            Some(text) => match split(text)? {
                (vault, None) => format!("vaults/{vault}"),
                (vault, Some(name)) => format!("vaults/{vault}/keys/{name}"),
            },
        };
        let outcome = match self.outcome {
            None => wire::Outcome::Unspecified,
            Some(How::Intent) => wire::Outcome::Intent,
            Some(How::Ok) => wire::Outcome::Ok,
            Some(How::Denied) => wire::Outcome::Denied,
            Some(How::Failed) => wire::Outcome::Failed,
        };
        Ok(QueryAuditRecordsRequest {
            principal: self.principal.clone().unwrap_or_default(),
            operation: self.operation.clone().unwrap_or_default(),
            object,
            start_time: self.since.map(|Moment(time)| time),
            end_time: self.until.map(|Moment(time)| time),
            outcome: outcome.into(),
            start_index: i64::try_from(self.from).unwrap_or(i64::MAX),
            last: 0,
            follow: false,
        })
    }

    fn to_filter(&self) -> Result<Filter, Failure> {
        let (vault, name) = match &self.object {
            None => (None, None),
            Some(text) => {
                let (vault, name) = split(text)?;
                (Some(vault), name)
            }
        };
        let principal = self.principal.as_deref().map(|text| {
            text.parse().map_err(|bad| Failure::local(format!("--principal: {bad}"), AS_THE_LOG))
        });
        let operation = self.operation.as_deref().map(|text| {
            Word::configured(text)
                .map_err(|bad| Failure::local(format!("--operation: {bad}"), AS_THE_LOG))
        });
        let micros = |Moment(time): Moment| {
            u64::try_from(time.seconds).unwrap_or_default().saturating_mul(1_000_000)
        };
        Ok(Filter {
            principal: principal.transpose()?,
            operation: operation.transpose()?,
            vault,
            name,
            from_us: self.since.map(micros),
            before_us: self.until.map(micros),
            outcome: self.outcome.map(|how| match how {
                How::Intent => Outcome::Intent,
                How::Ok => Outcome::Ok,
                How::Denied => Outcome::Denied,
                How::Failed => Outcome::Failed,
            }),
        })
    }
}

const AS_THE_LOG: &str = "write it as `keyreeve audit tail` shows it";

/// `prod` or `prod/jwt`.
fn split(text: &str) -> Result<(Name, Option<Name>), Failure> {
    let bad =
        |_| Failure::local(format!("--object: `{text}` is no name"), "write VAULT or VAULT/NAME");
    match text.split_once('/') {
        None => Ok((text.parse().map_err(bad)?, None)),
        Some((vault, name)) => Ok((vault.parse().map_err(bad)?, Some(name.parse().map_err(bad)?))),
    }
}
