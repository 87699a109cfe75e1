//! The suite that every backend passes, over a TPM 2.0 in software and its resource
//! manager: `cargo xtask campaign tpm2`. It takes minutes, since a TPM makes a key as
//! slowly as a TPM does.
#![expect(clippy::unwrap_used, reason = "a failed step fails the test")]

#[path = "../slot/report.rs"]
mod report;

use keyreeve_backend::conformance::Suite;
use keyreeve_backend_pkcs11::{Pkcs11Backend, Profile, SlotConfig, TokenSelector};
use keyreeve_testkit::{AwsLc, with_tpm2};
use keyreeve_types::{KeySpec, Secret};

/// Guards against a profile for hardware that was never tried on hardware's protocol.
#[test]
fn a_tpm_passes_the_suite() {
    with_tpm2(|token| {
        let backend = Pkcs11Backend::open(SlotConfig {
            profile: Profile::parse(&token.profile().unwrap()).unwrap(),
            token: TokenSelector { label: Some(token.label.clone()), serial: None },
            pin: Secret::new(token.pin.clone()),
        })
        .unwrap();
        report::check(token, &backend);
        Suite::new(&backend, &AwsLc).without(&[KeySpec::Rsa3072, KeySpec::Rsa4096]).run();
    });
}
