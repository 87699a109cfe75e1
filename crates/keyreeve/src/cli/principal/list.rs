//! `keyreeve principal list`.

use clap::Args;
use keyreeve_client::v1;

use crate::{cli::Settings, failure::Failure, table};

#[derive(Args)]
pub(crate) struct List {}

impl List {
    pub(crate) async fn run(self, settings: &Settings) -> Result<(), Failure> {
        let client = settings.client()?;
        let mut request = v1::ListPrincipalsRequest::default();
        let mut list = v1::ListPrincipalsResponse::default();
        loop {
            let page = client.call(request.clone()).await?;
            list.principals.extend(page.principals);
            request.page_token = page.next_page_token;
            if request.page_token.is_empty() {
                return settings.output.print(&list, table::principals);
            }
        }
    }
}
