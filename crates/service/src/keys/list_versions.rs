//! List the versions of a key.

use std::sync::Arc;

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use crate::{
    Caller, Error, KeyVersion, Page, PageRequest, Service, gate::Ask, name::KeyName, registry,
};

impl Service {
    /// Lists the versions of a key, oldest first.
    pub async fn list_key_versions(
        &self,
        caller: &Caller,
        key: KeyName<'_>,
        page: PageRequest<'_>,
        deadline: Deadline,
    ) -> Result<Page<Arc<KeyVersion>>, Error> {
        self.run(
            caller,
            Ask::key(Action::ListKeyVersions, key),
            deadline,
            move |_permit| async move {
                let limit = page.limit()?;
                let bad =
                    |_| Error::invalid("page_token", "page_token is not one this service made");
                let after =
                    page.after()?.map(|token| token.parse::<u32>().map_err(bad)).transpose()?;
                let from = after.map_or(0, |number| number.saturating_add(1));
                let now = self.shared().registry.now();
                let all = registry::key(&now, key)?.versions_from(from).map(Arc::clone);
                Ok(Page::take(all, limit, |version| version.number().to_string()))
            },
        )
        .await
    }
}
