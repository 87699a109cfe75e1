//! Get an assignment.

use keyreeve_authz::AssignmentId;
use keyreeve_keyhost::Deadline;

use super::AssignmentEntry;
use crate::{Caller, Error, Service, gate::Ask};

impl Service {
    /// Reads an assignment. Who may list assignments where it holds may read it; that
    /// there is none is for who may list all.
    pub async fn get_assignment(
        &self,
        caller: &Caller,
        id: AssignmentId,
        deadline: Deadline,
    ) -> Result<AssignmentEntry, Error> {
        self.run(caller, Ask::ReadAssignment(id), deadline, move |_permit| async move {
            AssignmentEntry::find(&self.shared().access.now(), id)
        })
        .await
    }
}
