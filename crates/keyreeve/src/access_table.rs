//! Roles, assignments and what vaults say about access, as tables for people.

use keyreeve_client::v1;

use crate::{
    principal,
    table::{fields, finish, or_dash, table, time},
};

/// One role.
pub(crate) fn role(role: &v1::Role) -> String {
    fields([
        ("role", role.title.clone()),
        ("id", id(&role.name).to_owned()),
        ("kind", kind(role).to_owned()),
        ("actions", role.actions.join(" ")),
        ("not actions", role.not_actions.join(" ")),
        ("data actions", role.data_actions.join(" ")),
        ("not data actions", role.not_data_actions.join(" ")),
        ("created", time(role.create_time)),
        ("updated", time(role.update_time)),
        ("etag", role.etag.clone()),
    ])
}

/// Roles, a line each.
pub(crate) fn roles(list: &v1::ListRolesResponse) -> String {
    let mut table = table(&["ROLE", "KIND", "ID"]);
    for role in &list.roles {
        table.add_row([role.title.as_str(), kind(role), id(&role.name)]);
    }
    finish(&table)
}

/// One assignment.
pub(crate) fn assignment(assignment: &v1::Assignment) -> String {
    fields([
        ("assignment", id(&assignment.name).to_owned()),
        ("role", assignment.role_title.clone()),
        ("to", principal::shown(assignment.principal.as_ref())),
        ("scope", assignment.scope.clone()),
        ("expires", time(assignment.expire_time)),
        ("made by", made_by(assignment).to_owned()),
        ("created", time(assignment.create_time)),
    ])
}

/// Assignments, a line each.
pub(crate) fn assignments(list: &v1::ListAssignmentsResponse) -> String {
    lines(&list.assignments)
}

/// Who the caller is, and what it holds.
pub(crate) fn who(who: &v1::WhoAmIResponse) -> String {
    let groups: Vec<_> = who.groups.iter().map(|group| principal::shown(Some(group))).collect();
    let head = fields([
        ("principal", principal::shown(who.principal.as_ref())),
        ("proven by", who.method.clone()),
        ("groups", groups.join(" ")),
    ]);
    match who.assignments.is_empty() {
        true => {
            format!("{head}\n\nno roles: an Owner can assign some, `keyreeve assignment create`")
        }
        false => format!("{head}\n\n{}", lines(&who.assignments)),
    }
}

/// What a vault says about access to its data.
pub(crate) fn access(access: &v1::VaultAccess) -> String {
    let model = match access.permission_model() {
        v1::vault_access::PermissionModel::Unspecified => "",
        v1::vault_access::PermissionModel::Roles => "roles",
        v1::vault_access::PermissionModel::AccessPolicies => "access policies",
    };
    let head = fields([
        ("vault", vault(access).to_owned()),
        ("access by", model.to_owned()),
        ("updated", time(access.update_time)),
        ("etag", access.etag.clone()),
    ]);
    if access.access_policies.is_empty() {
        return head;
    }
    let mut table = table(&["TO", "KEYS", "SECRETS", "CERTIFICATES"]);
    for policy in &access.access_policies {
        let list = |list: &[String]| or_dash(list.join(" "));
        table.add_row([
            principal::shown(policy.principal.as_ref()),
            list(&policy.keys),
            list(&policy.secrets),
            list(&policy.certificates),
        ]);
    }
    format!("{head}\n\n{}", finish(&table))
}

/// From where a vault's data can be reached.
pub(crate) fn network(access: &v1::VaultAccess) -> String {
    let rules = access.network_rules.clone().unwrap_or_default();
    let default = match rules.default_action() {
        v1::network_rules::DefaultAction::Deny => "deny",
        _ => "allow",
    };
    fields([
        ("vault", vault(access).to_owned()),
        ("default", default.to_owned()),
        ("ranges", rules.ip_ranges.join(" ")),
        ("listeners", rules.listeners.join(" ")),
        ("updated", time(access.update_time)),
        ("etag", access.etag.clone()),
    ])
}

fn lines(assignments: &[v1::Assignment]) -> String {
    let mut table = table(&["ROLE", "TO", "SCOPE", "EXPIRES", "MADE BY", "ID"]);
    for assignment in assignments {
        table.add_row([
            assignment.role_title.clone(),
            principal::shown(assignment.principal.as_ref()),
            assignment.scope.clone(),
            time(assignment.expire_time),
            made_by(assignment).to_owned(),
            id(&assignment.name).to_owned(),
        ]);
    }
    finish(&table)
}

fn made_by(assignment: &v1::Assignment) -> &'static str {
    if assignment.configured { "configuration" } else { "a call" }
}

fn kind(role: &v1::Role) -> &'static str {
    if role.custom { "custom" } else { "built in" }
}

fn id(name: &str) -> &str {
    name.rsplit('/').next().unwrap_or(name)
}

fn vault(access: &v1::VaultAccess) -> &str {
    access.name.split('/').nth(1).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Guards against a table that changes its columns unnoticed: scripts cut them.
    #[test]
    fn assignments_have_a_line_each() {
        let principal = v1::Holder { kind: "token".into(), name: "app".into(), issuer: "".into() };
        let list = v1::ListAssignmentsResponse {
            assignments: vec![v1::Assignment {
                name: "assignments/00000000-0000-0000-0000-000000000001".into(),
                role_title: "Owner".into(),
                principal: Some(principal),
                scope: "/".into(),
                configured: true,
                ..Default::default()
            }],
            next_page_token: String::new(),
        };
        let expected = "\
ROLE   TO         SCOPE  EXPIRES  MADE BY        ID
Owner  token:app  /      -        configuration  00000000-0000-0000-0000-000000000001";
        assert_eq!(assignments(&list), expected);
    }
}
