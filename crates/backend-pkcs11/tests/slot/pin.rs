//! The PIN is tried once.

use std::fs;

use keyreeve_backend::{Error, KeyBackend};
use keyreeve_backend_pkcs11::Pkcs11Backend;
use keyreeve_testkit::with_spied;
use keyreeve_types::Secret;

use crate::fixture::config;

/// Guards against a token locked by a program that tries a wrong PIN again and again.
#[test]
fn a_wrong_pin_is_tried_once() {
    with_spied(|token| {
        let mut wrong = config(token);
        wrong.pin = Secret::new("not-the-pin".to_owned());
        match Pkcs11Backend::open(wrong).err() {
            Some(Error::NeedsOperator(text)) => {
                assert!(text.contains("C_Login: CKR_PIN_INCORRECT"), "{text}");
                assert!(!text.contains("not-the-pin"), "{text}");
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(logins(&token.spy_log()), 1);

        let backend = Pkcs11Backend::open(config(token)).unwrap();
        for _ in 0..5 {
            backend.open_session().unwrap();
        }
        assert_eq!(logins(&token.spy_log()), 2, "one login serves every session");
    });
}

fn logins(log: &std::path::Path) -> usize {
    fs::read_to_string(log).unwrap().lines().filter(|line| line.ends_with(": C_Login")).count()
}
