//! Delete an assignment.

use keyreeve_authz::AssignmentId;
use keyreeve_keyhost::Deadline;
use keyreeve_store::Batch;

use super::AssignmentEntry;
use crate::{
    Caller, Error, Service,
    access::AccessPath,
    gate::{Ask, change},
};

impl Service {
    /// Takes an assignment away. No operation that starts after the answer goes by it.
    pub async fn delete_assignment(
        &self,
        caller: &Caller,
        id: AssignmentId,
        deadline: Deadline,
    ) -> Result<(), Error> {
        // For the record: the decision does not go by it.
        let present = self.shared().access.now().policies.assignment(id).map(change::of_assignment);
        let ask = Ask::Unassign(id, present.as_ref());
        self.run(caller, ask, deadline, move |permit| async move {
            let path = AccessPath::Assignment(id).to_store();
            self.change_access(&permit, caller, ask, deadline, |now| {
                AssignmentEntry::find(now, id)?;
                Ok(Batch::new().delete(path.clone()))
            })
            .await
        })
        .await
    }
}
