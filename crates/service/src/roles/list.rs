//! List roles.

use keyreeve_authz::{Action, RoleId};
use keyreeve_keyhost::Deadline;

use super::RoleEntry;
use crate::{Caller, Error, Page, PageRequest, Service, gate::Ask};

impl Service {
    /// Lists roles, built-in ones and others, in the order of their ids.
    pub async fn list_roles(
        &self,
        caller: &Caller,
        page: PageRequest<'_>,
        deadline: Deadline,
    ) -> Result<Page<RoleEntry>, Error> {
        let ask = Ask::role("ListRoles", Action::ListRoles, None);
        self.run(caller, ask, deadline, move |_permit| async move {
            let (limit, after) = (page.limit()?, page.after_id::<RoleId>()?);
            let now = self.shared().access.now();
            let all = now.policies.roles().filter(|role| after.is_none_or(|id| role.id() > id));
            let all = all.map(|role| RoleEntry::of(&now, role));
            Ok(Page::take(all, limit, |entry| entry.role.id().to_string()))
        })
        .await
    }
}
