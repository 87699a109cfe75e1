//! Running a test's body in a child of the test binary, with the environment set.

use std::{
    any, env,
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::{Context, Result};

use crate::{
    namespace,
    softhsm::{SoftHsm, Token},
};

/// Runs `body` with a SoftHSM token that its process may load directly.
///
/// Called from a `#[test]` function, with a closure as its body: which test to run
/// in the child is read from the closure's type name.
///
/// # Panics
///
/// If the token cannot be made or the body panics in the child, whose output is shown.
pub fn with_direct<F: FnOnce(&SoftHsm)>(body: F) {
    run(body, SoftHsm::direct, SoftHsm::in_directory);
}

/// The same with a token whose every call is logged to [`SoftHsm::spy_log`].
///
/// # Panics
///
/// As [`with_direct`].
pub fn with_spied<F: FnOnce(&SoftHsm)>(body: F) {
    run(body, SoftHsm::spied, SoftHsm::spied_in_directory);
}

/// The same with a token in a container.
///
/// # Panics
///
/// As [`with_direct`].
pub fn with_container<F: FnOnce(&SoftHsm)>(body: F) {
    run(body, SoftHsm::container, SoftHsm::behind_socket);
}

/// The same with a token whose module fails when told to: see [`Token::faults`].
///
/// # Panics
///
/// As [`with_direct`].
pub fn with_shim<F: FnOnce(&Token)>(body: F) {
    run(body, Token::shimmed, Token::shimmed_in);
}

/// The same with a token of kryoptic.
///
/// # Panics
///
/// As [`with_direct`].
pub fn with_kryoptic<F: FnOnce(&Token)>(body: F) {
    run(body, Token::kryoptic, Token::kryoptic_in);
}

/// The same with a token of each: of SoftHSM, and of kryoptic beside it
/// ([`Token::kryoptic_beside`]).
///
/// # Panics
///
/// As [`with_direct`].
pub fn with_direct_and_kryoptic<F: FnOnce(&Token)>(body: F) {
    run(body, Token::direct_and_kryoptic, Token::in_directory);
}

/// The same with openCryptoki's token in software. Needs root, or sudo.
///
/// # Panics
///
/// As [`with_direct`].
pub fn with_opencryptoki<F: FnOnce(&Token)>(body: F) {
    run_inside(body, Token::opencryptoki_in);
}

/// The same with a TPM 2.0 in software, behind a resource manager. Needs root, or sudo.
///
/// # Panics
///
/// As [`with_direct`].
pub fn with_tpm2<F: FnOnce(&Token)>(body: F) {
    run_inside(body, Token::tpm2_in);
}

fn run<F: FnOnce(&Token)>(body: F, make: fn() -> Result<Token>, adopt: Adopt) {
    if let Some(body) = not_in_child(body, adopt) {
        let token = make().expect("a token for the test");
        let binary = env::current_exe().expect("this binary");
        in_child(&body, &token, Command::new(binary));
    }
}

/// For a token that only exists inside namespaces that the child is started in.
fn run_inside<F: FnOnce(&Token)>(body: F, adopt: Adopt) {
    if let Some(body) = not_in_child(body, adopt) {
        let directory = tempfile::tempdir().expect("a directory for the token");
        let token = adopt(directory.path()).expect("a token for the test");
        let binary = env::current_exe().expect("this binary");
        in_child(&body, &token, namespace::inside(&token, &binary));
    }
}

type Adopt = fn(&Path) -> Result<Token>;

/// Runs `body` if this is the child; otherwise gives it back.
fn not_in_child<F: FnOnce(&Token)>(body: F, adopt: Adopt) -> Option<F> {
    let Some(directory) = env::var_os(DIRECTORY) else { return Some(body) };
    let token = adopt(&PathBuf::from(directory)).expect("the parent made this token");
    body(&token);
    None
}

/// Starts the binary again for the test whose body `_body` is.
fn in_child<F: FnOnce(&Token)>(_body: &F, token: &Token, mut command: Command) {
    let name = test_name::<F>();
    let output = command
        .args(["--exact", name, "--nocapture"])
        .env(DIRECTORY, &token.directory)
        .envs(token.environment.clone())
        .output()
        .context("cannot start the test binary again")
        .expect("a child for the test");
    let stdout = String::from_utf8_lossy(&output.stdout);
    let stderr = String::from_utf8_lossy(&output.stderr);
    // A filter that matches nothing succeeds as well.
    let ran = stdout.contains("running 1 test");
    assert!(
        ran && output.status.success(),
        "{name} in a child ({}):\n{stdout}{stderr}",
        output.status
    );
    if env::var_os(SHOW).is_some() {
        std::io::Write::write_all(&mut std::io::stderr(), &[output.stdout, output.stderr].concat())
            .expect("stderr is open");
    }
}

/// `slot::pin::wrong_pin_is_tried_once::{{closure}}` without the crate and the closure.
fn test_name<F>() -> &'static str {
    let path = any::type_name::<F>();
    let path = path.split_once("::").map_or(path, |(_, path)| path);
    path.trim_end_matches("::{{closure}}")
}

/// Tells a child where its token is.
const DIRECTORY: &str = "KEYREEVE_TESTKIT_TOKEN";

/// Set, it shows what a passing child printed: for measurements.
const SHOW: &str = "KEYREEVE_TESTKIT_SHOW";
