//! Delete a role.

use keyreeve_authz::{Action, RoleId};
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;

use super::RoleEntry;
use crate::{
    Caller, Error, Service,
    access::{AccessPath, check_etag},
    gate::Ask,
};

impl Service {
    /// Deletes a custom role that nobody holds. `etag` as it was read; empty if it does
    /// not matter.
    pub async fn delete_role(
        &self,
        caller: &Caller,
        id: RoleId,
        etag: &str,
        deadline: Deadline,
    ) -> Result<(), Error> {
        let ask = Ask::role("DeleteRole", Action::DeleteRole, Some(id));
        self.run(caller, ask, deadline, move |permit| async move {
            let path = AccessPath::Role(id).to_store();
            self.change_access(&permit, caller, ask, deadline, |now| {
                check_etag(etag, &RoleEntry::find(now, id)?.etag)?;
                now.policies.without_role(id)?;
                Ok(Batch::new().delete(path.clone()))
            })
            .await
        })
        .await
    }
}
