//! List the keys of a vault.

use std::{ops::Bound, sync::Arc};

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use crate::{
    Caller, Error, KeyVersion, Page, PageRequest, Service, gate::Ask, name::VaultName, registry,
};

impl Service {
    /// Lists the keys of a vault in the order of their names, each at its latest
    /// version.
    pub async fn list_keys(
        &self,
        caller: &Caller,
        vault: VaultName<'_>,
        page: PageRequest<'_>,
        deadline: Deadline,
    ) -> Result<Page<Arc<KeyVersion>>, Error> {
        self.run(caller, Ask::vault(Action::ListKeys, vault), deadline, move |_permit| async move {
            let (limit, after) = (page.limit()?, page.after()?);
            let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let now = self.shared().registry.now();
            let keys = &registry::entry(&now, vault)?.keys;
            let all = keys
                .range::<_, str>((start, Bound::Unbounded))
                .filter_map(|(name, key)| Some((name, Arc::clone(key.version(None)?))));
            let page = Page::take(all, limit, |(name, _)| name.to_string());
            let items = page.items.into_iter().map(|(_, version)| version).collect();
            Ok(Page { items, next: page.next })
        })
        .await
    }
}
