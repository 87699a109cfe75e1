//! Nothing brings a key out of the token: every way PKCS#11 has is tried.

use cryptoki::{
    context::Pkcs11,
    mechanism::Mechanism,
    object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle},
    session::Session as Raw,
};
use keyreeve_backend::{KeyBackend, Session};
use keyreeve_testkit::{SoftHsm, with_direct};
use keyreeve_types::{KeyOps, KeySpec};

use crate::fixture::{DECRYPT, SIGN, WRAP, backend, id};

/// Guards against the attacks of Clulow (2003) and Tookan (2010): reading, wrapping,
/// copying, or changing a key's attributes until it can be read.
#[test]
fn no_key_leaves_the_token() {
    with_direct(|token| {
        let backend = backend(token);
        let mut session = backend.open_session().unwrap();
        let kinds: [(KeySpec, KeyOps); 6] = [
            (KeySpec::EcP256, SIGN),
            (KeySpec::Ed25519, SIGN),
            (KeySpec::Rsa2048, DECRYPT),
            (KeySpec::Aes256, DECRYPT),
            (KeySpec::Aes256, WRAP),
            (KeySpec::Hmac256, SIGN),
        ];
        for (n, (spec, ops)) in (1..).zip(kinds) {
            session.generate(id(n), spec, ops).unwrap();
        }
        let raw = raw_session(token);
        for n in (1..).take(kinds.len()) {
            let key = private(&raw, n);
            assert_nothing_readable(&raw, key, n);
            assert_unchangeable(&raw, key, n);
            assert_unwrappable(&raw, key, n);
        }
    });
}

/// Guards against one key that both wraps and decrypts, which reads out what it wraps.
#[test]
fn a_key_never_both_wraps_and_decrypts() {
    with_direct(|token| {
        let backend = backend(token);
        let mut session = backend.open_session().unwrap();
        let both: KeyOps = DECRYPT.iter().chain(WRAP.iter()).collect();
        assert!(!backend.capabilities().allows_ops(KeySpec::Aes256, both));
        assert!(session.generate(id(1), KeySpec::Aes256, both).is_err());
        session.generate(id(2), KeySpec::Aes256, WRAP).unwrap();
        let raw = raw_session(token);
        let key = private(&raw, 2);
        assert!(raw.encrypt(&Mechanism::AesCbc([0; 16]), key, &[0; 16]).is_err());
    });
}

/// Guards against a signing key that also decrypts, or works without its hash's
/// padding: a key is pinned to the mechanisms of its operations.
#[test]
fn a_key_runs_only_the_mechanisms_of_its_operations() {
    with_direct(|token| {
        let backend = backend(token);
        let mut session = backend.open_session().unwrap();
        session.generate(id(1), KeySpec::Rsa2048, SIGN).unwrap();
        let raw = raw_session(token);
        let key = private(&raw, 1);
        assert!(raw.sign(&Mechanism::RsaX509, key, &[1; 256]).is_err(), "raw RSA");
        drop(raw);
        let raw = raw_session(token);
        assert!(raw.decrypt(&Mechanism::RsaPkcs, key, &[1; 256]).is_err(), "decrypting");
    });
}

/// What a key is made of and nobody may read.
pub(crate) const SECRET: [AttributeType; 7] = [
    AttributeType::Value,
    AttributeType::PrivateExponent,
    AttributeType::Prime1,
    AttributeType::Prime2,
    AttributeType::Exponent1,
    AttributeType::Exponent2,
    AttributeType::Coefficient,
];

fn assert_nothing_readable(raw: &Raw, key: ObjectHandle, n: u8) {
    for attribute in SECRET {
        let read = raw.get_attributes(key, &[attribute]).unwrap_or_default();
        assert!(read.is_empty(), "key {n}: {attribute} can be read");
    }
    let flags = [
        (AttributeType::Sensitive, Attribute::Sensitive(true)),
        (AttributeType::AlwaysSensitive, Attribute::AlwaysSensitive(true)),
        (AttributeType::Extractable, Attribute::Extractable(false)),
        (AttributeType::NeverExtractable, Attribute::NeverExtractable(true)),
        (AttributeType::Local, Attribute::Local(true)),
    ];
    for (name, expected) in flags {
        assert_eq!(raw.get_attributes(key, &[name]).unwrap(), [expected], "key {n}");
    }
}

fn assert_unchangeable(raw: &Raw, key: ObjectHandle, n: u8) {
    for change in [
        Attribute::Extractable(true),
        Attribute::Sensitive(false),
        Attribute::Wrap(true),
        Attribute::Decrypt(true),
        Attribute::Sign(true),
        Attribute::Derive(true),
    ] {
        let changed = raw.update_attributes(key, std::slice::from_ref(&change));
        assert!(changed.is_err(), "key {n}: {change:?}");
        let copied = raw.copy_object(key, &[Attribute::Token(false), change.clone()]);
        assert!(copied.is_err(), "key {n}: copied with {change:?}");
    }
    assert!(raw.copy_object(key, &[Attribute::Token(false)]).is_err(), "key {n}: copied");
}

/// With a wrapping key that anybody with the PIN could make.
fn assert_unwrappable(raw: &Raw, key: ObjectHandle, n: u8) {
    let template = [
        Attribute::Class(ObjectClass::SECRET_KEY),
        Attribute::KeyType(KeyType::AES),
        Attribute::Token(false),
        Attribute::Wrap(true),
        Attribute::Decrypt(true),
        Attribute::Value(vec![7; 32]),
    ];
    let wrapping = raw.create_object(&template).unwrap();
    for mechanism in
        [Mechanism::AesKeyWrap, Mechanism::AesKeyWrapPad, Mechanism::AesCbcPad([0; 16])]
    {
        assert!(raw.wrap_key(&mechanism, wrapping, key).is_err(), "key {n}: {mechanism:?}");
    }
}

/// A session beside the backend's: logged in with it, since login is the process'.
pub(crate) fn raw_session(token: &SoftHsm) -> Raw {
    let module = Pkcs11::new(&token.module).unwrap();
    let slot = module
        .get_slots_with_token()
        .unwrap()
        .into_iter()
        .find(|slot| module.get_token_info(*slot).unwrap().label() == token.label)
        .unwrap();
    module.open_rw_session(slot).unwrap()
}

fn private(raw: &Raw, n: u8) -> ObjectHandle {
    let found = raw.find_objects(&[Attribute::Id(vec![n; 16]), Attribute::Private(true)]).unwrap();
    assert_eq!(found.len(), 1);
    found[0]
}
