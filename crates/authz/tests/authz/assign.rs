//! Who may assign a role, and take it away.

use keyreeve_authz::{
    Action, Assignment, AssignmentId, Denial, GrantedBy, Policies, PolicyError, Right, Role,
    RoleDefinition, RoleId, may_assign, may_unassign,
};
use keyreeve_types::UnixTime;

use crate::world::{assignment, group, subject, user};

const NOW: UnixTime = UnixTime(1000);
const DELEGATE: &str = "Key Vault Data Access Administrator";

fn policies() -> Policies {
    let assignments = [
        assignment(1, "Owner", user("owner"), "/"),
        assignment(2, "Owner", user("tenant"), "/vaults/v"),
        assignment(3, DELEGATE, user("delegate"), "/vaults/v"),
        assignment(4, "Key Vault Contributor", user("manager"), "/"),
        assignment(5, "Key Vault Administrator", user("data"), "/"),
        assignment(6, DELEGATE, user("other"), "/vaults/w"),
    ];
    assignments.into_iter().fold(Policies::new(), |policies, assignment| {
        policies.with_assignment(assignment).expect("an assignment")
    })
}

/// What becomes of `who` assigning `role` to the user `to` at `scope`.
fn attempt(policies: &Policies, who: &str, role: &str, to: &str, scope: &str) -> Option<Denial> {
    let wanted = assignment(99, role, user(to), scope);
    may_assign(policies, &subject(who, &[]), &wanted, NOW).err()
}

/// Guards against assignments by who has no right to make them, at the scope or at all,
/// and by who has every right to the data.
#[test]
fn assigning_takes_the_right_at_the_scope() {
    let policies = policies();
    let user_role = "Key Vault Crypto User";
    for (who, scope, denial) in [
        ("owner", "/", None),
        ("owner", "/vaults/v/keys/k", None),
        ("tenant", "/vaults/v", None),
        ("tenant", "/vaults/V/keys/k", None),
        ("tenant", "/vaults/w", Some(Denial::NotGranted)),
        ("tenant", "/", Some(Denial::NotGranted)),
        ("delegate", "/vaults/v", None),
        ("delegate", "/vaults/w", Some(Denial::NotGranted)),
        ("delegate", "/", Some(Denial::NotGranted)),
        ("manager", "/vaults/v", Some(Denial::NotGranted)),
        ("data", "/vaults/v", Some(Denial::NotGranted)),
        ("nobody", "/vaults/v", Some(Denial::NoRole)),
    ] {
        assert_eq!(attempt(&policies, who, user_role, "app", scope), denial, "{who} at {scope}");
    }
}

/// Guards against a delegate that hands out roles to manage, to release keys, or its own.
#[test]
fn a_delegate_assigns_the_roles_of_the_condition_alone() {
    let policies = policies();
    for role in Role::built_in() {
        let denial = attempt(&policies, "delegate", role.name(), "app", "/vaults/v");
        let expected = (!role.id().is_delegable()).then_some(Denial::OwnersRole);
        assert_eq!(denial, expected, "{}", role.name());
        assert_eq!(attempt(&policies, "tenant", role.name(), "app", "/vaults/v"), None);
    }
}

/// Guards against the known way up: a delegate that assigns to itself, to a group it is
/// or will be in, or to another delegate that returns the favour.
#[test]
fn a_delegate_opens_nothing_to_delegates() {
    let policies = policies();
    let role = "Key Vault Administrator";
    let to = |name| attempt(&policies, "delegate", role, name, "/vaults/v");
    assert_eq!(to("delegate"), Some(Denial::ToItself));
    assert_eq!(to("other"), Some(Denial::ToAdministrator));
    assert_eq!(to("manager"), None);
    let wanted = assignment(99, role, group("ops"), "/vaults/v");
    let by = |who| may_assign(&policies, &subject(who, &[]), &wanted, NOW).err();
    assert_eq!(by("delegate"), Some(Denial::ToGroup));
    assert_eq!(by("owner"), None);
    assert_eq!(attempt(&policies, "owner", role, "owner", "/"), None, "an Owner may");
}

/// Guards against a delegate that waits until another one's time has passed, and gets
/// its reward then.
#[test]
fn a_delegate_stays_one_until_an_owner_takes_it_away() {
    let mut held = assignment(7, DELEGATE, user("former"), "/vaults/w");
    held.expires = Some(UnixTime(10));
    let policies = policies().with_assignment(held).expect("an assignment");
    let to = |policies: &Policies| {
        attempt(policies, "delegate", "Key Vault Reader", "former", "/vaults/v")
    };
    assert_eq!(to(&policies), Some(Denial::ToAdministrator));
    let id = AssignmentId::from_u128(7);
    let by = |who| may_unassign(&policies, &subject(who, &[]), id, NOW).err();
    assert_eq!(by("former"), Some(Denial::Expired(id)));
    assert_eq!(by("other"), Some(Denial::OwnersRole));
    assert_eq!(by("owner"), None);
    assert_eq!(to(&policies.without_assignment(id)), None);
}

/// Guards against a delegate that takes owners and delegates away, or what lies outside
/// its scope.
#[test]
fn a_delegate_takes_away_what_it_could_give() {
    let policies = policies()
        .with_assignment(assignment(8, "Key Vault Crypto User", user("app"), "/vaults/v/keys/k"))
        .expect("an assignment");
    let by = |who, id| {
        may_unassign(&policies, &subject(who, &[]), AssignmentId::from_u128(id), NOW).err()
    };
    assert_eq!(by("delegate", 8), None);
    assert_eq!(by("other", 8), Some(Denial::NotGranted));
    assert_eq!(by("delegate", 2), Some(Denial::OwnersRole));
    assert_eq!(by("delegate", 3), Some(Denial::OwnersRole), "its own");
    assert_eq!(by("delegate", 5), Some(Denial::NotGranted), "above its scope");
    assert_eq!(by("manager", 8), Some(Denial::NotGranted));
    assert_eq!(by("owner", 1234), Some(Denial::UnknownAssignment));
}

/// Guards against an installation that nobody can administer any more.
#[test]
fn the_last_owner_of_everything_stays() {
    let policies = policies();
    let id = AssignmentId::from_u128(1);
    let owner = subject("owner", &[]);
    let last = |policies: &Policies| may_unassign(policies, &owner, id, NOW).err();
    assert_eq!(last(&policies), Some(Denial::LastOwner), "the one at a vault does not count");
    let mut brief = assignment(7, "Owner", user("guest"), "/");
    brief.expires = Some(UnixTime(5000));
    let policies = policies.with_assignment(brief).expect("an assignment");
    assert_eq!(last(&policies), Some(Denial::LastOwner), "nor one that will expire");
    let second = assignment(8, "Owner", group("owners"), "/");
    let policies = policies.with_assignment(second).expect("an assignment");
    assert_eq!(last(&policies), None);
}

/// Guards against a custom role that lets its holder assign without the rules, and
/// against a group of delegates, whose members nobody here knows.
#[test]
fn a_custom_role_that_assigns_makes_a_delegate_of_one_principal() {
    let write = Right::AssignmentsWrite.name();
    let role = |actions: &[&str]| {
        let definition = RoleDefinition::new(actions, &[], &["*"], &[]).expect("a definition");
        Role::custom(RoleId::from_u128(5), "Helpdesk", definition).expect("a role")
    };
    let with_role = policies().with_role(role(&[write])).expect("a role");
    let held =
        |holder| Assignment { role: RoleId::from_u128(5), ..assignment(9, "Owner", holder, "/") };
    assert_eq!(
        with_role.with_assignment(held(group("ops"))).err(),
        Some(PolicyError::DelegatingGroup)
    );
    let delegates = with_role.with_assignment(held(user("desk"))).expect("an assignment");
    let by_desk = |role, to| attempt(&delegates, "desk", role, to, "/");
    assert_eq!(by_desk("Owner", "app"), Some(Denial::OwnersRole));
    assert_eq!(by_desk("Key Vault Reader", "desk"), Some(Denial::ToItself));
    assert_eq!(by_desk("Key Vault Reader", "delegate"), Some(Denial::ToAdministrator));
    assert_eq!(by_desk("Key Vault Reader", "app"), None);

    let harmless = policies().with_role(role(&[])).expect("a role");
    let group_has_it = harmless.with_assignment(held(group("ops"))).expect("an assignment");
    assert_eq!(group_has_it.with_role(role(&[write])).err(), Some(PolicyError::DelegatingGroup));
}

/// Guards against a log that does not say by what right somebody assigned.
#[test]
fn the_grant_names_the_assignment_that_allowed_it() {
    let policies = policies();
    let wanted = assignment(99, "Key Vault Reader", user("app"), "/vaults/v");
    let delegate = subject("delegate", &[]);
    let grant = may_assign(&policies, &delegate, &wanted, NOW).expect("a grant");
    assert_eq!(grant.action(), Action::CreateAssignment);
    assert_eq!(grant.resource().to_string(), "/vaults/v");
    assert_eq!(grant.by(), GrantedBy::Assignment(AssignmentId::from_u128(3)));
}
