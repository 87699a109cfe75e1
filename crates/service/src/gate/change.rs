//! What a request sets of who may do what, as the log has it.
//!
//! Only what passes the rule of what it is: a pattern that matches no right, or a name
//! that is none, is text of a caller's choice and does not get into the log. A request
//! with such is refused.

use keyreeve_audit::record::{Change, Id, PolicyEntry, Term};
use keyreeve_authz::{
    AccessPolicies, Assignment, DefaultAction, NetworkRules, ObjectKind, Pattern, PermissionModel,
    Permissions, Plane,
};

use crate::{
    caller::recorded_name,
    roles::{RoleChanges, RoleLists},
};

/// Whom an assignment gives what, where and until when.
pub(crate) fn of_assignment(assignment: &Assignment) -> Change {
    Change {
        holder: Some(recorded_name(&assignment.holder)),
        role: Some(Id(assignment.role.as_u128().to_be_bytes())),
        scope: assignment.scope.to_string().parse().ok(),
        expires: assignment.expires.map(|expires| expires.0),
        ..Change::default()
    }
}

/// What a new role grants.
pub(crate) fn of_lists(lists: &RoleLists) -> Change {
    let RoleLists { actions, not_actions, data_actions, not_data_actions } = lists;
    role([Some(actions), Some(not_actions), Some(data_actions), Some(not_data_actions)])
}

/// What a role is to grant from now on.
pub(crate) fn of_changes(changes: &RoleChanges) -> Change {
    let RoleChanges { name: _, actions, not_actions, data_actions, not_data_actions } = changes;
    role([actions, not_actions, data_actions, not_data_actions].map(Option::as_ref))
}

fn role(
    [actions, not_actions, data_actions, not_data_actions]: [Option<&Vec<String>>; 4],
) -> Change {
    let patterns = |list: Option<&Vec<String>>, plane| {
        let lawful = |text: &&String| Pattern::new(text, plane).is_ok();
        list.map(|list| terms(list.iter().filter(lawful)))
    };
    let (management, data) = (Plane::Management, Plane::Data);
    let change = Change {
        actions: patterns(actions, management),
        not_actions: patterns(not_actions, management),
        data_actions: patterns(data_actions, data),
        not_data_actions: patterns(not_data_actions, data),
        ..Change::default()
    };
    change.bounded()
}

/// What access to a vault's data is to go by.
pub(crate) fn of_access(
    model: Option<PermissionModel>,
    policies: Option<&AccessPolicies>,
) -> Change {
    let model = model.map(|model| match model {
        PermissionModel::Roles => "roles",
        PermissionModel::AccessPolicies => "access-policies",
    });
    let entry = |(holder, permissions): (&_, Permissions)| {
        let named = permissions.iter().map(|one| {
            let kind = match one.kind() {
                ObjectKind::Key => "keys",
                ObjectKind::Secret => "secrets",
                ObjectKind::Certificate => "certificates",
            };
            format!("{kind}/{}", one.name())
        });
        PolicyEntry { holder: recorded_name(holder), permissions: terms(named) }
    };
    let change = Change {
        model: model.and_then(|model| model.parse().ok()),
        policies: policies.map(|policies| policies.iter().map(entry).collect()),
        ..Change::default()
    };
    change.bounded()
}

/// From where a vault is to be reached.
pub(crate) fn of_network(rules: &NetworkRules) -> Change {
    let default = match rules.default_action() {
        DefaultAction::Allow => "allow",
        DefaultAction::Deny => "deny",
    };
    let change = Change {
        default_action: default.parse().ok(),
        ranges: Some(terms(rules.ranges().iter().map(ToString::to_string))),
        listeners: Some(terms(rules.listeners().iter().map(|name| name.as_str()))),
        ..Change::default()
    };
    change.bounded()
}

fn terms<T: AsRef<str>>(texts: impl Iterator<Item = T>) -> Vec<Term> {
    texts.filter_map(|text| text.as_ref().parse().ok()).collect()
}
