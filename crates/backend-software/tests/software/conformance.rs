//! The conformance suite, on the keystore and on the keystore under a plan.

use std::time::{Duration, Instant};

use keyreeve_backend::{
    Error, KeyBackend, Session,
    conformance::Suite,
    fault::{Call, Fault, FaultBackend, Plan},
};
use keyreeve_backend_software::SoftwareBackend;
use keyreeve_types::{KeyOps, KeySpec, SignatureAlgorithm, VersionId};

use crate::outside::OtherLibraries;

/// Guards against a keystore that departs from the contract.
#[test]
fn the_software_keystore_keeps_the_contract() {
    let backend = SoftwareBackend::new();
    let ran = Suite::new(&backend, &OtherLibraries).run();
    println!("{} checks: {}", ran.len(), ran.join(", "));
}

/// Guards against a wrapper that changes what it wraps: then tests under faults
/// would prove nothing.
#[test]
fn without_a_plan_the_fault_wrapper_keeps_the_contract() {
    let backend = FaultBackend::new(SoftwareBackend::new(), Plan::new());
    Suite::new(&backend, &OtherLibraries).without(&[KeySpec::Rsa3072, KeySpec::Rsa4096]).run();
}

/// Guards against a plan whose faults do not happen, or at another call.
#[test]
fn planned_faults_happen_at_the_call_they_are_planned_for() {
    let plan = Plan::new();
    let backend = FaultBackend::new(SoftwareBackend::new(), plan.clone());
    let mut session = backend.open_session().unwrap();
    let id = VersionId::from_bytes([1; 16]);
    let new = session.generate(id, KeySpec::Ed25519, KeyOps::NONE).unwrap();
    let mut sign = || {
        let mut out = Vec::new();
        session.sign(&new.key, SignatureAlgorithm::EdDsa, b"message", &mut out).map(|()| out)
    };
    let good = sign().unwrap();

    let lost = Error::SessionFailed("C_Sign: CKR_SESSION_HANDLE_INVALID".to_owned());
    plan.nth(Call::Sign, 2, Fault::Fail(lost.clone()));
    assert_eq!((sign(), sign(), sign()), (Ok(good.clone()), Err(lost), Ok(good.clone())));

    plan.nth(Call::Any, 1, Fault::Corrupt);
    let damaged = sign().unwrap();
    assert_ne!(damaged, good);
    assert_eq!(damaged[..63], good[..63]);

    plan.always(Call::Sign, Fault::Delay(Duration::from_millis(20)));
    let started = Instant::now();
    assert_eq!(sign().unwrap(), good);
    assert!(started.elapsed() >= Duration::from_millis(20));
    plan.clear();
    assert_eq!(sign().unwrap(), good);
}
