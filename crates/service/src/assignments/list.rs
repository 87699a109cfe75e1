//! List assignments.

use keyreeve_authz::{Action, AssignmentId, Principal, Scope};
use keyreeve_keyhost::Deadline;

use super::AssignmentEntry;
use crate::{Caller, Error, Page, PageRequest, Service, gate::Ask};

/// Which assignments to list.
#[derive(Debug, Clone)]
pub struct ListAssignments {
    /// Those that hold at this scope or below.
    pub scope: Scope,
    /// Those of this principal or group alone.
    pub holder: Option<Principal>,
}

impl Service {
    /// Lists assignments, what the configuration makes included, in the order of their
    /// ids.
    pub async fn list_assignments(
        &self,
        caller: &Caller,
        request: ListAssignments,
        page: PageRequest<'_>,
        deadline: Deadline,
    ) -> Result<Page<AssignmentEntry>, Error> {
        let ListAssignments { scope, holder } = &request;
        let ask = Ask::One(Action::ListAssignments, scope.resource());
        self.run(caller, ask, deadline, move |_permit| async move {
            let (limit, after) = (page.limit()?, page.after_id::<AssignmentId>()?);
            let now = self.shared().access.now();
            let all = now
                .policies
                .assignments()
                .filter(|assignment| after.is_none_or(|id| assignment.id > id))
                .filter(|assignment| scope.contains(assignment.scope.resource()))
                .filter(|assignment| holder.as_ref().is_none_or(|of| *of == assignment.holder))
                .map(|assignment| AssignmentEntry::of(&now, assignment));
            Ok(Page::take(all, limit, |entry| entry.assignment.id.to_string()))
        })
        .await
    }
}
