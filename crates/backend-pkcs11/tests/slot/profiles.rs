//! The shipped profiles.

use std::fs;

use keyreeve_backend_pkcs11::Profile;

use crate::fixture::hsm_config;

/// Guards against a profile that ships and does not load.
#[test]
fn every_shipped_profile_loads() {
    let mut loaded = 0;
    for vendor in fs::read_dir(hsm_config()).unwrap() {
        let vendor = vendor.unwrap().path();
        if !vendor.is_dir() {
            continue;
        }
        let mut profiles = 0;
        for file in fs::read_dir(&vendor).unwrap() {
            let path = file.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "toml") {
                Profile::load(&path).unwrap_or_else(|error| panic!("{error}"));
                profiles += 1;
            }
        }
        assert!(profiles > 0, "{} holds no profile", vendor.display());
        let readme = fs::read_to_string(vendor.join("README.md"));
        let readme = readme.unwrap_or_else(|_| panic!("{} has no README.md", vendor.display()));
        let name = vendor.file_name().unwrap().to_str().unwrap();
        assert_eq!(readme.contains("Untested"), !TESTED.contains(&name), "{name}");
        loaded += profiles;
    }
    assert!(loaded >= 11, "only {loaded}");
}

/// The modules that the tests and campaigns of this repository run against. Whoever uses
/// another one is told that nobody did.
const TESTED: [&str; 5] = ["softhsm2", "p11-kit", "kryoptic", "opencryptoki", "tpm2-pkcs11"];

/// Guards against a built-in profile that is not the one in the repository.
#[test]
fn the_built_in_profile_is_the_shipped_one() {
    let path = hsm_config().join("softhsm2/profile.toml");
    assert_eq!(Profile::parse(Profile::SOFTHSM2), Profile::load(&path));
}
