//! A token whose storage goes away while it is in use.

use std::fs;

use keyreeve_backend::{Error, Material, Session};
use keyreeve_testkit::with_direct;
use keyreeve_types::{KeySpec, SignatureAlgorithm};

use crate::fixture::{SIGN, generated, id, session};

/// Guards against a dead token that passes for an empty one: SoftHSM then finds
/// nothing and calls it success, so that a key would seem destroyed, or be made anew.
#[test]
fn nothing_succeeds_on_a_token_that_went_away() {
    with_direct(|token| {
        let mut session = session(token);
        let (key, _) = generated(&mut session, 1, KeySpec::EcP256, SIGN);
        let mut out = Vec::new();
        session.sign(&key, SignatureAlgorithm::Es256, &[0; 32], &mut out).unwrap();
        out.clear();

        let away = token.token_directory().with_extension("away");
        fs::rename(token.token_directory(), away).unwrap();

        let fault = |error: Option<Error>| {
            assert!(
                matches!(
                    error,
                    Some(Error::KeyMissing | Error::DeviceFailed(_) | Error::SessionFailed(_))
                ),
                "{error:?}"
            );
        };
        for _ in 0..3 {
            let es256 = SignatureAlgorithm::Es256;
            fault(session.sign(&key, es256, &[0; 32], &mut out).err());
            fault(session.open(id(1), KeySpec::EcP256, Material::Resident).err());
            fault(session.open(id(2), KeySpec::EcP256, Material::Resident).err());
            fault(session.destroy(id(1), KeySpec::EcP256).err());
            fault(session.generate(id(1), KeySpec::EcP256, SIGN).err());
            fault(session.generate(id(3), KeySpec::Aes256, crate::fixture::DECRYPT).err());
        }
        assert!(out.is_empty());
    });
}
