//! Get a role.

use keyreeve_authz::{Action, RoleId};
use keyreeve_keyhost::Deadline;

use super::RoleEntry;
use crate::{Caller, Error, Service, gate::Ask};

impl Service {
    /// Reads a role.
    pub async fn get_role(
        &self,
        caller: &Caller,
        id: RoleId,
        deadline: Deadline,
    ) -> Result<RoleEntry, Error> {
        let ask = Ask::role("GetRole", Action::ListRoles, Some(id));
        self.run(caller, ask, deadline, move |_permit| async move {
            RoleEntry::find(&self.shared().access.now(), id)
        })
        .await
    }
}
