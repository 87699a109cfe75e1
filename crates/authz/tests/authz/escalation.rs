//! Management never leads to data: whatever non-owners do, in whatever order and in
//! league, none of them ends with a data right it did not have.
//!
//! The world here does what the service will do with a granted call, and nothing else.
//! What a delegate gives to somebody who assigns nothing is its office and no
//! escalation; so the claim is about those who made the calls that assign, and, where no
//! delegate is at work, about everybody.

use std::collections::BTreeSet;

use keyreeve_authz::{
    AccessPolicies, Action, Assignment, AssignmentId, Permission, PermissionModel, Permissions,
    Plane, Policies, Principal, Right, Role, RoleDefinition, RoleId, Scope, Subject, VaultPolicy,
    decide, may_assign, may_unassign,
};
use keyreeve_types::{Name, UnixTime};
use proptest::prelude::*;

use crate::world::{self, NAMES, RESOURCES, user};

/// One call of management, by the user of that index, with every group at hand or none.
#[derive(Debug, Clone)]
struct Call {
    by: usize,
    in_all_groups: bool,
    what: What,
}

#[derive(Debug, Clone)]
enum What {
    Assign(Assignment),
    Unassign(u128),
    OpenByPolicy { vault: &'static str, for_whom: Principal },
    SwitchModel { vault: &'static str, model: PermissionModel },
    ChangeVault { vault: &'static str },
    DeleteVault { vault: &'static str },
    PurgeVault { vault: &'static str },
    WriteRole { actions: Vec<&'static str>, data: bool },
    DeleteRole,
    WriteIdentity,
    Wait,
}

/// The id of the one custom role there is, which calls try to change.
const CUSTOM: RoleId = RoleId::from_u128(5);

fn whats() -> impl Strategy<Value = What> {
    let vault = || proptest::sample::select(&["v", "w"][..]);
    let model =
        proptest::sample::select(&[PermissionModel::Roles, PermissionModel::AccessPolicies][..]);
    let management = Right::ALL.map(Right::name);
    prop_oneof![
        12 => wanted().prop_map(What::Assign),
        3 => (0..40u128).prop_map(What::Unassign),
        2 => (vault(), world::holders())
            .prop_map(|(vault, for_whom)| What::OpenByPolicy { vault, for_whom }),
        1 => (vault(), model).prop_map(|(vault, model)| What::SwitchModel { vault, model }),
        1 => vault().prop_map(|vault| What::ChangeVault { vault }),
        1 => vault().prop_map(|vault| What::DeleteVault { vault }),
        1 => vault().prop_map(|vault| What::PurgeVault { vault }),
        2 => (prop::collection::vec(proptest::sample::select(management.to_vec()), 0..3), any::<bool>())
            .prop_map(|(actions, data)| What::WriteRole { actions, data }),
        1 => Just(What::DeleteRole),
        1 => Just(What::WriteIdentity),
        1 => Just(What::Wait),
    ]
}

fn calls() -> impl Strategy<Value = Vec<Call>> {
    let call = (0..NAMES.len(), any::<bool>(), whats())
        .prop_map(|(by, in_all_groups, what)| Call { by, in_all_groups, what });
    prop::collection::vec(call, 1..60)
}

/// As the world's, but most of them of roles that manage, and half of them wide and for
/// good, so that many calls are granted.
fn assignments() -> impl Strategy<Value = Assignment> {
    let managing = ["Contributor", "Data Access Administrator", "Purge Operator"]
        .map(|name| world::role_named(&format!("Key Vault {name}")));
    let [contributor, delegate, purger] = managing;
    let managing = [contributor, delegate, delegate, delegate, purger, CUSTOM];
    let managing = prop::option::weighted(0.6, proptest::sample::select(managing.to_vec()));
    let wide = prop::option::of(
        prop_oneof![3 => Just("/"), 1 => Just("/vaults/v"), 1 => Just("/vaults/w")],
    );
    (world::assignments(), managing, wide).prop_map(|(assignment, managing, wide)| {
        let scope = wide.map(|text| text.parse().expect("a scope"));
        Assignment {
            role: managing.unwrap_or(assignment.role),
            expires: if scope.is_some() { None } else { assignment.expires },
            scope: scope.unwrap_or(assignment.scope),
            ..assignment
        }
    })
}

/// An assignment that a call asks for: mostly one that a delegate may make.
fn wanted() -> impl Strategy<Value = Assignment> {
    let delegable: Vec<_> =
        Role::built_in().iter().map(|role| role.id()).filter(|id| id.is_delegable()).collect();
    let delegable = prop::option::weighted(0.8, proptest::sample::select(delegable));
    (assignments(), delegable).prop_map(|(assignment, delegable)| Assignment {
        role: delegable.unwrap_or(assignment.role),
        ..assignment
    })
}

/// A start without owners, in which the custom role grants some management and data.
fn starts() -> impl Strategy<Value = Policies> {
    let management: Vec<_> = Right::ALL
        .into_iter()
        .filter(|r| r.plane() == Plane::Management && !Right::OWNER_ONLY.contains(r))
        .map(Right::name)
        .collect();
    let actions = prop::sample::subsequence(management, 0..4);
    let assignments = prop::collection::vec(assignments(), 0..16);
    let legacy = (prop::collection::vec(world::holders(), 0..3), any::<bool>());
    (actions, assignments, legacy).prop_map(|(actions, assignments, (holders, in_force))| {
        let mut policies = Policies::new().with_role(custom(&actions, true)).expect("a role");
        for (i, assignment) in assignments.into_iter().enumerate() {
            if assignment.role != RoleId::OWNER {
                let id = AssignmentId::from_u128(i as u128);
                let next = policies.with_assignment(Assignment { id, ..assignment });
                policies = next.unwrap_or(policies);
            }
        }
        let model = if in_force { PermissionModel::AccessPolicies } else { PermissionModel::Roles };
        let access_policies = holders.into_iter().fold(AccessPolicies::default(), opened);
        let vault = VaultPolicy { model, access_policies, ..VaultPolicy::default() };
        policies.with_vault(&name("v"), vault)
    })
}

fn custom(actions: &[&str], data: bool) -> Role {
    let actions: BTreeSet<_> = actions.iter().copied().collect();
    let actions: Vec<_> = actions.into_iter().collect();
    let data: &[&str] = if data || actions.is_empty() { &["*/keys/*"] } else { &[] };
    let definition = RoleDefinition::new(&actions, &[], data, &[]).expect("a definition");
    Role::custom(CUSTOM, "Custom", definition).expect("a role")
}

fn opened(policies: AccessPolicies, holder: Principal) -> AccessPolicies {
    let all: Permissions = Permission::ALL.into_iter().collect();
    policies.with(holder, all).expect("room")
}

fn name(text: &str) -> Name {
    text.parse().expect("a name")
}

/// The user of that index, with every group there is or with none.
fn subject(index: usize, in_all_groups: bool) -> Subject {
    world::subject(NAMES[index], if in_all_groups { &NAMES } else { &[] })
}

/// What a run of calls was like.
struct Run {
    policies: Policies,
    now: UnixTime,
    /// Vaults that are no longer the ones that were there at the start.
    purged: BTreeSet<&'static str>,
    granted: usize,
}

impl Run {
    fn new(policies: Policies) -> Self {
        Self { policies, now: UnixTime(0), purged: BTreeSet::new(), granted: 0 }
    }

    /// Does what is granted and passes over what is denied.
    fn make(&mut self, call: &Call, serial: usize) {
        let subject = subject(call.by, call.in_all_groups);
        let may = |policies: &Policies, action, scope: &Scope| {
            decide(policies, &subject, action, scope.resource(), self.now).is_ok()
        };
        let (here, all) = (&self.policies, Scope::Service);
        let at = |vault: &str| Scope::Vault(name(vault));
        let after = match &call.what {
            What::Assign(assignment) => {
                let id = AssignmentId::from_u128(100 + serial as u128);
                let assignment = Assignment { id, ..assignment.clone() };
                may_assign(here, &subject, &assignment, self.now)
                    .is_ok()
                    .then(|| here.with_assignment(assignment).ok())
                    .flatten()
            }
            What::Unassign(id) => {
                let nth = here.assignments().nth(*id as usize % here.assignments().count().max(1));
                nth.filter(|a| may_unassign(here, &subject, a.id, self.now).is_ok())
                    .map(|a| here.without_assignment(a.id))
            }
            What::OpenByPolicy { vault, for_whom } => {
                may(here, Action::SetAccessPolicies, &at(vault)).then(|| {
                    let mut policy = here.vault(vault).cloned().unwrap_or_default();
                    policy.access_policies = opened(policy.access_policies, for_whom.clone());
                    here.with_vault(&name(vault), policy)
                })
            }
            What::SwitchModel { vault, model } => may(here, Action::SetAccessPolicies, &at(vault))
                .then(|| {
                    let policy = here.vault(vault).cloned().unwrap_or_default();
                    here.with_vault(&name(vault), VaultPolicy { model: *model, ..policy })
                }),
            What::ChangeVault { vault } => may(here, Action::UpdateVault, &at(vault)).then(|| {
                let policy = here.vault(vault).cloned().unwrap_or_default();
                let network = keyreeve_authz::NetworkRules::default();
                here.with_vault(&name(vault), VaultPolicy { network, ..policy })
            }),
            What::DeleteVault { vault } => {
                may(here, Action::DeleteVault, &at(vault)).then(|| here.clone())
            }
            What::PurgeVault { vault } => {
                may(here, Action::PurgeVault, &at(vault)).then(|| here.without_scope(&at(vault)))
            }
            What::WriteRole { actions, data } => {
                let management: Vec<_> = actions
                    .iter()
                    .copied()
                    .filter(|text| RoleDefinition::new(&[text], &[], &[], &[]).is_ok())
                    .filter(|text| !Right::OWNER_ONLY.iter().any(|right| right.name() == *text))
                    .collect();
                let role = custom(&management, *data);
                may(here, Action::WriteRole, &all).then(|| here.with_role(role).ok()).flatten()
            }
            What::DeleteRole => may(here, Action::DeleteRole, &all)
                .then(|| here.without_role(CUSTOM).ok())
                .flatten(),
            What::WriteIdentity => {
                let may_be_anybody = may(here, Action::WriteIdentity, &all);
                assert!(!may_be_anybody, "a non-owner that can issue a credential of anybody");
                None
            }
            What::Wait => {
                self.now.0 += 1;
                None
            }
        };
        if let Some(after) = after {
            self.policies = after;
            self.granted += 1;
            if let What::PurgeVault { vault } = call.what {
                self.purged.insert(vault);
            }
        }
    }
}

/// Every data right of the user of that index, with all groups it could be in.
fn data(policies: &Policies, index: usize, now: UnixTime) -> BTreeSet<(Action, String)> {
    let subject = subject(index, true);
    let actions = Action::ALL.into_iter().filter(|action| action.plane() == Plane::Data);
    let pairs = actions.flat_map(|action| RESOURCES.map(|at| (action, at)));
    pairs
        .filter(|(action, at)| decide(policies, &subject, *action, *at, now).is_ok())
        .map(|(action, at)| (action, at.to_string().to_ascii_lowercase()))
        .collect()
}

/// What is there now and was not at the start, leaving out vaults that are new.
fn gained(run: &Run, start: &Policies, index: usize) -> Vec<(Action, String)> {
    let before = data(start, index, UnixTime(0));
    let after = data(&run.policies, index, run.now);
    let same_vault =
        |at: &str| !run.purged.iter().any(|vault| at.split('/').nth(2) == Some(*vault));
    after.difference(&before).filter(|(_, at)| same_vault(at)).cloned().collect()
}

/// Whether the user has, or had, a right to assign roles.
fn delegate(policies: &Policies, index: usize) -> bool {
    policies.assignments_of(&user(NAMES[index])).any(|a| {
        let rights = policies.role(a.role).expect("a role").rights();
        rights.contains(Right::AssignmentsWrite) || rights.contains(Right::AssignmentsDelete)
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    /// Guards against a way from managing to data, by any sequence of calls of any
    /// number of non-owners that work together.
    #[test]
    fn no_calls_of_non_owners_open_data_to_who_assigns(start in starts(), calls in calls()) {
        let mut run = Run::new(start.clone());
        for (serial, call) in calls.iter().enumerate() {
            run.make(call, serial);
        }
        let anybody_assigns = (0..NAMES.len()).any(|i| delegate(&start, i));
        for (index, name) in NAMES.into_iter().enumerate() {
            prop_assert_eq!(delegate(&run.policies, index), delegate(&start, index));
            if delegate(&start, index) || !anybody_assigns {
                let gained = gained(&run, &start, index);
                prop_assert!(gained.is_empty(), "{name} gained {gained:?}");
            }
        }
        let owners = run.policies.assignments().filter(|a| a.role == RoleId::OWNER).count();
        prop_assert_eq!(owners, 0, "somebody became an Owner");
    }

    /// Guards against a way up for one who works alone, whatever it holds.
    #[test]
    fn no_calls_of_one_non_owner_open_data_to_it(
        start in starts(),
        calls in calls(),
        alone in 0..NAMES.len(),
    ) {
        let mut run = Run::new(start.clone());
        for (serial, call) in calls.into_iter().enumerate() {
            run.make(&Call { by: alone, ..call }, serial);
        }
        let gained = gained(&run, &start, alone);
        prop_assert!(gained.is_empty(), "{} gained {:?}", NAMES[alone], gained);
    }

    /// Guards against an Owner of one vault who reaches another one, or everything.
    #[test]
    fn an_owner_of_one_vault_gains_nothing_in_another(start in starts(), calls in calls()) {
        let owner = Assignment {
            role: RoleId::OWNER,
            ..world::assignment(90, "Owner", user(NAMES[0]), "/vaults/v")
        };
        let start = start.with_assignment(owner).expect("an assignment");
        let mut run = Run::new(start.clone());
        for (serial, call) in calls.into_iter().enumerate() {
            run.make(&Call { by: 0, ..call }, serial);
        }
        let elsewhere = |at: &str| at.split('/').nth(2) != Some("v");
        let gained = gained(&run, &start, 0);
        prop_assert!(!gained.iter().any(|(_, at)| elsewhere(at)), "gained {gained:?}");
    }
}

/// Guards against a search that finds nothing because nothing is ever granted: with an
/// Owner among the callers, and only then, data is gained.
#[test]
fn the_search_finds_what_an_owner_opens() {
    use proptest::{strategy::ValueTree, test_runner::TestRunner};
    let mut runner = TestRunner::deterministic();
    let (mut granted, mut by_owner, mut by_delegates) = (0, 0, 0);
    for _ in 0..300 {
        let start = starts().new_tree(&mut runner).expect("a start").current();
        let calls = calls().new_tree(&mut runner).expect("calls").current();
        let owner = world::assignment(90, "Owner", user(NAMES[0]), "/");
        let owned = start.with_assignment(owner).expect("an assignment");
        let [mut without, mut with] = [start.clone(), owned.clone()].map(Run::new);
        for (serial, call) in calls.iter().enumerate() {
            without.make(call, serial);
            if !matches!(call.what, What::WriteIdentity) {
                with.make(call, serial);
            }
        }
        granted += without.granted;
        let anybody_gains =
            |run: &Run, start| (0..NAMES.len()).any(|i| !gained(run, start, i).is_empty());
        by_owner += usize::from(anybody_gains(&with, &owned));
        by_delegates += usize::from(anybody_gains(&without, &start));
    }
    assert!(granted > 300, "{granted} calls of non-owners were granted");
    assert!(by_owner > 100, "in {by_owner} of 300 runs an Owner opened data to somebody");
    assert!(by_delegates > 20, "in {by_delegates} of 300 runs a delegate did its office");
}
