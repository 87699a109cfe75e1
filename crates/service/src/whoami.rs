//! What a caller is taken for, and what it holds.

use keyreeve_authz::{Principal, Subject};
use keyreeve_keyhost::Deadline;

use crate::{
    Caller, Error, Method, Service, assignments::AssignmentEntry, caller::Identity, gate::Ask,
};

/// Who a caller is.
#[derive(Debug, Clone)]
pub struct WhoAmI {
    /// The proven principal.
    pub principal: Principal,
    /// The groups it is in.
    pub groups: Vec<Principal>,
    /// How it was proven.
    pub method: Method,
    /// Its own assignments, then those of its groups; those that have expired too.
    pub assignments: Vec<AssignmentEntry>,
}

impl Service {
    /// Tells a caller who it is, which takes no role.
    pub async fn who_am_i(&self, caller: &Caller, deadline: Deadline) -> Result<WhoAmI, Error> {
        let identity = caller.identity();
        self.run(caller, Ask::Proven("WhoAmI"), deadline, move |_permit| async move {
            let subject = identity.subject();
            let known = || Error::internal("NOBODY_PROVEN", "the gate let nobody pass");
            Ok(self.describe(subject.ok_or_else(known)?, identity))
        })
        .await
    }

    fn describe(&self, subject: &Subject, identity: &Identity) -> WhoAmI {
        let now = self.shared().access.now();
        let holders = std::iter::once(subject.principal()).chain(subject.groups());
        WhoAmI {
            principal: subject.principal().clone(),
            groups: subject.groups().to_vec(),
            method: identity.method(),
            assignments: holders
                .flat_map(|holder| now.policies.assignments_of(holder))
                .map(|assignment| AssignmentEntry::of(&now, assignment))
                .collect(),
        }
    }
}
