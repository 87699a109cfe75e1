//! What is not there is named, with what to do about it.

use keyreeve_backend::Error;
use keyreeve_backend_pkcs11::{Pkcs11Backend, TokenSelector};
use keyreeve_testkit::with_direct;

use crate::fixture::config;

/// Guards against a start that fails without naming the file that is missing.
#[test]
fn a_missing_module_is_named() {
    with_direct(|token| {
        let mut config = config(token);
        config.profile.module = vec!["/nonexistent/module.so".into()];
        match Pkcs11Backend::open(config).err() {
            Some(Error::NeedsOperator(text)) => {
                assert!(text.contains("/nonexistent/module.so"), "{text}");
            }
            other => panic!("{other:?}"),
        }
    });
}

/// Guards against a file that is no module being blamed on the token.
#[test]
fn a_file_that_is_no_module_is_named() {
    with_direct(|token| {
        let mut config = config(token);
        config.profile.module = vec!["/etc/passwd".into()];
        match Pkcs11Backend::open(config).err() {
            Some(Error::NeedsOperator(text)) => assert!(text.contains("/etc/passwd"), "{text}"),
            other => panic!("{other:?}"),
        }
    });
}

/// Guards against a misspelt label that reads as "device broken".
#[test]
fn a_missing_token_is_named_beside_those_that_are_there() {
    with_direct(|token| {
        let mut config = config(token);
        config.token = TokenSelector { label: Some("no-such-token".to_owned()), serial: None };
        match Pkcs11Backend::open(config).err() {
            Some(Error::DeviceFailed(text)) => {
                assert!(text.contains("no-such-token") && text.contains(&token.label), "{text}");
            }
            other => panic!("{other:?}"),
        }
    });
}

/// Guards against a second token with the right label and the wrong serial number.
#[test]
fn a_token_must_match_in_label_and_serial() {
    with_direct(|token| {
        let mut config = config(token);
        config.token.serial = Some("0000000000000000".to_owned());
        assert!(matches!(Pkcs11Backend::open(config).err(), Some(Error::DeviceFailed(_))));
    });
}

/// Guards against a module that reads some other configuration in silence.
#[test]
fn a_missing_environment_variable_is_named() {
    with_direct(|token| {
        let mut config = config(token);
        config.profile.environment.insert("SOFTHSM2_CONF".into(), "/elsewhere.conf".into());
        match Pkcs11Backend::open(config).err() {
            Some(Error::NeedsOperator(text)) => assert!(text.contains("SOFTHSM2_CONF"), "{text}"),
            other => panic!("{other:?}"),
        }
    });
}
