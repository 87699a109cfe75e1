//! List principals.

use std::{ops::Bound, sync::Arc};

use keyreeve_authz::Action;
use keyreeve_keyhost::Deadline;

use crate::{Account, Caller, Error, Page, PageRequest, Service, gate::Ask};

impl Service {
    /// Lists principals in the order of their ids.
    pub async fn list_principals(
        &self,
        caller: &Caller,
        page: PageRequest<'_>,
        deadline: Deadline,
    ) -> Result<Page<Arc<Account>>, Error> {
        let ask = Ask::principal("ListPrincipals", Action::ListIdentities, None);
        self.run(caller, ask, deadline, move |_permit| async move {
            let (limit, after) = (page.limit()?, page.after()?);
            let start = after.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
            let people = self.shared().directory.now();
            let all = people.accounts.range::<_, str>((start, Bound::Unbounded));
            let all = all.map(|(_, account)| Arc::clone(account));
            Ok(Page::take(all, limit, |account| account.id().to_owned()))
        })
        .await
    }
}
