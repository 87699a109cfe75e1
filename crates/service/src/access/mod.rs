//! Roles, assignments and vault policies, in memory.
//!
//! A snapshot beside the registry's, read without a lock for every decision. It holds
//! what the configuration assigns and what the store has; the first is there from the
//! start and never changes while the process lives.

mod configured;

use std::sync::Arc;

use arc_swap::{ArcSwap, Guard};
use keyreeve_authz::{Policies, PolicyError};

pub use configured::ConfiguredRole;

/// Everything a decision goes by, at one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) policies: Policies,
}

/// The policies.
pub(crate) struct Access {
    snapshot: ArcSwap<Snapshot>,
}

impl Access {
    /// With what the configuration assigns.
    pub(crate) fn new(roles: &[ConfiguredRole]) -> Result<Self, PolicyError> {
        let policies = roles.iter().try_fold(Policies::new(), |policies, role| {
            let assignment = role.to_assignment();
            match policies.assignment(assignment.id) {
                // Two tokens of one name.
                Some(_) => Ok(policies),
                None => policies.with_assignment(assignment),
            }
        })?;
        Ok(Self { snapshot: ArcSwap::from_pointee(Snapshot { policies }) })
    }

    /// This moment. Not to be held across an `await`: it keeps a writer's slot busy.
    pub(crate) fn now(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }
}
