//! What is found out about a module that no profile describes, and what keeps a device
//! awake.

use std::{fs, thread, time::Duration};

use cryptoki::object::{Attribute, AttributeType};
use keyreeve_backend::{KeyBackend, Session};
use keyreeve_backend_pkcs11::{Pkcs11Backend, Quirks};
use keyreeve_testkit::{with_opencryptoki, with_shim, with_spied};
use keyreeve_types::{AesMode, EncryptionAlgorithm, KeySpec};

use crate::{
    fixture::{DECRYPT, config, id},
    raw::RawToken,
};

/// Guards against an offer made from the mechanism list alone: openCryptoki lists AES-CBC
/// with padding and decrypts what is not padded.
#[test]
fn what_a_module_does_wrong_is_not_offered() {
    with_opencryptoki(|token| {
        let mut config = config(token);
        config.profile.quirks = Quirks::default();
        let backend = Pkcs11Backend::open(config).unwrap();
        let offers = |mode| {
            let algorithm = EncryptionAlgorithm::Aes(KeySpec::Aes256, mode);
            backend.capabilities().decrypt.contains(&algorithm)
        };
        assert!(offers(AesMode::Cbc));
        assert!(!offers(AesMode::CbcPad));
    });
}

/// Guards against a module that makes no key at all because it does not know one
/// attribute, and against leaving out more than that one.
#[test]
fn an_attribute_that_is_refused_is_left_out() {
    with_shim(|token| {
        // The second key of the trials is made by the whole template, as a session object
        // and then as a token object.
        let rules = ["C_GenerateKey nth 2 return 0x12", "C_GenerateKey nth 3 return 0x12"];
        token.faults().set(&rules).unwrap();
        let backend = Pkcs11Backend::open(config(token)).unwrap();
        let mut session = backend.open_session().unwrap();
        session.generate(id(1), KeySpec::Aes256, DECRYPT).unwrap();
        let raw = RawToken::open(token);
        let wanted = [
            AttributeType::Copyable,
            AttributeType::Modifiable,
            AttributeType::Sensitive,
            AttributeType::Extractable,
        ];
        let attributes = raw.session().get_attributes(raw.private(1), &wanted).unwrap();
        let expected = [
            // SoftHSM's own default, since it was not told.
            Attribute::Copyable(true),
            Attribute::Modifiable(false),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
        ];
        assert_eq!(attributes, expected);
    });
}

/// Guards against a device that ends an idle login, and against one that is asked for
/// something although nobody wants that.
#[test]
fn an_idle_device_is_asked_for_something_if_its_profile_says_so() {
    with_spied(|token| {
        let asked = || {
            let log = fs::read_to_string(token.spy_log()).unwrap();
            log.lines().filter(|line| line.ends_with(": C_GenerateRandom")).count()
        };
        let mut config = config(token);
        config.profile.keep_alive_seconds = Some(1);
        let backend = Pkcs11Backend::open(config).unwrap();
        assert_eq!(asked(), 0, "before there is a session");
        let _session = backend.open_session().unwrap();
        thread::sleep(Duration::from_millis(2700));
        assert_eq!(asked(), 2);
    });
}
