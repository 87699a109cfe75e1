//! What a token does with a key from its making to its destruction.

use keyreeve_backend::{Error, KeyBackend, Material, Sealed, Session};
use keyreeve_testkit::{with_container, with_direct};
use keyreeve_types::{AesMode, EncryptionAlgorithm, KeySpec, RsaPadding, SignatureAlgorithm};

use crate::fixture::{DECRYPT, SIGN, backend, generated, id, session};

/// Guards against a profile or a mechanism table that quietly offers less (or more)
/// than SoftHSM can do.
#[test]
fn softhsm_offers_what_it_is_known_to_do() {
    with_direct(|token| {
        let backend = backend(token);
        let capabilities = backend.capabilities();
        let all_but_ml_dsa: Vec<_> =
            KeySpec::ALL.into_iter().filter(|spec| *spec != KeySpec::MlDsa65).collect();
        assert_eq!(capabilities.generate, all_but_ml_dsa);
        let all_but_ml_dsa: Vec<_> =
            SignatureAlgorithm::ALL.into_iter().filter(|a| a.name() != "ML-DSA-65").collect();
        assert_eq!(capabilities.sign, all_but_ml_dsa);
        assert_eq!(capabilities.mac.len(), 3);
        let names: Vec<_> = capabilities.decrypt.iter().map(|a| a.name()).collect();
        assert_eq!(names[..2], ["RSA-OAEP", "A128GCM"], "neither RSA-OAEP-256 nor RSA1_5");
        assert_eq!(names.len(), 10);
        let names: Vec<_> = capabilities.unwrap.iter().map(|a| a.name()).collect();
        assert_eq!(names, ["RSA-OAEP", "A128KW", "A192KW", "A256KW"]);
    });
}

/// Guards against an offer made from the module's list where the connection cannot
/// carry it: p11-kit 0.24 knows neither AES-GCM nor key wrap.
#[test]
fn a_remote_token_offers_what_the_connection_carries() {
    with_container(|token| {
        let backend = backend(token);
        let capabilities = backend.capabilities();
        assert!(capabilities.sign.contains(&SignatureAlgorithm::Es256), "{capabilities:?}");
        assert!(capabilities.sign.contains(&SignatureAlgorithm::Ps256), "{capabilities:?}");
        assert!(capabilities.unwrap.iter().all(|a| a.name() == "RSA-OAEP"), "{capabilities:?}");
        let mut session = backend.open_session().unwrap();
        let (key, public) = generated(&mut session, 1, KeySpec::EcP256, SIGN);
        let mut signature = Vec::new();
        session.sign(&key, SignatureAlgorithm::Es256, &[7; 32], &mut signature).unwrap();
        let public = public.unwrap();
        assert!(public.verify(SignatureAlgorithm::Es256, &[7; 32], &signature).unwrap());
        session.destroy(id(1), KeySpec::EcP256).unwrap();
    });
}

/// Guards against two keys for one version, and against a public key that is not the
/// private one's.
#[test]
fn generating_twice_makes_one_key() {
    with_direct(|token| {
        let mut session = session(token);
        for (n, spec) in [(1, KeySpec::EcP256), (2, KeySpec::Rsa2048)] {
            let first = session.generate(id(n), spec, SIGN).unwrap();
            let again = session.generate(id(n), spec, SIGN).unwrap();
            assert_eq!(first.public, again.public);
        }
    });
}

/// Guards against a key found by its id alone: another kind under that id is damage.
#[test]
fn a_key_of_another_kind_is_not_opened() {
    with_direct(|token| {
        let mut session = session(token);
        session.generate(id(1), KeySpec::EcP256, SIGN).unwrap();
        let opened = session.open(id(1), KeySpec::EcP384, Material::Resident);
        assert_eq!(opened.err(), Some(Error::CorruptKey));
        let opened = session.open(id(2), KeySpec::EcP256, Material::Resident);
        assert_eq!(opened.err(), Some(Error::KeyMissing));
    });
}

/// Guards against a half left behind, and against a handle that outlives its key.
#[test]
fn a_destroyed_key_is_gone_in_both_halves() {
    with_direct(|token| {
        let mut session = session(token);
        let (key, _) = generated(&mut session, 1, KeySpec::EcP256, SIGN);
        session.destroy(id(1), KeySpec::EcP256).unwrap();
        session.destroy(id(1), KeySpec::EcP256).unwrap();
        let opened = session.open(id(1), KeySpec::EcP256, Material::Resident);
        assert_eq!(opened.err(), Some(Error::KeyMissing));
        let mut out = Vec::new();
        let signed = session.sign(&key, SignatureAlgorithm::Es256, &[0; 32], &mut out);
        assert_eq!(signed, Err(Error::KeyMissing));
        let objects = std::fs::read_dir(token.token_directory()).unwrap().flatten();
        let files: usize = objects
            .map(|dir| {
                let files = std::fs::read_dir(dir.path()).unwrap().flatten();
                files.filter(|f| f.path().extension().is_some_and(|e| e == "object")).count()
            })
            .sum();
        assert_eq!(files, 1, "only the token's own object is left");
    });
}

/// Guards against a session left with an operation open: SoftHSM then answers
/// `CKR_OPERATION_ACTIVE` for ever.
#[test]
fn a_failed_operation_leaves_the_session_usable() {
    with_direct(|token| {
        let mut session = session(token);
        let (aes, _) = generated(&mut session, 1, KeySpec::Aes256, DECRYPT);
        let (rsa, public) = generated(&mut session, 2, KeySpec::Rsa2048, DECRYPT);
        let (ec, _) = generated(&mut session, 3, KeySpec::EcP256, SIGN);
        let gcm = EncryptionAlgorithm::Aes(KeySpec::Aes256, AesMode::Gcm);
        let oaep = EncryptionAlgorithm::Rsa(RsaPadding::Oaep);
        let mut out = Vec::new();
        for round in 0..20 {
            let mut sealed = Vec::new();
            let made = session.encrypt(&aes, AesMode::Gcm, b"aad", b"text", &mut sealed).unwrap();
            let (iv, tag) = (made.iv(), made.tag());
            let damaged = Sealed { iv, aad: b"AAD", ciphertext: &sealed, tag };
            assert_eq!(session.decrypt(&aes, gcm, damaged, &mut out), Err(Error::CryptoFailed));
            let mut rsa_sealed = Vec::new();
            public.as_ref().unwrap().encrypt(RsaPadding::Oaep, b"text", &mut rsa_sealed).unwrap();
            rsa_sealed[100] ^= 1;
            let failed = session.decrypt(&rsa, oaep, Sealed::rsa(&rsa_sealed), &mut out);
            assert_eq!(failed, Err(Error::CryptoFailed));
            // A key that may not do this.
            let refused = session.sign(&rsa, SignatureAlgorithm::Rs256, &[0; 32], &mut out);
            assert!(refused.is_err(), "round {round}");
            assert!(out.is_empty(), "a failure left {} bytes of a result", out.len());
            let whole = Sealed { iv, aad: b"aad", ciphertext: &sealed, tag };
            session.decrypt(&aes, gcm, whole, &mut out).unwrap();
            assert_eq!(out, b"text");
            out.clear();
            session.sign(&ec, SignatureAlgorithm::Es256, &[0; 32], &mut out).unwrap();
            out.clear();
        }
    });
}
