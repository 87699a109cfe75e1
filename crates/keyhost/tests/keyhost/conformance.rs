//! The suite that every backend passes, through a keyhost process: started and shut in
//! as in production, called by the front's client over its sockets.

use std::fs;

use keyreeve_backend::conformance::Suite;
use keyreeve_testkit::{AwsLc, KeyhostProcess, SoftHsm, ThroughKeyhost, Token, with_opencryptoki};
use keyreeve_types::KeySpec;

/// Guards against an argument, a result or an error that changes between the front and
/// the backend, and against a sandbox that forbids what the software keystore needs.
#[test]
fn the_software_keystore_passes_the_suite_through_a_keyhost() {
    let keyhost = KeyhostProcess::software().expect("a keyhost");
    assert_shut_in(&keyhost);
    let backend = ThroughKeyhost::new(keyhost).expect("it answers");
    Suite::new(&backend, &AwsLc).run();
}

/// Guards against the same for a slot: its module must do all that it can from within
/// the sandbox, and its keys must be usable by their record alone.
#[test]
fn softhsm_passes_the_suite_through_a_keyhost() {
    let token = SoftHsm::direct().expect("a token");
    let keyhost = KeyhostProcess::slot(&token).expect("a keyhost");
    assert_shut_in(&keyhost);
    let backend = ThroughKeyhost::new(keyhost).expect("it answers");
    // Making one takes the token seconds.
    Suite::new(&backend, &AwsLc).without(&[KeySpec::Rsa4096]).run();
}

/// Guards against a sandbox that is cut to SoftHSM: another module opens other files.
#[test]
fn kryoptic_passes_the_suite_through_a_keyhost() {
    let token = Token::kryoptic().expect("a token");
    let keyhost = KeyhostProcess::slot(&token).expect("a keyhost");
    assert_shut_in(&keyhost);
    let backend = ThroughKeyhost::new(keyhost).expect("it answers");
    Suite::new(&backend, &AwsLc).without(&[KeySpec::Rsa3072, KeySpec::Rsa4096]).run();
}

/// Guards against the same for a slot whose keys leave it wrapped: every key is opened
/// from its record, through the envelope that vouches for its rules.
#[test]
fn wrapped_keys_pass_the_suite_through_a_keyhost() {
    let token = SoftHsm::provisioned().expect("a token");
    let keyhost = KeyhostProcess::slot_in_group(&token).expect("a keyhost");
    assert_shut_in(&keyhost);
    let backend = ThroughKeyhost::new(keyhost).expect("it answers");
    Suite::new(&backend, &AwsLc).without(&[KeySpec::Rsa3072, KeySpec::Rsa4096]).run();
}

/// Guards against a shipped sandbox in which a module with a daemon, shared memory and
/// fixed places does not work.
#[test]
fn opencryptoki_passes_the_suite_through_a_keyhost() {
    with_opencryptoki(|token| {
        let keyhost = KeyhostProcess::slot(token).expect("a keyhost");
        assert_shut_in(&keyhost);
        let backend = ThroughKeyhost::new(keyhost).expect("it answers");
        Suite::new(&backend, &AwsLc).without(&[KeySpec::Rsa3072, KeySpec::Rsa4096]).run();
    });
}

/// Asserts that the kernel filters the system calls of `keyhost` (2 is a filter).
fn assert_shut_in(keyhost: &KeyhostProcess) {
    let status = fs::read_to_string(format!("/proc/{}/status", keyhost.pid())).expect("it runs");
    assert!(status.contains("Seccomp:\t2"), "the keyhost is not shut in:\n{status}");
}
