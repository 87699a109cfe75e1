//! Which records somebody wants to see.

use keyreeve_types::{FoldedName, Name};

use crate::Record;
use crate::record::{Decision, Ending, Phase, PrincipalName, Word};

/// A filter on records. What is `None` is not asked about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    /// Exactly this principal.
    pub principal: Option<PrincipalName>,
    /// This operation.
    pub operation: Option<Word>,
    /// Objects of this vault, and the vault.
    pub vault: Option<Name>,
    /// Objects of this name, in whatever vault.
    pub name: Option<Name>,
    /// From this moment on, in microseconds since 1970.
    pub from_us: Option<u64>,
    /// Before this moment, in microseconds since 1970.
    pub before_us: Option<u64>,
    /// Only those that ended so.
    pub outcome: Option<Outcome>,
}

/// How what a record tells of went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// It was only announced yet.
    Intent,
    /// It was done.
    Ok,
    /// It was refused for want of a role.
    Denied,
    /// It failed for another reason.
    Failed,
}

impl Outcome {
    /// How a record's request went.
    pub fn of(record: &Record) -> Self {
        match (&record.phase, record.decision) {
            (Phase::Intent, _) => Self::Intent,
            (Phase::Outcome { ending: Ending::Ok, .. }, _) => Self::Ok,
            (_, Decision::Denied(_)) => Self::Denied,
            _ => Self::Failed,
        }
    }
}

impl Query {
    /// Whether `record` is one of those asked for.
    pub fn matches(&self, record: &Record) -> bool {
        let objects = || [Some(&record.action.object), record.action.from.as_ref()];
        let any = |wanted: &Name, of: fn(&crate::record::Object) -> Option<&FoldedName>| {
            let wanted = Some(wanted.folded());
            objects().into_iter().flatten().any(|object| of(object).map(|n| n.as_str()) == wanted)
        };
        self.principal.as_ref().is_none_or(|p| record.caller.principal.as_ref() == Some(p))
            && self.operation.as_ref().is_none_or(|o| record.action.operation == *o)
            && self.vault.as_ref().is_none_or(|v| any(v, |object| object.vault.as_ref()))
            && self.name.as_ref().is_none_or(|n| any(n, |object| object.name.as_ref()))
            && self.from_us.is_none_or(|from| record.time_us >= from)
            && self.before_us.is_none_or(|before| record.time_us < before)
            && self.outcome.is_none_or(|outcome| Outcome::of(record) == outcome)
    }
}
