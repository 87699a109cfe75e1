//! Create a role.

use keyreeve_authz::{Action, RoleId};
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;

use super::{RoleEntry, RoleLists};
use crate::{
    Caller, Error, Service,
    access::AccessPath,
    commit::encode,
    draw,
    gate::{Ask, change},
    record::RoleRecord,
};

/// A request to make a custom role.
#[derive(Debug, Clone)]
pub struct CreateRole<'a> {
    /// Its id; a fresh one if there is none.
    pub id: Option<RoleId>,
    /// Its name, which no other role has.
    pub name: &'a str,
    /// What it grants.
    pub lists: RoleLists,
}

impl Service {
    /// Makes a custom role.
    pub async fn create_role(
        &self,
        caller: &Caller,
        request: CreateRole<'_>,
        deadline: Deadline,
    ) -> Result<RoleEntry, Error> {
        let request = &request;
        let set = change::of_lists(&request.lists);
        let ask = Ask::role("CreateRole", Action::WriteRole, request.id).setting(&set);
        self.run(caller, ask, deadline, move |permit| async move {
            let id = request.id.map_or_else(draw::role_id, Ok)?;
            let role = request.lists.role(id, request.name)?;
            let time = self.shared().clock.now();
            let record = encode(&RoleRecord::new(&role, time, time))?;
            let path = AccessPath::Role(id).to_store();
            self.change_access(&permit, caller, ask, deadline, |now| {
                if now.policies.role(id).is_some() {
                    return Err(Error::exists(format_args!("role {id}")));
                }
                now.policies.with_role(role.clone())?;
                Ok(Batch::new().require_absent(path.clone()).put(path.clone(), record.clone()))
            })
            .await?;
            RoleEntry::find(&self.shared().access.now(), id)
        })
        .await
    }
}
