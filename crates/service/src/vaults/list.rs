//! List vaults.

use std::{ops::Bound, sync::Arc};

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use crate::{Caller, Error, Page, PageRequest, Service, Vault, gate::Ask};

impl Service {
    /// Lists vaults in the order of their names.
    pub async fn list_vaults(
        &self,
        caller: &Caller,
        page: PageRequest<'_>,
        deadline: Deadline,
    ) -> Result<Page<Arc<Vault>>, Error> {
        self.run(caller, Ask::service(Action::ListVaults), deadline, move |_permit| async move {
            let (limit, after) = (page.limit()?, page.after()?);
            let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let now = self.shared().registry.now();
            let all = now
                .range::<_, str>((start, Bound::Unbounded))
                .map(|(_, entry)| Arc::clone(&entry.vault));
            Ok(Page::take(all, limit, |vault| vault.name().folded().to_owned()))
        })
        .await
    }
}
