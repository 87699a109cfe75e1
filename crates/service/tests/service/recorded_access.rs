//! What the log says of changes of who may do what.

use keyreeve_audit::record::Change;
use keyreeve_authz::{
    AccessPolicies, DefaultAction, NetworkRules, Permission, PermissionModel, Permissions,
    Principal, PrincipalKind,
};
use keyreeve_service::{
    TokenOwner,
    identities::CreateToken,
    roles::{CreateRole, RoleChanges, RoleLists, UpdateRole},
    vaults::{SetAccess, SetNetwork},
};
use keyreeve_testkit::soon;
use serde_json::{Value, json};

use super::{access::assigning, *};

/// What the records of `operation` say was set, intent and outcome. The log is closed.
fn set(it: &Fixture, operation: &str) -> Vec<Value> {
    let records = it.audit.records().expect("a log");
    let of = records.iter().filter(|e| e.record.action.operation.as_str() == operation);
    let change = |change: Option<&Change>| serde_json::to_value(change).expect("JSON");
    of.map(|e| change(e.record.change.as_deref())).collect()
}

/// Guards against an assignment on record of which nobody can say whom it gave what, once
/// it is gone.
#[tokio::test]
async fn an_assignment_says_whom_it_gives_what_where() {
    let it = Fixture::start().await;
    let made = it.assign("Key Vault Crypto User", "billing", "/vaults/prod/keys/jwt").await;
    let id = made.assignment.id;
    it.service.delete_assignment(&it.caller, id, soon()).await.expect("deleted");
    let stranger = caller("stranger");
    let asked = assigning("Owner", "stranger", "/");
    it.service.create_assignment(&stranger, asked, soon()).await.expect_err("no Owner");

    let role = |name| role(name).to_string().replace('-', "");
    let says = json!({
        "holder": "token:billing", "role": role("Key Vault Crypto User"),
        "scope": "/vaults/prod/keys/jwt",
    });
    let tried = json!({ "holder": "token:stranger", "role": role("Owner"), "scope": "/" });
    assert_eq!(set(&it, "CreateAssignment"), [says.clone(), says.clone(), tried]);
    assert_eq!(set(&it, "DeleteAssignment"), [says.clone(), says]);
}

/// Guards against a role that grants something else than its record says, and against
/// text of a caller's choice in the log.
#[tokio::test]
async fn a_role_says_what_it_grants() {
    let it = Fixture::start().await;
    let sign = "Microsoft.KeyVault/vaults/keys/sign/action".to_owned();
    let lists = |data: Vec<String>| RoleLists { data_actions: data, ..RoleLists::default() };
    let new = |lists| CreateRole { id: None, name: "Signer", lists };
    let made = it.service.create_role(&it.caller, new(lists(vec![sign.clone()])), soon()).await;
    let id = made.expect("a role").role.id();
    let all = vec!["Microsoft.KeyVault/vaults/keys/*".to_owned()];
    let changes = RoleChanges { data_actions: Some(all.clone()), ..RoleChanges::default() };
    let update = UpdateRole { id, changes, etag: "" };
    it.service.update_role(&it.caller, update, soon()).await.expect("changed");
    let odd = new(lists(vec!["hunter2".to_owned(), "no right\n".to_owned()]));
    it.service.create_role(&it.caller, odd, soon()).await.expect_err("no patterns");

    let says = |data: &[String]| json!({ "actions": [], "not_actions": [], "data_actions": data, "not_data_actions": [] });
    let (made, odd) = (says(&[sign]), says(&[]));
    assert_eq!(set(&it, "CreateRole"), [made.clone(), made, odd.clone(), odd]);
    let says = json!({ "data_actions": all });
    assert_eq!(set(&it, "UpdateRole"), [says.clone(), says], "what stays is not named");
}

/// Guards against a vault that was opened to somebody, or to everywhere, without a trace
/// of to whom.
#[tokio::test]
async fn a_vault_says_to_whom_and_to_where_it_is_opened() {
    let it = Fixture::start().await;
    let ada = Principal::new(PrincipalKind::User, Some("corp"), "ada").expect("a principal");
    let permissions = Permissions::of(&[Permission::KeysGet, Permission::KeysSign]);
    let policies = AccessPolicies::default().with(ada, permissions).expect("room");
    let access = SetAccess {
        vault: vault("prod"),
        model: Some(PermissionModel::AccessPolicies),
        access_policies: Some(policies),
        etag: "",
    };
    it.service.set_vault_access(&it.caller, access, soon()).await.expect("set");
    let ranges = ["10.0.0.0/8", "2001:db8::/32"].map(|range| range.parse().expect("a range"));
    let listeners = ["inside".parse().expect("a name")];
    let rules = NetworkRules::new(DefaultAction::Deny, ranges, listeners).expect("rules");
    let network = SetNetwork { vault: vault("prod"), rules, etag: "" };
    it.service.set_vault_network(&it.caller, network, soon()).await.expect("set");

    let says = json!({
        "model": "access-policies",
        "policies": [{"holder": "user:ada@corp", "permissions": ["keys/get", "keys/sign"]}],
    });
    assert_eq!(set(&it, "SetAccessPolicies"), [says.clone(), says]);
    let says = json!({
        "default_action": "deny", "ranges": ["10.0.0.0/8", "2001:db8::/32"],
        "listeners": ["inside"],
    });
    assert_eq!(set(&it, "UpdateVault"), [says.clone(), says]);
}

/// Guards against a token on record of which nobody can say whom it proves.
#[tokio::test]
async fn a_token_says_whom_it_proves() {
    let it = Fixture::start().await;
    let request = CreateToken { owner: TokenOwner::Name("ci"), expires: UnixTime(NOW + 60) };
    it.service.create_token(&it.caller, request, soon()).await.expect("a token");
    let says = json!({ "holder": "token:ci", "expires": NOW + 60 });
    assert_eq!(set(&it, "CreateToken"), [says.clone(), says]);
}
