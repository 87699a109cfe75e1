//! The suite that every backend passes, judged by aws-lc, over every module that can be
//! had here: SoftHSM, kryoptic and openCryptoki compute with OpenSSL, a TPM by itself.

use keyreeve_backend::conformance::Suite;
use keyreeve_testkit::{
    AwsLc, Token, with_container, with_direct, with_kryoptic, with_opencryptoki, with_shim,
};
use keyreeve_types::KeySpec;

use crate::{fixture::backend, report};

/// Guards against a backend that answers differently from the contract.
#[test]
fn softhsm_passes_the_suite() {
    with_direct(|token| passes(token, &[KeySpec::Rsa4096]));
}

/// Guards against a slot that works only while its module is in the process, and
/// against an offer that the connection cannot keep.
#[test]
fn softhsm_behind_p11_kit_passes_the_suite() {
    with_container(|token| passes(token, &[KeySpec::Rsa3072, KeySpec::Rsa4096]));
}

/// Guards against what only SoftHSM does being taken for PKCS#11.
#[test]
fn kryoptic_passes_the_suite() {
    with_kryoptic(|token| passes(token, &[KeySpec::Rsa3072, KeySpec::Rsa4096]));
}

/// Guards against a module that has little being offered as one that has much.
#[test]
fn opencryptoki_passes_the_suite() {
    with_opencryptoki(|token| passes(token, &[KeySpec::Rsa3072, KeySpec::Rsa4096]));
}

/// Guards against a profile that must be right for a module to work at all: this one
/// has a name and a path, and what it may do is found out.
#[test]
fn a_module_that_nobody_knows_passes_the_suite() {
    with_shim(|token| passes(token, &[KeySpec::Rsa3072, KeySpec::Rsa4096]));
}

/// Runs the suite without the kinds of key that take too long to make, and holds the
/// page of modules to what the backend offers.
pub(crate) fn passes(token: &Token, without: &[KeySpec]) {
    let backend = backend(token);
    report::check(token, &backend);
    Suite::new(&backend, &AwsLc).without(without).run();
}
