//! Roles, assignments and vault policies as they are stored.
//!
//! Rights, permissions and patterns are stored as they were written, so that a later
//! release that knows more of them reads the same role.

use keyreeve_authz::{
    AccessPolicies, Assignment, AssignmentId, DefaultAction, IpRange, NetworkRules, ObjectKind,
    PermissionModel, Permissions, Principal, PrincipalKind, Role, RoleDefinition, RoleId, Scope,
    VaultPolicy,
};
use keyreeve_types::{Name, UnixTime};
use serde::{Deserialize, Serialize};

use super::{FORMAT, Record, Unreadable, text};

/// Under `access/head`: put by every change of what is under `access`, which is how
/// such changes follow one another and none is lost.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeadRecord {
    /// The format of this document: 1.
    pub(crate) format: u32,
}

/// A custom role, under `access/roles/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RoleRecord {
    /// The format of this document: 1.
    pub(crate) format: u32,
    /// The role's id, a GUID.
    #[serde(with = "text::plain")]
    pub(crate) id: RoleId,
    /// Its name.
    pub(crate) name: String,
    /// Patterns of management rights that it grants.
    pub(crate) actions: Vec<String>,
    /// And leaves out.
    pub(crate) not_actions: Vec<String>,
    /// Patterns of data rights that it grants.
    pub(crate) data_actions: Vec<String>,
    /// And leaves out.
    pub(crate) not_data_actions: Vec<String>,
    /// When it was made, in Unix seconds.
    pub(crate) created: i64,
    /// When it last changed, in Unix seconds.
    pub(crate) updated: i64,
}

/// A role assignment, under `access/assignments/{id}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AssignmentRecord {
    /// The format of this document: 1.
    pub(crate) format: u32,
    /// Its id, a GUID.
    #[serde(with = "text::plain")]
    pub(crate) id: AssignmentId,
    /// The role, a GUID.
    #[serde(with = "text::plain")]
    pub(crate) role: RoleId,
    /// Who has it.
    pub(crate) principal: PrincipalRecord,
    /// Where, as `/vaults/prod`.
    #[serde(with = "text::plain")]
    pub(crate) scope: Scope,
    /// Grants nothing from then on; Unix seconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub(crate) expires: Option<i64>,
    /// When it was made, in Unix seconds.
    pub(crate) created: i64,
}

/// Who holds something.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PrincipalRecord {
    /// As `service-principal`.
    kind: String,
    /// Its name, as its issuer has it.
    name: String,
    /// Who vouches for it, where Keyreeve does not.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    issuer: Option<String>,
}

/// What a vault says about access to it, under `access/vaults/{name in lower case}`.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct VaultPolicyRecord {
    /// The format of this document: 1.
    pub(crate) format: u32,
    /// The vault's name as it was first written.
    #[serde(with = "text::plain")]
    pub(crate) vault: Name,
    /// What access to data goes by.
    model: Model,
    /// Who has which permissions.
    access_policies: Vec<AccessPolicyRecord>,
    /// What becomes of a peer that no rule names.
    default_action: Otherwise,
    /// The ranges that are admitted.
    ranges: Vec<String>,
    /// The listeners by which everybody is.
    listeners: Vec<String>,
    /// When it last changed, in Unix seconds.
    pub(crate) updated: i64,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Model {
    Roles,
    AccessPolicies,
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Otherwise {
    Allow,
    Deny,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct AccessPolicyRecord {
    principal: PrincipalRecord,
    keys: Vec<String>,
    secrets: Vec<String>,
    certificates: Vec<String>,
}

impl Record for HeadRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

impl Record for RoleRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

impl Record for AssignmentRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

impl Record for VaultPolicyRecord {
    fn format(&self) -> u32 {
        self.format
    }
}

impl RoleRecord {
    pub(crate) fn new(role: &Role, created: UnixTime, updated: UnixTime) -> Self {
        let list = |patterns: &[keyreeve_authz::Pattern]| {
            patterns.iter().map(|pattern| pattern.as_str().to_owned()).collect()
        };
        let definition = role.definition();
        Self {
            format: FORMAT,
            id: role.id(),
            name: role.name().to_owned(),
            actions: list(definition.actions()),
            not_actions: list(definition.not_actions()),
            data_actions: list(definition.data_actions()),
            not_data_actions: list(definition.not_data_actions()),
            created: created.0,
            updated: updated.0,
        }
    }

    pub(crate) fn to_role(&self) -> Result<Role, Unreadable> {
        fn list(texts: &[String]) -> Vec<&str> {
            texts.iter().map(String::as_str).collect()
        }
        let definition = RoleDefinition::new(
            &list(&self.actions),
            &list(&self.not_actions),
            &list(&self.data_actions),
            &list(&self.not_data_actions),
        );
        definition
            .and_then(|definition| Role::custom(self.id, &self.name, definition))
            .map_err(|e| Unreadable(e.to_string()))
    }
}

impl AssignmentRecord {
    pub(crate) fn new(assignment: &Assignment, created: UnixTime) -> Self {
        Self {
            format: FORMAT,
            id: assignment.id,
            role: assignment.role,
            principal: PrincipalRecord::new(&assignment.holder),
            scope: assignment.scope.clone(),
            expires: assignment.expires.map(|time| time.0),
            created: created.0,
        }
    }

    pub(crate) fn to_assignment(&self) -> Result<Assignment, Unreadable> {
        Ok(Assignment {
            id: self.id,
            role: self.role,
            holder: self.principal.to_principal()?,
            scope: self.scope.clone(),
            expires: self.expires.map(UnixTime),
            configured: false,
        })
    }
}

impl PrincipalRecord {
    fn new(principal: &Principal) -> Self {
        Self {
            kind: principal.kind().name().to_owned(),
            name: principal.name().to_owned(),
            issuer: principal.issuer().map(str::to_owned),
        }
    }

    fn to_principal(&self) -> Result<Principal, Unreadable> {
        let kind = PrincipalKind::parse(&self.kind)
            .ok_or_else(|| Unreadable("a kind of principal is not known here".to_owned()))?;
        Principal::new(kind, self.issuer.as_deref(), &self.name)
            .map_err(|e| Unreadable(e.to_string()))
    }
}

impl VaultPolicyRecord {
    pub(crate) fn new(vault: &Name, policy: &VaultPolicy, updated: UnixTime) -> Self {
        let entry = |(holder, permissions): (&Principal, Permissions)| {
            let of = |kind| {
                let of_kind = permissions.iter().filter(move |p| p.kind() == kind);
                of_kind.map(|permission| permission.name().to_owned()).collect()
            };
            AccessPolicyRecord {
                principal: PrincipalRecord::new(holder),
                keys: of(ObjectKind::Key),
                secrets: of(ObjectKind::Secret),
                certificates: of(ObjectKind::Certificate),
            }
        };
        Self {
            format: FORMAT,
            vault: vault.clone(),
            model: match policy.model {
                PermissionModel::Roles => Model::Roles,
                PermissionModel::AccessPolicies => Model::AccessPolicies,
            },
            access_policies: policy.access_policies.iter().map(entry).collect(),
            default_action: match policy.network.default_action() {
                DefaultAction::Allow => Otherwise::Allow,
                DefaultAction::Deny => Otherwise::Deny,
            },
            ranges: policy.network.ranges().iter().map(ToString::to_string).collect(),
            listeners: policy.network.listeners().iter().map(ToString::to_string).collect(),
            updated: updated.0,
        }
    }

    pub(crate) fn to_policy(&self) -> Result<VaultPolicy, Unreadable> {
        let mut access_policies = AccessPolicies::default();
        for entry in &self.access_policies {
            let (holder, permissions) = entry.to_entry()?;
            access_policies =
                access_policies.with(holder, permissions).map_err(|e| Unreadable(e.to_string()))?;
        }
        let default = match self.default_action {
            Otherwise::Allow => DefaultAction::Allow,
            Otherwise::Deny => DefaultAction::Deny,
        };
        let ranges: Result<Vec<IpRange>, _> = self.ranges.iter().map(|r| r.parse()).collect();
        let listeners: Result<Vec<Name>, _> = self.listeners.iter().map(|l| l.parse()).collect();
        Ok(VaultPolicy {
            model: match self.model {
                Model::Roles => PermissionModel::Roles,
                Model::AccessPolicies => PermissionModel::AccessPolicies,
            },
            access_policies,
            network: NetworkRules::new(
                default,
                ranges.map_err(|e| Unreadable(e.to_string()))?,
                listeners.map_err(|e| Unreadable(e.to_string()))?,
            )
            .map_err(|e| Unreadable(e.to_string()))?,
        })
    }
}

impl AccessPolicyRecord {
    fn to_entry(&self) -> Result<(Principal, Permissions), Unreadable> {
        let lists = [
            (ObjectKind::Key, &self.keys),
            (ObjectKind::Secret, &self.secrets),
            (ObjectKind::Certificate, &self.certificates),
        ];
        let mut all = Permissions::NONE;
        for (kind, list) in lists {
            for text in list {
                let permissions = Permissions::parse(kind, text)
                    .ok_or_else(|| Unreadable("a permission is not known here".to_owned()))?;
                all = all.union(permissions);
            }
        }
        Ok((self.principal.to_principal()?, all))
    }
}
