//! What a new version is given besides its kind.

use clap::Args;
use keyreeve_client::v1;

use crate::moment::Moment;

#[derive(Args)]
pub(crate) struct Attributes {
    /// What it may do: sign, verify, encrypt, decrypt, wrapKey, unwrapKey; all that
    /// its kind allows unless given
    #[arg(long, value_name = "OPS", value_delimiter = ',')]
    ops: Vec<String>,

    /// Not to be used until it is enabled
    #[arg(long)]
    disabled: bool,

    /// Not usable before, as 2027-01-31, 2027-01-31T12:00:00Z or 30d
    #[arg(long, value_name = "TIME")]
    not_before: Option<Moment>,

    /// Makes nothing new from then on
    #[arg(long, value_name = "TIME")]
    expires: Option<Moment>,

    /// A tag; may be given again
    #[arg(long = "tag", value_name = "KEY=VALUE", value_parser = tag)]
    tags: Vec<(String, String)>,
}

impl Attributes {
    pub(crate) fn into_key(self) -> v1::Key {
        v1::Key {
            operations: self.ops,
            enabled: self.disabled.then_some(false),
            not_before_time: self.not_before.map(|moment| moment.0),
            expire_time: self.expires.map(|moment| moment.0),
            tags: self.tags.into_iter().collect(),
            ..Default::default()
        }
    }
}

/// `KEY=VALUE`; the value may hold more equals signs.
pub(super) fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("a tag is written KEY=VALUE".to_owned()),
    }
}
