//! Profiles of PKCS#11 modules.

use keyreeve_backend_pkcs11::Profile;

use super::Target;

pub(super) const TARGET: Target = Target {
    name: "hsm_profile",
    max_len: 2048,
    seeds: || {
        let minimal = "name = 'x'\nmodule = ['/usr/lib/x.so']\n";
        vec![Profile::SOFTHSM2.as_bytes().to_vec(), minimal.as_bytes().to_vec()]
    },
    run,
};

/// What is taken is within its bounds, and an unknown field is never overlooked.
fn run(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else { return };
    let Ok(profile) = Profile::parse(text) else { return };
    assert!((1..=64).contains(&profile.threads) && !profile.module.is_empty());
    let sandbox = &profile.sandbox;
    let paths = profile.module.iter().chain(&sandbox.read).chain(&sandbox.write);
    for path in paths.chain(&sandbox.unix_sockets) {
        assert!(path.is_absolute(), "{}", path.display());
    }
    let misspelt = format!("unknown_field = 1\n{text}");
    assert!(Profile::parse(&misspelt).is_err(), "an unknown field is overlooked");
}
