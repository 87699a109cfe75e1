//! Running a test's body in a child of the test binary, with the environment set.

use std::{any, env, path::PathBuf, process::Command};

use anyhow::{Context, Result};

use crate::softhsm::SoftHsm;

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

fn run<F: FnOnce(&SoftHsm)>(
    body: F,
    make: fn() -> Result<SoftHsm>,
    adopt: fn(&std::path::Path) -> Result<SoftHsm>,
) {
    if let Some(directory) = env::var_os(DIRECTORY) {
        let token = adopt(&PathBuf::from(directory)).expect("the parent made this token");
        return body(&token);
    }
    let name = test_name::<F>();
    let token = make().expect("a token for the test");
    let output = env::current_exe()
        .and_then(|binary| {
            Command::new(binary)
                .args(["--exact", name, "--nocapture"])
                .env(DIRECTORY, &token.directory)
                .envs(token.environment.clone())
                .output()
        })
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
