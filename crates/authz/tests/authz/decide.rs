//! The decision, against a reference that is slow and plain, and rule by rule.

use keyreeve_authz::{
    AccessPolicies, Action, Assignment, AssignmentId, Denial, GrantedBy, PermissionModel,
    Permissions, Plane, Policies, Principal, Resource, Right, Role, RoleDefinition, RoleId, Scope,
    Subject, VaultPolicy, decide,
};
use keyreeve_types::UnixTime;
use proptest::prelude::*;

use crate::world::{self, assignment, group, resource, subject, user};

const NOW: UnixTime = UnixTime(1000);

fn policies(assignments: &[Assignment]) -> Policies {
    assignments.iter().fold(Policies::new(), |policies, assignment| {
        policies.with_assignment(assignment.clone()).expect("an assignment")
    })
}

fn ask(policies: &Policies, subject: &Subject, action: Action, at: Resource<'_>) -> bool {
    decide(policies, subject, action, at, NOW).is_ok()
}

/// Guards against a default that is not denial.
#[test]
fn without_an_assignment_everything_is_denied() {
    let (policies, nobody) = (Policies::new(), subject("nobody", &["ops"]));
    for action in Action::ALL {
        for at in world::RESOURCES {
            assert!(!ask(&policies, &nobody, action, at), "{action} at {at}");
        }
    }
}

/// Guards against a name that acts as a pattern or a path: `*` is a user called `*`.
#[test]
fn a_name_with_metacharacters_is_a_name() {
    for name in ["*", "a*", "+", "/", "alice,bob", "alice/../bob", "${user}", "{{name}}"] {
        let held = assignment(1, "Key Vault Crypto User", user(name), "/");
        let policies = policies(&[held]);
        let sign = |who: &str| {
            ask(&policies, &subject(who, &[name]), Action::Sign, resource("/vaults/v/keys/k"))
        };
        assert!(sign(name), "{name}");
        for other in ["alice", "bob", "a", "alice,bob,", "**", ""] {
            if other != name && !other.is_empty() {
                assert!(!sign(other), "{name} is not {other}");
            }
        }
    }
}

/// Guards against an assignment that reaches the vault beside its own, the key beside
/// its own, or an object of another kind.
#[test]
fn an_assignment_reaches_its_scope_and_no_further() {
    let policies = policies(&[
        assignment(1, "Key Vault Crypto User", user("app"), "/vaults/v/keys/k"),
        assignment(2, "Key Vault Secrets User", user("app"), "/vaults/w"),
    ]);
    let app = subject("app", &[]);
    assert!(ask(&policies, &app, Action::Sign, Resource::key("V", "K")));
    assert!(!ask(&policies, &app, Action::Sign, Resource::key("v", "kk")));
    assert!(!ask(&policies, &app, Action::Sign, Resource::key("w", "k")));
    assert!(ask(&policies, &app, Action::GetSecret, Resource::secret("w", "s")));
    assert!(!ask(&policies, &app, Action::GetSecret, Resource::secret("v", "k")));
    assert!(!ask(&policies, &app, Action::ListKeys, Resource::Vault("v")), "a list is the vault's");
}

/// Guards against a check that passes because it asked about the wrong thing, as
/// signing "of a vault".
#[test]
fn an_action_is_asked_of_its_kind_of_resource() {
    let policies = policies(&[assignment(1, "Key Vault Administrator", user("admin"), "/")]);
    let admin = subject("admin", &[]);
    let why = |action, at| decide(&policies, &admin, action, at, NOW).err();
    assert_eq!(why(Action::Sign, Resource::Vault("v")), Some(Denial::WrongResource));
    assert_eq!(why(Action::Sign, Resource::secret("v", "k")), Some(Denial::WrongResource));
    assert_eq!(why(Action::GetSecret, Resource::key("v", "k")), Some(Denial::WrongResource));
    assert_eq!(why(Action::WriteRole, Resource::Vault("v")), Some(Denial::WrongResource));
    assert_eq!(why(Action::Sign, Resource::key("v", "k")), None);
}

/// Guards against roles that are assigned past the rules of `may_assign`, by whoever
/// has the right to assign.
#[test]
fn assigning_is_not_decided_here() {
    let policies = policies(&[assignment(1, "Owner", user("owner"), "/")]);
    let owner = subject("owner", &[]);
    for action in [Action::CreateAssignment, Action::DeleteAssignment] {
        let decision = decide(&policies, &owner, action, Resource::Vault("v"), NOW);
        assert_eq!(decision.err(), Some(Denial::WrongFunction));
    }
}

/// Guards against an owner or a manager of vaults who reads what is in them.
#[test]
fn who_manages_has_no_data() {
    for role in ["Owner", "Key Vault Contributor", "Key Vault Data Access Administrator"] {
        let policies = policies(&[assignment(1, role, user("boss"), "/")]);
        for action in Action::ALL.into_iter().filter(|a| a.plane() == Plane::Data) {
            for at in world::RESOURCES {
                assert!(!ask(&policies, &subject("boss", &[]), action, at), "{role}: {action}");
            }
        }
    }
}

/// Guards against an assignment that outlives its time by a second, and against a log
/// that cannot tell an expired assignment from none.
#[test]
fn an_assignment_ends_when_it_expires() {
    let mut held = assignment(7, "Key Vault Crypto User", user("app"), "/");
    held.expires = Some(UnixTime(1000));
    let policies = policies(&[held]);
    let app = subject("app", &[]);
    let at = |now| decide(&policies, &app, Action::Sign, Resource::key("v", "k"), UnixTime(now));
    assert_eq!(at(999).expect("a grant").by(), GrantedBy::Assignment(AssignmentId::from_u128(7)));
    assert_eq!(at(1000).err(), Some(Denial::Expired(AssignmentId::from_u128(7))));
    let nobody = subject("nobody", &[]);
    let no_role = decide(&policies, &nobody, Action::Sign, Resource::key("v", "k"), NOW);
    assert_eq!(no_role.err(), Some(Denial::NoRole));
}

/// Guards against a log that names another assignment than the one that decided, or a
/// grant for another action or resource than was asked for.
#[test]
fn a_grant_says_what_was_granted_and_by_what() {
    let policies = policies(&[
        assignment(1, "Key Vault Administrator", group("ops"), "/"),
        assignment(2, "Key Vault Reader", user("app"), "/"),
        assignment(3, "Key Vault Crypto User", user("app"), "/vaults/v"),
        assignment(4, "Key Vault Crypto User", user("app"), "/vaults/v/keys/k"),
    ]);
    let app = subject("app", &["ops"]);
    let by = |action, at: &'static str| {
        let grant = decide(&policies, &app, action, resource(at), NOW).expect("a grant");
        assert_eq!((grant.action(), grant.resource().to_string().as_str()), (action, at));
        match grant.by() {
            GrantedBy::Assignment(id) => id.as_u128(),
            GrantedBy::AccessPolicy(_) => 0,
        }
    };
    assert_eq!(by(Action::Sign, "/vaults/v/keys/k"), 4);
    assert_eq!(by(Action::Sign, "/vaults/v/keys/l"), 3);
    assert_eq!(by(Action::GetKey, "/vaults/w/keys/k"), 2);
    assert_eq!(by(Action::Sign, "/vaults/w/keys/k"), 1);
}

fn legacy(entries: &[(Principal, &[(&str, &str)])]) -> VaultPolicy {
    let mut access_policies = AccessPolicies::default();
    for (holder, names) in entries {
        let permissions = names.iter().fold(Permissions::NONE, |set, (kind, name)| {
            let kind = keyreeve_authz::ObjectKind::ALL
                .into_iter()
                .find(|k| k.collection() == *kind)
                .expect("a kind");
            set.union(Permissions::parse(kind, name).expect("a permission"))
        });
        access_policies = access_policies.with(holder.clone(), permissions).expect("room");
    }
    VaultPolicy { model: PermissionModel::AccessPolicies, access_policies, ..Default::default() }
}

/// Guards against a vault that goes by both models, where taking a right away in one
/// leaves it in the other.
#[test]
fn a_vault_goes_by_one_model() {
    let name = "Old".parse().expect("a name");
    let by_policy =
        legacy(&[(user("app"), &[("keys", "Sign")]), (group("ops"), &[("keys", "all")])]);
    let roles = policies(&[
        assignment(1, "Key Vault Administrator", user("admin"), "/"),
        assignment(2, "Owner", user("owner"), "/"),
    ]);
    let policies = roles.with_vault(&name, by_policy.clone());
    let at = Resource::key("OLD", "k");
    assert!(ask(&policies, &subject("app", &[]), Action::Sign, at));
    assert!(!ask(&policies, &subject("app", &[]), Action::Decrypt, at));
    assert!(!ask(&policies, &subject("app", &[]), Action::Sign, Resource::key("new", "k")));
    assert!(!ask(&policies, &subject("admin", &[]), Action::Sign, at), "roles do not count");
    assert!(ask(&policies, &subject("admin", &[]), Action::Sign, Resource::key("new", "k")));
    let member = subject("member", &["ops"]);
    let grant = decide(&policies, &member, Action::Decrypt, at, NOW).expect("a grant");
    assert_eq!(grant.by(), GrantedBy::AccessPolicy(&group("ops")));
    assert!(!ask(&policies, &member, Action::PurgeKey, at), "`all` is not `purge`");
    assert!(ask(&policies, &subject("owner", &[]), Action::UpdateVault, Resource::Vault("old")));

    let inert = VaultPolicy { model: PermissionModel::Roles, ..by_policy };
    let policies = roles.with_vault(&name, inert);
    assert!(!ask(&policies, &subject("app", &[]), Action::Sign, at));
    assert!(ask(&policies, &subject("admin", &[]), Action::Sign, at));
}

/// Guards against the next vault or key of a purged one's name, which opens to whoever
/// the last one was open to.
#[test]
fn what_is_purged_takes_its_assignments_along() {
    let name = "v".parse().expect("a name");
    let all = policies(&[
        assignment(1, "Key Vault Crypto User", user("a"), "/vaults/v/keys/k"),
        assignment(2, "Key Vault Crypto User", user("b"), "/vaults/V"),
        assignment(3, "Key Vault Crypto User", user("c"), "/"),
        assignment(4, "Key Vault Crypto User", user("d"), "/vaults/vv"),
        assignment(5, "Key Vault Data Access Administrator", user("e"), "/vaults/v"),
    ])
    .with_vault(&name, legacy(&[]));
    let ids = |policies: &Policies| -> Vec<u128> {
        policies.assignments().map(|a| a.id.as_u128()).collect()
    };
    let scope = |text: &str| text.parse::<Scope>().expect("a scope");
    assert_eq!(ids(&all.without_scope(&scope("/vaults/v/keys/K"))), [2, 3, 4, 5]);
    assert!(all.without_scope(&scope("/vaults/v/keys/k")).vault("v").is_some());
    let purged = all.without_scope(&scope("/vaults/v"));
    assert_eq!(ids(&purged), [3, 4, 5], "who assigned is remembered, and assigns no more");
    let former = purged.assignment(AssignmentId::from_u128(5)).expect("an assignment");
    assert!(former.has_expired(UnixTime(0)));
    assert!(purged.vault("v").is_none());
    assert_eq!(purged.assignments_of(&user("b")).count(), 0);
}

/// Guards against a changed role that keeps its old rights where it is assigned.
#[test]
fn a_changed_role_changes_for_all_who_hold_it() {
    let role = |data: &str| {
        let definition = RoleDefinition::new(&[], &[], &[data], &[]).expect("a definition");
        Role::custom(RoleId::from_u128(5), "Signer", definition).expect("a role")
    };
    let (sign, verify) = (Right::KeysSign.name(), Right::KeysVerify.name());
    let policies = Policies::new().with_role(role(sign)).expect("a role");
    let held = Assignment { role: RoleId::from_u128(5), ..assignment(1, "Owner", user("a"), "/") };
    let policies = policies.with_assignment(held).expect("an assignment");
    let at = Resource::key("v", "k");
    assert!(ask(&policies, &subject("a", &[]), Action::Sign, at));
    let changed = policies.with_role(role(verify)).expect("a role");
    assert!(!ask(&changed, &subject("a", &[]), Action::Sign, at));
    assert!(ask(&changed, &subject("a", &[]), Action::Verify, at));
    assert!(ask(&policies, &subject("a", &[]), Action::Sign, at), "the old snapshot is the old");
    assert!(changed.without_role(RoleId::from_u128(5)).is_err(), "it is assigned");
}

/// The rule, said plainly: some assignment of the subject or its groups whose role has
/// a right that allows the action, whose scope is a prefix of the resource, in time.
fn reference(
    policies: &Policies,
    subject: &Subject,
    action: Action,
    at: Resource<'_>,
    now: UnixTime,
) -> bool {
    let at = at.to_string().to_ascii_lowercase();
    let holders: Vec<_> = std::iter::once(subject.principal()).chain(subject.groups()).collect();
    let vault = at.strip_prefix("/vaults/").map(|rest| rest.split('/').next().unwrap_or(rest));
    let vault = vault.and_then(|name| policies.vault(name));
    if let (Some(vault), Plane::Data) = (vault, action.plane())
        && vault.model == PermissionModel::AccessPolicies
    {
        return vault.access_policies.iter().any(|(holder, permissions)| {
            holders.contains(&holder)
                && permissions.iter().any(|p| action.permissions().contains(p))
        });
    }
    policies.assignments().any(|a| {
        let role = policies.role(a.role).expect("a role");
        let scope = a.scope.to_string().to_ascii_lowercase();
        holders.contains(&&a.holder)
            && action.rights().iter().any(|right| role.rights().contains(right))
            && (scope == "/" || at == scope || at.starts_with(&format!("{scope}/")))
            && a.expires.is_none_or(|expires| now < expires)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Guards against any way in which the fast look-up differs from the rule: an order
    /// that misses an assignment, a group left out, an expiry not looked at.
    #[test]
    fn a_decision_is_what_the_reference_says(
        held in prop::collection::vec(world::assignments(), 0..30),
        crowded: bool,
        removed in prop::collection::vec(0..30u128, 0..4),
        legacy_vault: bool,
        who in 0..world::NAMES.len(),
        groups in prop::collection::vec(0..world::NAMES.len(), 0..3),
        now in 0..4i64,
    ) {
        let mut policies = Policies::new();
        for (i, assignment) in held.into_iter().enumerate() {
            let id = AssignmentId::from_u128(i as u128);
            // A long list is searched in another way than a short one.
            let holder = if crowded { user(world::NAMES[0]) } else { assignment.holder.clone() };
            let assignment = Assignment { holder, ..assignment };
            // The same role for the same holder at the same scope is refused.
            policies = policies.with_assignment(Assignment { id, ..assignment }).unwrap_or(policies);
        }
        for id in removed {
            policies = policies.without_assignment(AssignmentId::from_u128(id));
        }
        if legacy_vault {
            let entries: &[(Principal, &[(&str, &str)])] = &[
                (user(world::NAMES[0]), &[("keys", "sign"), ("secrets", "get")]),
                (group(world::NAMES[1]), &[("keys", "all")]),
            ];
            policies = policies.with_vault(&"v".parse().expect("a name"), legacy(entries));
        }
        let groups: Vec<_> = groups.iter().map(|i| world::NAMES[*i]).collect();
        let subject = subject(world::NAMES[who], &groups);
        for action in Action::ALL {
            if matches!(action, Action::CreateAssignment | Action::DeleteAssignment) {
                continue;
            }
            for at in world::RESOURCES {
                let decision = decide(&policies, &subject, action, at, UnixTime(now));
                if decision.as_ref().err() == Some(&Denial::WrongResource) {
                    continue;
                }
                let expected = reference(&policies, &subject, action, at, UnixTime(now));
                prop_assert_eq!(decision.is_ok(), expected, "{} at {}: {:?}", action, at, decision);
                if let Ok(grant) = decision
                    && let GrantedBy::Assignment(id) = grant.by()
                {
                    let by = policies.assignment(id).expect("it exists");
                    let role = policies.role(by.role).expect("a role");
                    prop_assert!(role.rights().intersects(action.rights()));
                    prop_assert!(by.scope.contains(at) && !by.has_expired(UnixTime(now)));
                }
            }
        }
    }
}

/// Guards against a matrix in which an action can be asked of nothing.
#[test]
fn every_action_fits_some_resource() {
    let (policies, nobody) = (Policies::new(), subject("nobody", &[]));
    for action in Action::ALL {
        let fits = |at: &Resource<'_>| {
            let decision = decide(&policies, &nobody, action, *at, NOW);
            decision.err() != Some(Denial::WrongResource)
        };
        assert!(world::RESOURCES.iter().any(fits), "{action}");
    }
}
