//! The decision, and what it gives: a permit, or a refusal.

use keyreeve_authz::{
    Action, AssignmentId, Denial, Grant, GrantedBy, Policies, Resource, Subject, decide, is_served,
    may_assign, may_unassign,
};
use keyreeve_types::UnixTime;

use super::Ask;
use crate::{Caller, Error, Kind, Service, caller::Source, limit::Payer};

/// Proof that the gate let an operation pass. Valid for one run of it.
pub(crate) struct Permit(By, Payer);

impl Permit {
    /// The same, for an operation that `payer` is charged for.
    pub(crate) fn paid_by(self, payer: Payer) -> Self {
        Self(self.0, payer)
    }

    /// Who is charged for what it is used for.
    pub(crate) const fn payer(&self) -> Payer {
        self.1
    }
}

/// What decided that an operation may pass.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// A role assignment.
    Assignment(AssignmentId),
    /// An access policy of the vault.
    AccessPolicy,
    /// That the caller is known.
    Proof,
    /// Nothing: it is public.
    Public,
}

/// Why an operation may not pass. For the log: a caller learns less.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No role or access policy allows it.
    Denied(Denial),
    /// Something allows it, but not from there.
    Network,
    /// It takes a caller who is known.
    Unknown,
    /// There is no such role, which the caller may know.
    NoSuchRole,
    /// There is no such assignment, which the caller may know.
    NoSuchAssignment,
}

type Verdict = Result<Permit, Refusal>;

/// What to record of a verdict.
pub(super) fn ruling(verdict: &Verdict) -> Result<By, Refusal> {
    verdict.as_ref().map(|permit| permit.0).map_err(|refusal| *refusal)
}

/// What one decision goes by.
#[derive(Clone, Copy)]
struct Court<'a> {
    policies: &'a Policies,
    subject: &'a Subject,
    source: &'a Source,
    now: UnixTime,
}

impl Service {
    /// Decides by the policies of this moment.
    pub(crate) fn decide(&self, caller: &Caller, ask: &Ask<'_>) -> Verdict {
        self.decide_by(&self.shared().access.now().policies, caller, ask)
    }

    /// Decides by `policies`.
    pub(crate) fn decide_by(&self, policies: &Policies, caller: &Caller, ask: &Ask<'_>) -> Verdict {
        let source = caller.source();
        if let Ask::Public(action, resource) = ask {
            return reaches(policies, source, *action, *resource)
                .map(|()| Permit(By::Public, Payer::NONE));
        }
        let subject = caller.identity().subject().ok_or(Refusal::Unknown)?;
        let court = Court { policies, subject, source, now: self.shared().clock.now() };
        match ask {
            Ask::One(action, resource) | Ask::Set(action, resource, _) => {
                court.allows(*action, *resource)
            }
            Ask::Key(action, key, _) => court.allows(*action, key.resource()),
            Ask::Thing(thing) => court.allows(thing.action, Resource::Service),
            Ask::Both(_, [first, second]) => {
                court.allows(first.0, first.1)?;
                court.allows(second.0, second.1)
            }
            Ask::Assign(assignment) => {
                let grant = may_assign(policies, subject, assignment, court.now);
                court.rules(grant, Action::ListRoles, Refusal::NoSuchRole)
            }
            Ask::Unassign(id, _) => {
                let grant = may_unassign(policies, subject, *id, court.now);
                court.rules(grant, Action::ListAssignments, Refusal::NoSuchAssignment)
            }
            // One that is not there is for whoever may see that it is not.
            Ask::ReadAssignment(id) => {
                let scope = policies.assignment(*id).map(|assignment| assignment.scope.resource());
                court.allows(Action::ListAssignments, scope.unwrap_or(Resource::Service))
            }
            Ask::Proven(_) => Ok(Permit(By::Proof, Payer::NONE)),
            Ask::Public(..) => Err(Refusal::Denied(Denial::WrongFunction)),
        }
    }
}

impl Court<'_> {
    fn allows(&self, action: Action, resource: Resource<'_>) -> Verdict {
        let grant = decide(self.policies, self.subject, action, resource, self.now);
        let grant = grant.map_err(Refusal::Denied)?;
        reaches(self.policies, self.source, action, resource)?;
        Ok(grant.into())
    }

    /// A decision on an assignment. That there is no such role or assignment is told to
    /// who may do `seeing`, which lists them.
    fn rules(&self, grant: Result<Grant<'_>, Denial>, seeing: Action, missing: Refusal) -> Verdict {
        match grant {
            Ok(grant) => {
                reaches(self.policies, self.source, grant.action(), grant.resource())?;
                Ok(grant.into())
            }
            Err(Denial::UnknownAssignment) => {
                let sees = self.allows(seeing, Resource::Service);
                Err(sees.map_or(Refusal::Denied(Denial::UnknownAssignment), |_| missing))
            }
            Err(denial) => Err(Refusal::Denied(denial)),
        }
    }
}

/// Whether `resource` can be reached from where the request came.
fn reaches(
    policies: &Policies,
    source: &Source,
    action: Action,
    resource: Resource<'_>,
) -> Result<(), Refusal> {
    let rules =
        resource.vault().and_then(|vault| policies.vault(vault)).map(|vault| &vault.network);
    let reached = is_served(rules, action.plane(), source.address(), &source.listener);
    if reached { Ok(()) } else { Err(Refusal::Network) }
}

impl From<Grant<'_>> for Permit {
    fn from(grant: Grant<'_>) -> Self {
        let by = match grant.by() {
            GrantedBy::Assignment(id) => By::Assignment(id),
            GrantedBy::AccessPolicy(_) => By::AccessPolicy,
        };
        Self(by, Payer::NONE)
    }
}

impl Refusal {
    /// What the caller is told. Where it says more than no, that is about the rules or
    /// about what the caller may read.
    pub(crate) fn into_error(self, ask: &Ask<'_>) -> Error {
        match self {
            Self::Denied(denial) if denial.is_our_fault() => {
                Error::internal("WRONGLY_ASKED", denial.log_message())
            }
            Self::Denied(
                denial @ (Denial::OwnersRole
                | Denial::ToItself
                | Denial::ToGroup
                | Denial::ToAdministrator),
            ) => forbidden(format!("this is not allowed: {}", denial.log_message())),
            Self::Denied(Denial::LastOwner) => Error::precondition(
                "LAST_OWNER",
                "it is the last Owner of everything that does not expire; assign Owner at / to \
                 somebody else first",
            ),
            Self::Denied(Denial::Configured) => Error::precondition(
                "CONFIGURED_ASSIGNMENT",
                "the configuration makes this assignment; remove the role from its [[token]] and \
                 restart the service",
            ),
            Self::NoSuchRole => Error::not_found("such role; `keyreeve role list` shows them"),
            Self::NoSuchAssignment => {
                Error::not_found("such assignment; `keyreeve assignment list` shows them")
            }
            Self::Denied(_) | Self::Network | Self::Unknown => forbidden(format!(
                "{ask} is not allowed to this caller; `keyreeve whoami` shows its roles, and \
                 docs/roles.md which role allows what"
            )),
        }
        .with_log(self.log_message())
    }

    fn log_message(self) -> &'static str {
        match self {
            Self::Denied(denial) => denial.log_message(),
            Self::Network => "the network rules of the vault do not admit where it came from",
            Self::Unknown => "nobody was proven",
            Self::NoSuchRole => "there is no such role",
            Self::NoSuchAssignment => "there is no such assignment",
        }
    }
}

fn forbidden(message: String) -> Error {
    Error::new(Kind::PermissionDenied, "FORBIDDEN", message)
}
