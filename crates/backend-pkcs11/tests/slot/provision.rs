//! What a slot group's own keys are, and what they refuse.

use cryptoki::{
    mechanism::Mechanism,
    object::{Attribute, AttributeType},
};
use keyreeve_backend_pkcs11::provision::{Export, Made, Module, Token};
use keyreeve_testkit::{SoftHsm, with_direct};
use keyreeve_types::Name;

use crate::{custody::raw_session, fixture::config};

/// Guards against a wrapping key that may be wrapped by anybody with the PIN, or that
/// opens wrapped keys so that they can be read: both hand over every key of the group.
#[test]
fn a_wrapping_key_leaves_with_two_people_and_opens_nothing_readable() {
    with_direct(|token| {
        let token = logged_in(token);
        assert_eq!(token.wrapping_key(&group()).unwrap(), None);
        assert_eq!(token.make_wrapping_key(&group(), None).unwrap(), Export::Trusted);
        assert_eq!(token.wrapping_key(&group()).unwrap(), Some(Export::Trusted));
        assert!(token.opens_only_sensitive(&group()).unwrap());
        assert_eq!(token.wrapping_key(&"other".parse().unwrap()).unwrap(), None);
    });
}

/// Guards against a trial that passes whatever the key is: one without
/// `CKA_UNWRAP_TEMPLATE`, put in the same place, opens keys that can be read.
#[test]
fn a_wrapping_key_that_opens_readable_keys_is_told_apart() {
    with_direct(|softhsm| {
        let token = logged_in(softhsm);
        token.make_wrapping_key(&group(), Some(Export::Never)).unwrap();
        let raw = raw_session(softhsm);
        let label = Attribute::Label(b"keyreeve-wrapping:premium".to_vec());
        let [ours] = raw.find_objects(std::slice::from_ref(&label)).unwrap()[..] else { panic!() };
        let id = raw.get_attributes(ours, &[AttributeType::Id]).unwrap().remove(0);
        raw.destroy_object(ours).unwrap();
        let theirs = [
            id,
            label,
            Attribute::Token(true),
            Attribute::ValueLen(32.into()),
            Attribute::Sensitive(true),
            Attribute::Extractable(false),
            Attribute::Wrap(true),
            Attribute::Unwrap(true),
        ];
        raw.generate_key(&Mechanism::AesKeyGen, &theirs).unwrap();
        assert_eq!(token.wrapping_key(&group()).unwrap(), Some(Export::Never));
        assert!(!token.opens_only_sensitive(&group()).unwrap());
    });
}

/// Guards against a canary that sings without its key: it is found by name, and every
/// time signs something new.
#[test]
fn a_canary_signs_what_nobody_has_seen() {
    with_direct(|token| {
        let token = logged_in(token);
        assert_eq!(token.canary(&group(), false).unwrap(), Made::Missing);
        assert_eq!(token.canary(&group(), true).unwrap(), Made::New);
        assert_eq!(token.canary(&group(), true).unwrap(), Made::Found);
        assert_eq!(token.canary(&"other".parse().unwrap(), false).unwrap(), Made::Missing);
    });
}

fn logged_in(token: &SoftHsm) -> Token {
    let config = config(token);
    Module::load(config.profile).unwrap().log_in(config.token, &config.pin).unwrap()
}

fn group() -> Name {
    "premium".parse().unwrap()
}
