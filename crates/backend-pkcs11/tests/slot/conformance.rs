//! The suite that every backend passes, judged by aws-lc: SoftHSM computes with OpenSSL.

use keyreeve_backend::conformance::Suite;
use keyreeve_testkit::{AwsLc, with_container, with_direct};
use keyreeve_types::KeySpec;

use crate::fixture::backend;

/// Guards against a backend that answers differently from the contract.
#[test]
fn softhsm_passes_the_suite() {
    with_direct(|token| {
        let backend = backend(token);
        Suite::new(&backend, &AwsLc).without(&[KeySpec::Rsa4096]).run();
    });
}

/// Guards against a slot that works only while its module is in the process, and
/// against an offer that the connection cannot keep.
#[test]
fn softhsm_behind_p11_kit_passes_the_suite() {
    with_container(|token| {
        let backend = backend(token);
        Suite::new(&backend, &AwsLc).without(&[KeySpec::Rsa3072, KeySpec::Rsa4096]).run();
    });
}
