//! Every method, by every role, everywhere: what the door lets pass.

use std::{fmt::Write as _, path::Path};

use keyreeve_authz::Role;
use keyreeve_grpc::{
    Asks, Method, asks,
    v1::{
        Assignment, CreateAssignmentRequest, CreateVaultRequest, Holder, Key, UpdateKeyRequest,
        access_service_client::AccessServiceClient, key_service_client::KeyServiceClient,
        vault_service_client::VaultServiceClient,
    },
};
use prost_types::FieldMask;
use tonic::{Code, Status};

use crate::{
    Fixture, called,
    calls::{Place, call, keys_of},
    golden::{compare, compare_page_of_roles},
};

const BLESS: &str = "KEYREEVE_BLESS=1 cargo test -p keyreeve-grpc --test grpc authorization";

const OWN: Place = Place { vault: "own", keys: "" };
const DISABLED: Place = Place { vault: "own", keys: "off-" };
const OTHER: Place = Place { vault: "other", keys: "" };

/// The vaults `own` and `other`, each with a key for every call, and in `own` the same
/// keys once more, disabled.
async fn world() -> Fixture {
    let it = Fixture::start().await;
    let mut vaults = VaultServiceClient::new(it.routes.clone());
    for vault in ["own", "other"] {
        let request = CreateVaultRequest { vault_id: vault.to_owned(), vault: None };
        vaults.create_vault(called(request)).await.expect("a vault");
    }
    let mut keys = KeyServiceClient::new(it.routes.clone());
    for place in [OWN, OTHER, DISABLED] {
        for request in keys_of(place) {
            let made = keys.create_key(called(request)).await.expect("a key").into_inner();
            if place.keys == DISABLED.keys {
                let update_mask = Some(FieldMask { paths: vec!["enabled".to_owned()] });
                let key = Key { name: made.name, enabled: Some(false), ..Key::default() };
                let request = UpdateKeyRequest { key: Some(key), update_mask };
                keys.update_key(called(request)).await.expect("disabled");
            }
        }
    }
    it
}

async fn assign(it: &Fixture, who: &str, role: &Role, scope: &str) {
    let principal = Holder { kind: "token".into(), name: who.to_owned(), issuer: String::new() };
    let assignment = Assignment {
        role: format!("roles/{}", role.id()),
        principal: Some(principal),
        scope: scope.to_owned(),
        ..Assignment::default()
    };
    let request =
        CreateAssignmentRequest { assignment_id: String::new(), assignment: Some(assignment) };
    let mut access = AccessServiceClient::new(it.routes.clone());
    access.create_assignment(called(request)).await.expect("assigned");
}

/// How a call ended, in one letter.
fn letter(outcome: &Result<(), Status>) -> char {
    match outcome.as_ref().map_or_else(Status::code, |()| Code::Ok) {
        Code::Ok => '+',
        Code::PermissionDenied => '-',
        Code::FailedPrecondition => '!',
        // The gate let it pass; what was asked could not be done.
        Code::InvalidArgument => '~',
        Code::AlreadyExists => '=',
        Code::NotFound => '?',
        other => panic!("{other:?}: {outcome:?}"),
    }
}

/// Guards against a method that a role opens, or keeps closed, after a change that was
/// not about it; in the role's vault and in another, with keys that are disabled, and
/// with the role held for everything.
#[tokio::test]
async fn the_matrix_of_methods_and_roles_is_the_golden_file() {
    let it = world().await;
    let mut roles: Vec<(String, String)> = vec![("nothing".to_owned(), "nothing".to_owned())];
    for (i, role) in Role::built_in().iter().enumerate() {
        let (vault, all) = (format!("vault-{i}"), format!("all-{i}"));
        assign(&it, &vault, role, "/vaults/own").await;
        assign(&it, &all, role, "/").await;
        roles.push((vault, all));
    }
    let mut text = String::from(
        "Each cell: with the role at the vault, in it, in it with a disabled key, in another\n\
         vault; then with the role at /, in any vault. + done, - PERMISSION_DENIED; and, once\n\
         the gate let it pass: ! FAILED_PRECONDITION, ~ INVALID_ARGUMENT, = ALREADY_EXISTS,\n\
         ? NOT_FOUND.\n\n",
    );
    writeln!(text, "{:>24}  0 = no role", "").expect("memory");
    for (i, role) in Role::built_in().iter().enumerate() {
        writeln!(text, "{:>24} {:>2} = {}", "", i + 1, role.name()).expect("memory");
    }
    let heads: String = (0..roles.len()).map(|i| format!(" {i:>4}")).collect();
    writeln!(text, "\n{:20}{heads}", "").expect("memory");
    for &method in Method::ALL {
        write!(text, "{:20}", method.name()).expect("memory");
        for (at_vault, at_all) in &roles {
            let mut cell = String::from(" ");
            for (who, place) in
                [(at_vault, OWN), (at_vault, DISABLED), (at_vault, OTHER), (at_all, OWN)]
            {
                cell.push(letter(&call(&it.routes, who, method, place).await));
            }
            text.push_str(&cell);
        }
        text.push('\n');
    }
    compare(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/matrix.txt"), &text, BLESS);
}

/// Guards against a line of the table that is not what the door asks the gate for.
#[tokio::test]
async fn every_method_asks_for_what_the_table_says() {
    let it = world().await;
    for &method in Method::ALL {
        let outcome = call(&it.routes, "stranger", method, OWN).await;
        let expected = match asks(method) {
            Asks::Public(_) | Asks::Proof => {
                assert!(outcome.is_ok(), "{method:?}: {outcome:?}");
                continue;
            }
            Asks::For(action) => action.name(),
            Asks::Both(..) => "ReEncrypt",
            Asks::Each => "Sign",
        };
        let refused = outcome.expect_err("a stranger holds nothing");
        assert_eq!(refused.code(), Code::PermissionDenied, "{method:?}: {refused:?}");
        assert!(
            refused.message().starts_with(&format!("{expected} ")),
            "{method:?} asks for another action: {}",
            refused.message()
        );
    }
}

/// Guards against a page that says otherwise than the table.
#[test]
fn the_page_of_roles_has_the_table() {
    let mut table = String::from("| call | asks for |\n|---|---|\n");
    for &method in Method::ALL {
        let line = match asks(method) {
            Asks::For(action) => action.name().to_owned(),
            Asks::Both(from, to) => format!("{from} on one key and {to} on the other"),
            Asks::Public(_) => "nothing: public, from where the vault can be reached".to_owned(),
            Asks::Proof => "nothing but to be known".to_owned(),
            Asks::Each => "what each operation in it asks for".to_owned(),
        };
        writeln!(table, "| {}.{} | {line} |", method.service(), method.name()).expect("memory");
    }
    compare_page_of_roles(&format!("{table}\n"), BLESS);
}
