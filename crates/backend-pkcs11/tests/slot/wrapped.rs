//! Keys that leave the token wrapped: what opens them, how long they live, and that
//! nothing else comes out.

use keyreeve_backend::{Custody, Error, KeyBackend, Material, NewKey, Session, conformance::Suite};
use keyreeve_backend_pkcs11::{GroupConfig, KeysIn, Pkcs11Backend, Pkcs11Key, provision::Module};
use keyreeve_publickey::PublicKey;
use keyreeve_testkit::{AwsLc, SoftHsm, with_direct, with_kryoptic, with_opencryptoki};
use keyreeve_types::{KeySpec, SignatureAlgorithm};

use crate::{
    custody::raw_session,
    fixture::{DECRYPT, SIGN, backend, config, id},
};

/// Guards against a wrapped key that works differently from a resident one.
#[test]
fn softhsm_with_wrapped_keys_passes_the_suite() {
    with_direct(|token| {
        let backend = grouped(token, KeysIn::Wrapped);
        assert_eq!(backend.capabilities().custody, Custody::Wrapped);
        assert_leaves_wrapped(&backend);
        Suite::new(&backend, &AwsLc).without(&[KeySpec::Rsa3072, KeySpec::Rsa4096]).run();
        let raw = raw_session(token);
        let objects = raw.find_objects(&[]).unwrap().len();
        // The wrapping key and the two halves of the canary.
        assert_eq!(objects, 3, "an object of a wrapped key stayed");
    });
}

/// Guards against keys of all threads that die with one thread's session, and against
/// handles of the dead that are used.
#[test]
fn an_open_key_outlives_the_session_that_opened_it() {
    with_direct(|token| {
        let backend = grouped(token, KeysIn::Auto);
        let (made, mut other) = (backend.open_session().unwrap(), backend.open_session().unwrap());
        let mut made = made;
        let NewKey { key, public, .. } = made.generate(id(1), KeySpec::EcP256, SIGN).unwrap();
        let public = PublicKey::from_spki(&public.unwrap()).unwrap();
        // A failed call costs a session, and does not cost its keys.
        let garbage = Material::Wrapped { blob: vec![7; 80], made_for: SIGN };
        assert_eq!(made.open(id(2), KeySpec::EcP256, garbage).map(drop), Err(Error::CorruptKey));
        assert_signs(&mut made, &key, &public);
        drop(made);
        assert_signs(&mut other, &key, &public);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let mut third = backend.open_session().unwrap();
                assert_signs(&mut third, &key.clone(), &public);
            });
        });
        drop(key);
        let raw = raw_session(token);
        let left = raw.find_objects(&[]).unwrap().len();
        assert_eq!(left, 3, "a key that nobody holds is still in the token");
    });
}

/// Guards against a slot that serves only the keys of its present setting: those made
/// before under the other go on working.
#[test]
fn resident_and_wrapped_keys_are_served_side_by_side() {
    with_direct(|token| {
        let resident = {
            let backend = backend(token);
            let mut session = backend.open_session().unwrap();
            session.generate(id(1), KeySpec::EcP256, SIGN).unwrap().public.unwrap()
        };
        let (blob, made_for, wrapped) = {
            let backend = grouped(token, KeysIn::Auto);
            let mut session = backend.open_session().unwrap();
            let new = session.generate(id(2), KeySpec::EcP256, SIGN).unwrap();
            let Material::Wrapped { blob, made_for } = new.material else { panic!("resident") };
            (blob, made_for, new.public.unwrap())
        };
        for keys in [KeysIn::Auto, KeysIn::Resident] {
            let backend = grouped(token, keys);
            let mut session = backend.open_session().unwrap();
            let key = session.open(id(1), KeySpec::EcP256, Material::Resident).unwrap();
            assert_signs(&mut session, &key, &PublicKey::from_spki(&resident).unwrap());
            let material = Material::Wrapped { blob: blob.clone(), made_for };
            let key = session.open(id(2), KeySpec::EcP256, material).unwrap();
            assert_signs(&mut session, &key, &PublicKey::from_spki(&wrapped).unwrap());
        }
        let new = grouped(token, KeysIn::Resident);
        assert_eq!(new.capabilities().custody, Custody::Resident);
    });
}

/// Guards against a slot without the group's wrapping key that makes keys which no
/// other slot will ever open.
#[test]
fn wrapped_keys_take_a_wrapping_key() {
    with_direct(|token| {
        let group = |keys| GroupConfig { name: "premium".parse().unwrap(), keys };
        let demanded = Pkcs11Backend::open_in_group(config(token), &group(KeysIn::Wrapped));
        match demanded.err() {
            Some(Error::NeedsOperator(text)) => assert!(text.contains("premium"), "{text}"),
            other => panic!("{other:?}"),
        }
        let offered = Pkcs11Backend::open_in_group(config(token), &group(KeysIn::Auto)).unwrap();
        assert_eq!(offered.capabilities().custody, Custody::Resident);
        offered.open_session().unwrap().check().unwrap();
    });
}

/// Guards against a device whose death looks like health: everything but a signature of
/// its own key goes on working on a token that is gone.
#[test]
fn the_canary_tells_a_dead_token() {
    with_direct(|token| {
        let backend = grouped(token, KeysIn::Auto);
        let mut session = backend.open_session().unwrap();
        session.check().unwrap();
        let away = token.token_directory().with_extension("away");
        std::fs::rename(token.token_directory(), away).unwrap();
        for _ in 0..3 {
            assert!(session.check().is_err());
            assert!(backend.open_session().unwrap().check().is_err());
        }
        assert!(session.random(&mut [0; 8]).is_ok(), "the trap this guards against");
    });
}

/// Guards against a wrapping key that is pinned to what one module calls RFC 5649: another
/// module calls it by its name, and the group's keys would all be resident there.
#[test]
fn another_module_keeps_wrapped_keys_as_well() {
    with_kryoptic(|token| {
        let backend = grouped(token, KeysIn::Wrapped);
        assert_eq!(backend.capabilities().custody, Custody::Wrapped);
        let mut session = backend.open_session().unwrap();
        session.check().unwrap();
        let new = session.generate(id(1), KeySpec::EcP256, SIGN).unwrap();
        let public = PublicKey::from_spki(&new.public.unwrap()).unwrap();
        assert_signs(&mut session, &new.key, &public);
        let Material::Wrapped { blob, made_for } = new.material else { panic!("resident") };
        let material = Material::Wrapped { blob, made_for };
        let key = session.open(id(1), KeySpec::EcP256, material).unwrap();
        assert_signs(&mut session, &key, &public);
    });
}

/// Guards against a slot that no group can have because its module refuses a flag of the
/// canary that it need not have.
#[test]
fn a_module_that_wraps_nothing_has_a_canary() {
    with_opencryptoki(|token| {
        let group = GroupConfig { name: "premium".parse().unwrap(), keys: KeysIn::Auto };
        let backend = Pkcs11Backend::open_in_group(config(token), &group).unwrap();
        assert_eq!(backend.capabilities().custody, Custody::Resident);
        backend.open_session().unwrap().check().unwrap();
    });
}

/// Guards against an opened key that is more than it was made for.
#[test]
fn a_wrapped_key_does_what_it_was_made_for_and_stays() {
    with_direct(|token| {
        let backend = grouped(token, KeysIn::Auto);
        let mut session = backend.open_session().unwrap();
        let new = session.generate(id(1), KeySpec::Rsa2048, DECRYPT).unwrap();
        let mut out = Vec::new();
        let signed = session.sign(&new.key, SignatureAlgorithm::Rs256, &[0; 32], &mut out);
        assert!(signed.is_err() && out.is_empty(), "a decryption key signed: {signed:?}");
        let raw = raw_session(token);
        for object in raw.find_objects(&[]).unwrap() {
            use cryptoki::object::{Attribute, AttributeType};
            let read = raw.get_attributes(object, &[AttributeType::Token]).unwrap();
            if read == [Attribute::Token(false)] {
                let flags = [AttributeType::Extractable, AttributeType::Sensitive];
                let flags = raw.get_attributes(object, &flags).unwrap();
                assert_eq!(flags, [Attribute::Extractable(false), Attribute::Sensitive(true)]);
            }
        }
    });
}

/// All but Ed25519, which SoftHSM 2.6 does not wrap.
fn assert_leaves_wrapped(backend: &Pkcs11Backend) {
    let mut session = backend.open_session().unwrap();
    for spec in [KeySpec::Rsa2048, KeySpec::EcP256, KeySpec::Aes128, KeySpec::Hmac512] {
        let ops = backend.capabilities().default_ops(spec);
        let made = session.generate(id(1), spec, ops).unwrap();
        assert!(matches!(made.material, Material::Wrapped { .. }), "{spec}");
    }
}

fn grouped(token: &SoftHsm, keys: KeysIn) -> Pkcs11Backend {
    let group = GroupConfig { name: "premium".parse().unwrap(), keys };
    {
        let config = config(token);
        let module = Module::load(config.profile).unwrap();
        let provisioned = module.log_in(config.token, &config.pin).unwrap();
        if provisioned.wrapping_key(&group.name).unwrap().is_none() {
            provisioned.make_wrapping_key(&group.name, None).unwrap();
        }
    }
    Pkcs11Backend::open_in_group(config(token), &group).unwrap()
}

fn assert_signs(session: &mut impl Session<Key = Pkcs11Key>, key: &Pkcs11Key, public: &PublicKey) {
    let mut out = Vec::new();
    session.sign(key, SignatureAlgorithm::Es256, &[3; 32], &mut out).unwrap();
    assert_eq!(public.verify(SignatureAlgorithm::Es256, &[3; 32], &out), Ok(true));
}
