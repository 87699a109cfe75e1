//! Management never leads to data, through the service itself: whatever who is no Owner
//! calls, in whatever order and in league with others like it, none of them ends with a
//! data right it did not have.

use keyreeve_authz::{
    AccessPolicies, AssignmentId, NetworkRules, Permission, PermissionModel, Permissions, Role,
    Scope,
};
use keyreeve_service::{
    assignments::CreateAssignment,
    roles::{CreateRole, RoleLists},
    vaults::{CreateVault, SetAccess, SetNetwork},
};
use keyreeve_testkit::soon;
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};

use super::*;

/// Those who assign, and those who manage everything else.
const DELEGATES: [&str; 2] = ["del", "gate"];
const MANAGERS: [&str; 2] = ["contributor", "purger"];

#[derive(Debug, Clone)]
enum Step {
    Assign { role: usize, to: usize, group: bool, scope: usize },
    Unassign { which: usize },
    MakeRole { data: bool, actions: bool },
    Open { for_whom: usize, model: bool },
    Network,
    MakeVault,
}

fn steps() -> impl Strategy<Value = Vec<(usize, Step)>> {
    let step = prop_oneof![
        6 => (0..Role::built_in().len(), 0..5usize, any::<bool>(), 0..3usize)
            .prop_map(|(role, to, group, scope)| Step::Assign { role, to, group, scope }),
        2 => (0..20usize).prop_map(|which| Step::Unassign { which }),
        1 => (any::<bool>(), any::<bool>())
            .prop_map(|(data, actions)| Step::MakeRole { data, actions }),
        2 => (0..5usize, any::<bool>())
            .prop_map(|(for_whom, model)| Step::Open { for_whom, model }),
        1 => Just(Step::Network),
        1 => Just(Step::MakeVault),
    ];
    prop::collection::vec((0..2usize, step), 1..24)
}

/// Everybody that can be given something: the league, and one that stands aside.
fn somebody(league: &[&'static str; 2], i: usize) -> &'static str {
    match i {
        0 | 1 => league[i],
        2 => "aside",
        3 => "tests",
        _ => "group",
    }
}

async fn take(it: &Fixture, league: &[&'static str; 2], by: usize, step: &Step) {
    let by = caller(league[by]);
    match step {
        Step::Assign { role, to, group, scope } => {
            let name = somebody(league, *to);
            let kind = if *group {
                keyreeve_authz::PrincipalKind::Group
            } else {
                keyreeve_authz::PrincipalKind::Token
            };
            let holder = keyreeve_authz::Principal::new(kind, None, name).expect("a principal");
            let scope: Scope =
                ["/", "/vaults/prod", "/vaults/prod/keys/jwt"][*scope].parse().expect("a scope");
            let role = Role::built_in()[*role].id();
            let request = CreateAssignment { id: None, role, holder, scope, expires: None };
            let _ = it.service.create_assignment(&by, request, soon()).await;
        }
        Step::Unassign { which } => {
            let all = ids(it).await;
            if let Some(id) = all.get(which % all.len().max(1)) {
                let _ = it.service.delete_assignment(&by, *id, soon()).await;
            }
        }
        Step::MakeRole { data, actions } => {
            let list = |wanted: bool| if wanted { vec!["*".to_owned()] } else { Vec::new() };
            let lists = RoleLists {
                actions: list(*actions),
                data_actions: list(*data),
                ..RoleLists::default()
            };
            let request = CreateRole { id: None, name: "Mine", lists };
            let _ = it.service.create_role(&by, request, soon()).await;
        }
        Step::Open { for_whom, model } => {
            let all: Permissions = Permission::ALL.into_iter().collect();
            let holder = token(somebody(league, *for_whom));
            let policies = AccessPolicies::default().with(holder, all).expect("room");
            let request = SetAccess {
                vault: vault("prod"),
                model: model.then_some(PermissionModel::AccessPolicies),
                access_policies: Some(policies),
                etag: "",
            };
            let _ = it.service.set_vault_access(&by, request, soon()).await;
        }
        Step::Network => {
            let rules = NetworkRules::default();
            let request = SetNetwork { vault: vault("prod"), rules, etag: "" };
            let _ = it.service.set_vault_network(&by, request, soon()).await;
        }
        Step::MakeVault => {
            let request = CreateVault { name: vault("mine"), tier: Tier::Standard };
            let _ = it.service.create_vault(&by, request, soon()).await;
        }
    }
}

async fn ids(it: &Fixture) -> Vec<AssignmentId> {
    let request =
        keyreeve_service::assignments::ListAssignments { scope: Scope::Service, holder: None };
    let page = keyreeve_service::PageRequest { size: 1000, token: "" };
    let page = it.service.list_assignments(&it.caller, request, page, soon()).await;
    page.expect("a list").items.iter().map(|entry| entry.assignment.id).collect()
}

/// Guards against a chain of calls by which who manages opens data to itself.
#[test]
fn no_chain_of_calls_by_who_is_no_owner_opens_data_to_it() {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let config = Config { cases: 200, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new(config);
    let all = (any::<bool>(), steps());
    let outcome = runner.run(&all, |(delegates, steps)| {
        let league = if delegates { DELEGATES } else { MANAGERS };
        runtime.block_on(async {
            let it = Fixture::start().await;
            it.key("jwt", KeySpec::EcP256).await;
            for (name, of) in DELEGATES
                .map(|name| (name, "Key Vault Data Access Administrator"))
                .into_iter()
                .chain([
                    ("contributor", "Key Vault Contributor"),
                    ("purger", "Key Vault Purge Operator"),
                ])
            {
                it.assign(of, name, "/").await;
            }
            for (by, step) in &steps {
                take(&it, &league, *by, step).await;
                for name in league {
                    let who = caller(name);
                    prop_assert!(it.may_sign(&who).await.is_err(), "{name} signs: {step:?}");
                    let read = it.service.get_key(&who, key("jwt"), soon()).await;
                    prop_assert!(read.is_err(), "{name} reads: {step:?}");
                }
            }
            Ok(())
        })
    });
    outcome.unwrap_or_else(|error| panic!("{error}"));
}
