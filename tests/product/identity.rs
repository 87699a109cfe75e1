//! Principals and tokens through the command line and the token endpoint of a real
//! service.

use keyreeve_testkit::Keyreeve;
use serde_json::Value;

use crate::caller::{keyreeve, post, run};

/// What a command prints as JSON.
fn json(service: &Keyreeve, arguments: &[&str]) -> Value {
    let arguments = [arguments, &["--output", "json"]].concat();
    serde_json::from_str(&keyreeve(service, &arguments)).expect("JSON")
}

/// How `keyreeve status` ends with `token`.
fn with_token(service: &Keyreeve, token: &str) -> (Option<i32>, String) {
    let mut command = service.command();
    let output = command.env("KEYREEVE_TOKEN", token).args(["vault", "list"]).output();
    let output = output.expect("it runs");
    (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Guards against a token or principal that cannot be made, used or taken back from the
/// command line, and against a secret that is shown again.
#[test]
fn tokens_and_principals_are_made_used_and_taken_back() {
    let service = Keyreeve::start().expect("a service");
    let made = json(&service, &["token", "create", "visitor"]);
    let token = made["secretText"].as_str().expect("the token");
    let name = made["token"]["name"].as_str().expect("its name");
    let id = name.strip_prefix("tokens/").expect("a token's name");
    // Known, and without a role.
    let (code, error) = with_token(&service, token);
    assert!(code == Some(1) && error.contains("FORBIDDEN"), "{error}");
    keyreeve(&service, &["token", "revoke", id]);
    let (_, error) = with_token(&service, token);
    assert!(error.contains("UNAUTHENTICATED"), "{error}");
    let listed = keyreeve(&service, &["token", "list"]);
    assert!(listed.contains(id) && !listed.contains(token), "{listed}");

    let principal = json(&service, &["principal", "create", "Deployer"]);
    let client = principal["name"].as_str().expect("its name");
    let client = client.strip_prefix("principals/").expect("a principal's name");
    let secret = json(&service, &["principal", "secret", "add", client]);
    let secret = secret["secretText"].as_str().expect("the secret");
    let shown = keyreeve(&service, &["principal", "show", client]);
    assert!(shown.contains("secret") && !shown.contains(secret), "{shown}");

    let ask = || {
        let form =
            format!("grant_type=client_credentials&client_id={client}&client_secret={secret}");
        let url = service.setting("KEYREEVE_HTTPS_URL");
        post(url, service.setting("KEYREEVE_CACERT"), "/oauth2/token", &form)
    };
    let answer = ask();
    assert_eq!(answer.status, 200, "{}", answer.body);
    let answer: Value = serde_json::from_str(&answer.body).expect("JSON");
    let token = answer["access_token"].as_str().expect("a token");
    assert!(with_token(&service, token).1.contains("FORBIDDEN"));
    keyreeve(&service, &["principal", "disable", client]);
    assert!(with_token(&service, token).1.contains("UNAUTHENTICATED"));
    assert_eq!(ask().status, 401);
    keyreeve(&service, &["principal", "delete", client]);
    assert!(!run(&service, &["principal", "show", client]).status.success());

    // None of the secrets is anywhere in what the service keeps or prints.
    let log = service.service().log();
    assert!(!log.contains(token) && !log.contains(secret), "a secret in the log");
}
