//! Create an assignment.

use keyreeve_authz::{Assignment, AssignmentId, Principal, RoleId, Scope};
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;
use keyreeve_types::UnixTime;

use super::AssignmentEntry;
use crate::{
    Caller, Error, Service, access::AccessPath, commit::encode, draw, gate::Ask, keys::is_writable,
    record::AssignmentRecord,
};

/// A request to assign a role.
#[derive(Debug, Clone)]
pub struct CreateAssignment {
    /// Its id; a fresh one if there is none.
    pub id: Option<AssignmentId>,
    /// The role.
    pub role: RoleId,
    /// To whom.
    pub holder: Principal,
    /// Where. There need not be such a vault or object yet.
    pub scope: Scope,
    /// From when on it grants nothing.
    pub expires: Option<UnixTime>,
}

impl Service {
    /// Assigns a role.
    pub async fn create_assignment(
        &self,
        caller: &Caller,
        request: CreateAssignment,
        deadline: Deadline,
    ) -> Result<AssignmentEntry, Error> {
        let CreateAssignment { id, role, holder, scope, expires } = request;
        let id = id.map_or_else(draw::assignment_id, Ok)?;
        let assignment = Assignment { id, role, holder, scope, expires, configured: false };
        let assignment = &assignment;
        let ask = Ask::Assign(assignment);
        self.run(caller, ask, deadline, move |permit| async move {
            let time = self.shared().clock.now();
            if expires.is_some_and(|expires| expires <= time || !is_writable(expires)) {
                return Err(Error::invalid(
                    "assignment.expire_time",
                    "expire_time must be a time to come, before the year 10000",
                ));
            }
            let record = encode(&AssignmentRecord::new(assignment, time))?;
            let path = AccessPath::Assignment(id).to_store();
            self.change_access(&permit, caller, ask, deadline, |now| {
                now.policies.with_assignment(assignment.clone())?;
                Ok(Batch::new().require_absent(path.clone()).put(path.clone(), record.clone()))
            })
            .await?;
            AssignmentEntry::find(&self.shared().access.now(), id)
        })
        .await
    }
}
