//! Roles, assignments and vault policies: what is stored, followed, and kept true.

use std::time::Duration;

use keyreeve_authz::{
    AccessPolicies, DefaultAction, NetworkRules, ObjectKind, PermissionModel, Permissions, RoleId,
    Scope,
};
use keyreeve_service::{
    Caller, Error, Identity, Kind, PageRequest, Peer, Source,
    assignments::{AssignmentEntry, CreateAssignment, ListAssignments},
    crypto::{Content, JwksOf, Sign},
    roles::{CreateRole, RoleChanges, RoleLists, UpdateRole},
    vaults::{SetAccess, SetNetwork},
};
use keyreeve_testkit::soon;
use keyreeve_types::SignatureAlgorithm;

use super::*;

pub(crate) fn assigning(of: &str, to: &str, scope: &str) -> CreateAssignment {
    CreateAssignment {
        id: None,
        role: role(of),
        holder: token(to),
        scope: scope.parse().expect("a scope"),
        expires: None,
    }
}

impl Fixture {
    pub(crate) async fn assign(&self, of: &str, to: &str, scope: &str) -> AssignmentEntry {
        let request = assigning(of, to, scope);
        let made = self.service.create_assignment(&self.caller, request, soon()).await;
        made.expect("an assignment")
    }

    pub(crate) async fn may_sign(&self, who: &Caller) -> Result<(), Error> {
        may_sign(&self.service, who).await
    }
}

pub(crate) async fn may_sign(service: &Service, who: &Caller) -> Result<(), Error> {
    let request = Sign {
        key: key("jwt"),
        algorithm: SignatureAlgorithm::Es256,
        content: Content::Message(b"message"),
    };
    service.sign(who, request, soon()).await.map(drop)
}

fn signer(name: &str) -> CreateRole<'_> {
    let data_actions = vec!["Microsoft.KeyVault/vaults/keys/sign/action".to_owned()];
    CreateRole { id: None, name, lists: RoleLists { data_actions, ..RoleLists::default() } }
}

fn kind<T>(outcome: Result<T, Error>) -> (Kind, &'static str) {
    let error = outcome.err().expect("a refusal");
    (error.kind(), error.reason())
}

/// Guards against an assignment that opens more than its scope, that is forgotten when
/// the service starts anew, or that lives on after it was taken away.
#[tokio::test]
async fn an_assignment_opens_its_scope_until_it_is_taken_away() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    it.key("other", KeySpec::EcP256).await;
    let app = caller("app");
    let made = it.assign("Key Vault Crypto User", "app", "/vaults/PROD/keys/JWT").await;
    it.may_sign(&app).await.expect("its key");
    let other = it.service.get_key(&app, key("other"), soon()).await;
    assert_eq!(kind(other), (Kind::PermissionDenied, "FORBIDDEN"));

    let again = it.second_node().await;
    may_sign(&again, &app).await.expect("it is there after a start");

    let id = made.assignment.id;
    it.service.delete_assignment(&it.caller, id, soon()).await.expect("taken away");
    assert_eq!(kind(it.may_sign(&app).await), (Kind::PermissionDenied, "FORBIDDEN"));
    let gone = it.service.get_assignment(&it.caller, id, soon()).await;
    assert_eq!(kind(gone).0, Kind::NotFound);
    let hidden = it.service.get_assignment(&app, id, soon()).await;
    assert_eq!(kind(hidden).0, Kind::PermissionDenied);
    // The other node hears of it.
    for _ in 0..1000 {
        if may_sign(&again, &app).await.is_err() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
    panic!("another node goes by what was taken away");
}

/// Guards against an assignment that lasts longer than it was meant to.
#[tokio::test]
async fn an_assignment_ends_at_its_second() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let app = caller("app");
    let expires = Some(UnixTime(NOW + 10));
    let request = CreateAssignment { expires, ..assigning("Key Vault Crypto User", "app", "/") };
    it.service.create_assignment(&it.caller, request, soon()).await.expect("for a while");
    it.set_clock(NOW + 9);
    it.may_sign(&app).await.expect("still");
    it.set_clock(NOW + 10);
    assert_eq!(kind(it.may_sign(&app).await).0, Kind::PermissionDenied);
    let late = CreateAssignment {
        expires: Some(UnixTime(NOW + 10)),
        ..assigning("Key Vault Reader", "app", "/")
    };
    let refused = it.service.create_assignment(&it.caller, late, soon()).await;
    assert_eq!(kind(refused).1, "INVALID_ARGUMENT");
}

/// Guards against an operator who cannot tell what the configuration gives, a call that
/// takes it away, and a service that nobody owns any more.
#[tokio::test]
async fn what_the_configuration_gives_is_shown_and_stays() {
    let it = Fixture::start().await;
    let who = it.service.who_am_i(&it.caller, soon()).await.expect("known");
    assert_eq!(who.principal, token("tests"));
    let names: Vec<_> = who.assignments.iter().map(|a| a.role_name.as_str()).collect();
    assert_eq!(names.len(), 2, "{names:?}");
    for entry in who.assignments {
        assert!(entry.assignment.configured && entry.created.is_none());
        let id = entry.assignment.id;
        let refused = it.service.delete_assignment(&it.caller, id, soon()).await;
        assert_eq!(kind(refused), (Kind::FailedPrecondition, "CONFIGURED_ASSIGNMENT"));
    }
    let request = ListAssignments { scope: Scope::Service, holder: None };
    let list = it.service.list_assignments(&it.caller, request, PageRequest::default(), soon());
    assert_eq!(list.await.expect("a list").items.len(), 2);

    // The same assigned by a call stands beside it, and lives on its own.
    let made = it.assign("Owner", "tests", "/").await;
    it.service.delete_assignment(&it.caller, made.assignment.id, soon()).await.expect("its own");

    // What is configured otherwise counts otherwise.
    let roles = vec![];
    let node = open(
        &it.store,
        it.keyhost.client(),
        &it.clock,
        Settings { roles, ..Settings::default() },
        &it.audit,
    );
    assert_eq!(
        kind(node.await.list_vaults(&it.caller, PageRequest::default(), soon()).await).0,
        Kind::PermissionDenied
    );
}

/// Guards against a stored Owner who is let go and leaves nobody.
#[tokio::test]
async fn the_last_owner_stays() {
    let it = Fixture::start().await;
    let made = it.assign("Owner", "ann", "/").await;
    let settings = Settings::default();
    let node = open(&it.store, it.keyhost.client(), &it.clock, settings, &it.audit).await;
    let ann = caller("ann");
    let refused = node.delete_assignment(&ann, made.assignment.id, soon()).await;
    assert_eq!(kind(refused), (Kind::FailedPrecondition, "LAST_OWNER"));
    let next = node.create_assignment(&ann, assigning("Owner", "bob", "/"), soon()).await;
    next.expect("another Owner");
    node.delete_assignment(&ann, made.assignment.id, soon()).await.expect("one is left");
}

/// Guards against a change of a role that does not reach who holds it, and a role that
/// is deleted from under them.
#[tokio::test]
async fn a_custom_role_is_changed_with_its_assignments() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let app = caller("app");
    let made = it.service.create_role(&it.caller, signer("Signer"), soon()).await.expect("a role");
    let id = made.role.id();
    let taken = it.service.create_role(&it.caller, signer("signer"), soon()).await;
    assert_eq!(kind(taken).1, "ROLE_NAME_TAKEN");
    let request = CreateAssignment { role: id, ..assigning("Owner", "app", "/vaults/prod") };
    let given = it.service.create_assignment(&it.caller, request, soon()).await.expect("given");
    it.may_sign(&app).await.expect("the role signs");

    let to_verify = vec!["Microsoft.KeyVault/vaults/keys/verify/action".to_owned()];
    let changes = RoleChanges { data_actions: Some(to_verify), ..RoleChanges::default() };
    let request = UpdateRole { id, changes: changes.clone(), etag: &made.etag };
    it.service.update_role(&it.caller, request, soon()).await.expect("changed");
    assert_eq!(kind(it.may_sign(&app).await).0, Kind::PermissionDenied);
    let stale = UpdateRole { id, changes: changes.clone(), etag: &made.etag };
    assert_eq!(kind(it.service.update_role(&it.caller, stale, soon()).await).0, Kind::Aborted);

    let in_use = it.service.delete_role(&it.caller, id, "", soon()).await;
    assert_eq!(kind(in_use).1, "ROLE_IN_USE");
    let given = given.assignment.id;
    it.service.delete_assignment(&it.caller, given, soon()).await.expect("taken away");
    it.service.delete_role(&it.caller, id, "", soon()).await.expect("deleted");
    assert_eq!(kind(it.service.get_role(&it.caller, id, soon()).await).0, Kind::NotFound);
    let request = UpdateRole { id: RoleId::OWNER, changes, etag: "" };
    assert_eq!(kind(it.service.update_role(&it.caller, request, soon()).await).1, "BUILT_IN_ROLE");
    let owns = RoleLists { actions: vec!["*".to_owned()], ..RoleLists::default() };
    let request = CreateRole { id: None, name: "Super", lists: owns };
    assert_eq!(
        kind(it.service.create_role(&it.caller, request, soon()).await).1,
        "INVALID_ARGUMENT"
    );
}

/// Guards against roles that open a vault with access policies, policies that open one
/// with roles, and a switch that is lost between two who change the vault.
#[tokio::test]
async fn a_vault_goes_by_roles_or_by_access_policies() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let (app, name) = (caller("app"), vault("prod"));
    let sign = Permissions::parse(ObjectKind::Key, "Sign").expect("a permission");
    let policies = AccessPolicies::default().with(token("app"), sign).expect("room");
    let set = |model, access_policies, etag: &'static str| SetAccess {
        vault: name,
        model,
        access_policies,
        etag,
    };
    let request = set(None, Some(policies), "0");
    it.service.set_vault_access(&it.caller, request, soon()).await.expect("listed");
    assert_eq!(kind(it.may_sign(&app).await).0, Kind::PermissionDenied, "the vault goes by roles");

    let request = set(Some(PermissionModel::AccessPolicies), None, "");
    it.service.set_vault_access(&it.caller, request, soon()).await.expect("switched");
    it.may_sign(&app).await.expect("its access policy");
    assert_eq!(kind(it.may_sign(&it.caller).await).0, Kind::PermissionDenied, "roles open nothing");
    let stale = set(Some(PermissionModel::Roles), None, "0");
    assert_eq!(kind(it.service.set_vault_access(&it.caller, stale, soon()).await).0, Kind::Aborted);

    let again = it.second_node().await;
    may_sign(&again, &app).await.expect("it is there after a start");
    let read = again.get_vault_access(&it.caller, name, soon()).await.expect("read");
    assert_eq!(read.policy.access_policies.of(&token("app")), sign);
    let absent = vault("absent");
    let absent = it.service.get_vault_access(&it.caller, absent, soon()).await;
    assert_eq!(kind(absent).0, Kind::NotFound);
}

/// Guards against a vault that is reached from where its rules do not admit, by its data
/// or by its public keys, and against rules that shut out who mends them.
#[tokio::test]
async fn network_rules_hold_for_the_data_of_a_vault() {
    let it = Fixture::start().await;
    it.key("jwt", KeySpec::EcP256).await;
    let from = |address: &str| {
        let peer = Some(Peer::Ip(address.parse().expect("an address"), 1));
        let listener = it.caller.source().listener.clone();
        let subject = keyreeve_authz::Subject::new(token("tests"), []).expect("a subject");
        let identity = Identity::proven(subject, keyreeve_service::Method::Token, None);
        Caller::new(Arc::new(identity), Source { peer, listener }, None)
    };
    let ranges = ["203.0.113.0/24".parse().expect("a range")];
    let rules = NetworkRules::new(DefaultAction::Deny, ranges, []).expect("rules");
    let request = SetNetwork { vault: vault("prod"), rules, etag: "" };
    it.service.set_vault_network(&it.caller, request, soon()).await.expect("set");

    it.may_sign(&from("203.0.113.9")).await.expect("admitted");
    let (away, unknown) = (from("198.51.100.1"), it.caller.clone());
    for caller in [&away, &unknown] {
        let refused = it.may_sign(caller).await.expect_err("turned away");
        assert_eq!((refused.kind(), refused.reason()), (Kind::PermissionDenied, "FORBIDDEN"));
        let set = it.service.get_jwks(caller, JwksOf::Vault(vault("prod")), soon()).await;
        assert_eq!(kind(set).0, Kind::PermissionDenied);
    }
    let rules = NetworkRules::default();
    let request = SetNetwork { vault: vault("prod"), rules, etag: "" };
    it.service.set_vault_network(&away, request, soon()).await.expect("who manages mends it");
    it.may_sign(&away).await.expect("admitted again");
}

/// Guards against an assignment that is lost because two nodes made one at the same
/// time, and against one made twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn assigners_on_two_nodes_do_not_undo_each_other() {
    let it = Arc::new(Fixture::start().await);
    let nodes = [it.service.clone(), it.second_node().await];
    let tasks: Vec<_> = (0..40)
        .map(|i| {
            let (node, caller) = (nodes[i % 2].clone(), it.caller.clone());
            tokio::spawn(async move {
                let to = format!("app-{}", i / 2);
                let request = assigning("Key Vault Reader", &to, "/");
                loop {
                    match node.create_assignment(&caller, request.clone(), soon()).await {
                        Ok(_) => return true,
                        Err(e) if e.kind() == Kind::Aborted => {}
                        Err(e) => {
                            assert_eq!(e.reason(), "ASSIGNMENT_EXISTS");
                            return false;
                        }
                    }
                }
            })
        })
        .collect();
    let mut made = 0;
    for task in tasks {
        made += usize::from(task.await.expect("no panic"));
    }
    assert_eq!(made, 20, "each once");
    let third = it.second_node().await;
    let request = ListAssignments { scope: Scope::Service, holder: None };
    let page = PageRequest { size: 1000, token: "" };
    let all = third.list_assignments(&it.caller, request, page, soon()).await.expect("a list");
    assert_eq!(all.items.iter().filter(|entry| !entry.assignment.configured).count(), 20);
}

/// Guards against two Owners who let each other go at the same moment.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_owners_who_let_each_other_go_one_stays() {
    for _ in 0..20 {
        let it = Fixture::start().await;
        let ids = [it.assign("Owner", "ann", "/").await, it.assign("Owner", "bob", "/").await];
        let ids = ids.map(|entry| entry.assignment.id);
        let bare =
            || open(&it.store, it.keyhost.client(), &it.clock, Settings::default(), &it.audit);
        let (one, two) = (bare().await, bare().await);
        let (ann, bob) = (caller("ann"), caller("bob"));
        let (first, second) = tokio::join!(
            one.delete_assignment(&ann, ids[1], soon()),
            two.delete_assignment(&bob, ids[0], soon()),
        );
        assert!(first.is_ok() != second.is_ok(), "{first:?} {second:?}");
    }
}
