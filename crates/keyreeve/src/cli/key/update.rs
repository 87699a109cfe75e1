//! `keyreeve key update`.

use clap::{ArgAction, Args};
use keyreeve_client::{KeyName, KeyUpdate};

use super::attributes::tag;
use crate::{cli::Settings, failure::Failure, moment::MomentOrNone, table};

/// What is not named stays as it is.
#[derive(Args)]
#[group(id = "change", required = true, multiple = true)]
pub(crate) struct Changes {
    /// Whether it may be used
    #[arg(long, value_name = "BOOL", action = ArgAction::Set)]
    enabled: Option<bool>,

    /// Not usable before; `none` clears it
    #[arg(long, value_name = "TIME")]
    not_before: Option<MomentOrNone>,

    /// Makes nothing new from then on; `none` clears it
    #[arg(long, value_name = "TIME")]
    expires: Option<MomentOrNone>,

    /// What it may do: never more than it was made with
    #[arg(long, value_name = "OPS", value_delimiter = ',')]
    ops: Option<Vec<String>>,

    /// A tag; may be given again. All tags are replaced
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Option<Vec<(String, String)>>,

    /// Take all tags away
    #[arg(long, conflicts_with = "tags")]
    no_tags: bool,
}

#[derive(Args)]
pub(crate) struct Update {
    #[arg(value_name = "VAULT/NAME[/VERSION]")]
    name: KeyName,

    #[command(flatten)]
    changes: Changes,

    /// Refuse if the version has changed since it had this etag
    #[arg(long, value_name = "ETAG")]
    if_etag: Option<String>,
}

impl Update {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let mut update = self.changes.into_update();
        if let Some(etag) = &self.if_etag {
            update = update.if_unchanged(etag);
        }
        let key = settings.client()?.key(&self.name.to_string()).update(update).await?;
        settings.output.print(&key, table::key)
    }
}

impl Changes {
    fn into_update(self) -> KeyUpdate {
        let mut update = KeyUpdate::new();
        if let Some(enabled) = self.enabled {
            update = update.enabled(enabled);
        }
        if let Some(MomentOrNone(time)) = self.not_before {
            update = update.not_before(time.and_then(|time| time.try_into().ok()));
        }
        if let Some(MomentOrNone(time)) = self.expires {
            update = update.expires(time.and_then(|time| time.try_into().ok()));
        }
        if let Some(ops) = &self.ops {
            update = update.operations(ops.iter().map(String::as_str));
        }
        if self.no_tags {
            update = update.tags([]);
        }
        if let Some(tags) = &self.tags {
            update = update.tags(tags.iter().map(|(key, value)| (key.as_str(), value.as_str())));
        }
        update
    }
}
