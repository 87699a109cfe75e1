//! Roles, assignments and vault policies, in memory.
//!
//! A snapshot beside the registry's, read without a lock for every decision. It holds
//! what the configuration assigns, which never changes while the process lives, and
//! what the store has.
//!
//! Every change in the store puts one record, the head, on the condition that it is as
//! it was read. So changes follow one another whichever node makes them, and a node
//! whose head is that of commit n has all changes up to n: what it has already is
//! passed over, and nothing that was taken away comes back with a late notice.

mod apply;
mod change;
mod configured;
mod load;
mod path;

use std::sync::{Arc, Mutex};

use arc_swap::{ArcSwap, Guard};
use imbl::OrdMap;
use keyreeve_authz::{AssignmentId, Policies, PolicyError, RoleId};
use keyreeve_store::Revision;
use keyreeve_types::UnixTime;

pub(crate) use change::check_etag;
pub use configured::ConfiguredRole;
pub(crate) use path::AccessPath;

/// Everything a decision goes by, at one moment.
#[derive(Clone)]
pub(crate) struct Snapshot {
    pub(crate) policies: Policies,
    pub(crate) roles: OrdMap<RoleId, Stamp>,
    pub(crate) assignments: OrdMap<AssignmentId, Stamp>,
    /// By the folded name.
    pub(crate) vaults: OrdMap<Box<str>, Stamp>,
    /// The last commit that changed any of it; none before the first.
    head: Option<Revision>,
}

/// What the store knows of a record beside what it says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stamp {
    /// The commit that put it.
    pub(crate) revision: Revision,
    /// When it was made.
    pub(crate) created: UnixTime,
    /// When it last changed.
    pub(crate) updated: UnixTime,
}

/// The policies.
pub(crate) struct Access {
    snapshot: ArcSwap<Snapshot>,
    /// Without anything stored.
    configured: Snapshot,
    /// Held while a snapshot is replaced.
    writing: Mutex<()>,
    /// Held by whoever changes the store, so that one node does not race itself.
    changing: tokio::sync::Mutex<()>,
}

impl Access {
    /// With what the configuration assigns, and nothing stored.
    pub(crate) fn new(roles: &[ConfiguredRole]) -> Result<Self, PolicyError> {
        let policies = roles.iter().try_fold(Policies::new(), |policies, role| {
            let assignment = role.to_assignment();
            match policies.assignment(assignment.id) {
                // Two tokens of one name.
                Some(_) => Ok(policies),
                None => policies.with_assignment(assignment),
            }
        })?;
        let configured = Snapshot {
            policies,
            roles: OrdMap::new(),
            assignments: OrdMap::new(),
            vaults: OrdMap::new(),
            head: None,
        };
        Ok(Self {
            snapshot: ArcSwap::from_pointee(configured.clone()),
            configured,
            writing: Mutex::new(()),
            changing: tokio::sync::Mutex::new(()),
        })
    }

    /// This moment. Not to be held across an `await`: it keeps a writer's slot busy.
    pub(crate) fn now(&self) -> Guard<Arc<Snapshot>> {
        self.snapshot.load()
    }
}

impl Stamp {
    /// Changes with every change of the record.
    pub(crate) fn etag(&self) -> String {
        format!("{:x}", self.revision.0)
    }
}
