//! The matrix of built-in roles and actions, as a golden file and as docs/roles.md.
//!
//! Both are made by asking: each role is assigned at `/` and every action decided.

use std::{fmt::Write as _, path::Path};

use keyreeve_authz::{
    Action, ObjectKind, Permission, Plane, Policies, Resource, Right, Role, decide,
};
use keyreeve_types::UnixTime;

use crate::golden::{compare, compare_page_of_roles};
use crate::world::{self, assignment, subject, user};

const BLESS: &str = "KEYREEVE_BLESS=1 cargo test -p keyreeve-authz --test authz matrix";

/// Guards against a role that grants more or less after a change that was not about it.
#[test]
fn the_matrix_of_roles_and_actions_is_the_golden_file() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/roles.txt");
    let made = golden();
    compare(&path, &made, BLESS);
}

/// Guards against a page that promises what a role does not grant, or is silent about
/// what it does.
#[test]
fn the_page_of_roles_is_what_is_decided() {
    compare_page_of_roles(&tables(), BLESS);
}

/// Whether `role`, held at `/`, allows `action` on a resource it can be asked of.
fn allows(role: &Role, action: Action) -> bool {
    if matches!(action, Action::CreateAssignment | Action::DeleteAssignment) {
        return role.rights().intersects(action.rights());
    }
    let holder = assignment(1, role.name(), user("holder"), "/");
    let policies = Policies::new().with_assignment(holder).expect("an assignment");
    let who = subject("holder", &[]);
    let at = |at: Resource<'static>| decide(&policies, &who, action, at, UnixTime(0)).is_ok();
    world::RESOURCES.into_iter().any(at)
}

/// One line for each action: its name and a mark for each role; then the roles.
fn golden() -> String {
    let mut text = String::new();
    for (i, role) in Role::built_in().iter().enumerate() {
        writeln!(text, "{:>24} {i:>2} = {} {}", "", role.id(), role.name()).expect("memory");
    }
    let heads: String = (0..Role::built_in().len()).map(|i| format!("{i:>3}")).collect();
    writeln!(text, "\n{:24}{heads}", "").expect("memory");
    for action in Action::ALL {
        let marks = Role::built_in().iter().map(|role| match allows(role, action) {
            true => "  x",
            false => "  .",
        });
        writeln!(text, "{:24}{}", action.name(), marks.collect::<String>()).expect("memory");
    }
    text
}

fn tables() -> String {
    let mut text = String::new();
    text.push_str("| role | GUID |\n|---|---|\n");
    for role in Role::built_in() {
        writeln!(text, "| {} | `{}` |", role.name(), role.id()).expect("memory");
    }
    for (title, plane) in [("Vaults, roles, identities", Plane::Management), ("Keys", Plane::Data)]
    {
        let actions: Vec<_> =
            Action::ALL.into_iter().filter(|a| a.plane() == plane && is_offered(*a)).collect();
        let grants = |role: &Role| actions.iter().any(|action| allows(role, *action));
        let roles: Vec<_> = Role::built_in().iter().filter(|role| grants(role)).collect();
        let heads: Vec<_> = roles.iter().map(|role| short(role.name())).collect();
        let (heads, rule) = (heads.join(" | "), "---|".repeat(roles.len() + 2));
        writeln!(text, "\n### {title}\n\n| action | {heads} | allowed by |\n|{rule}")
            .expect("memory");
        for action in actions {
            let marks = roles.iter().map(|role| match allows(role, action) {
                true => "yes",
                false => "–",
            });
            let marks: Vec<_> = marks.collect();
            let by = by(action);
            writeln!(text, "| {action} | {} | {by} |", marks.join(" | ")).expect("memory");
        }
    }
    text.push('\n');
    text
}

/// Whether there is an operation for the action. The page speaks of no other.
fn is_offered(action: Action) -> bool {
    let secrets_and_certificates =
        action.permissions().iter().any(|permission| permission.kind() != ObjectKind::Key);
    let not_yet = matches!(
        action,
        // Public: it is decided without roles.
        Action::GetJwks
            | Action::DeleteVault
            | Action::GetDeletedVault
            | Action::ListDeletedVaults
            | Action::RecoverVault
            | Action::PurgeVault
            | Action::GetRotationPolicy
            | Action::SetRotationPolicy
            | Action::DeleteKey
            | Action::GetDeletedKey
            | Action::ListDeletedKeys
            | Action::RecoverKey
            | Action::PurgeKey
            | Action::BackupKey
            | Action::RestoreKey
            | Action::ReleaseKey
    );
    !secrets_and_certificates && !not_yet
}

fn short(name: &str) -> &str {
    name.strip_prefix("Key Vault ").unwrap_or(name)
}

/// Rights, and permissions where the vault has access policies.
fn by(action: Action) -> String {
    let cut = |right: Right| {
        let name = right.name();
        let prefix = match right.plane() {
            Plane::Data => "Microsoft.KeyVault/vaults/",
            Plane::Management => "Microsoft.",
        };
        format!("`{}`", name.strip_prefix(prefix).unwrap_or(name))
    };
    let rights: Vec<_> = action.rights().iter().map(cut).collect();
    let permissions: Vec<_> =
        action.permissions().iter().map(|p: Permission| format!("`{}`", p.name())).collect();
    match permissions.is_empty() {
        true => rights.join(" or "),
        false => format!("{}; {}", rights.join(" or "), permissions.join(" or ")),
    }
}
