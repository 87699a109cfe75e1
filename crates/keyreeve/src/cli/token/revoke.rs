//! `keyreeve token revoke`.

use clap::Args;
use keyreeve_client::v1;

use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct Revoke {
    /// The token's id, as `keyreeve token list` shows it; never the token itself
    #[arg(value_name = "ID", value_parser = id)]
    id: String,
}

impl Revoke {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let request = v1::RevokeTokenRequest { name: format!("tokens/{}", self.id) };
        let revoked = settings.client()?.call(request).await?;
        let list = v1::ListTokensResponse { tokens: vec![revoked], ..Default::default() };
        settings.output.print(&list, table::tokens)
    }
}

fn id(text: &str) -> Result<String, String> {
    let hex = text.len() == 32 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    hex.then(|| text.to_ascii_lowercase())
        .ok_or_else(|| "an id has 32 hex digits; `keyreeve token list` shows them".to_owned())
}
