//! What a backend must refuse: algorithms that do not fit the key, and those that
//! it does not list.

use keyreeve_types::{
    AesMode, EncryptionAlgorithm, KeySpec, MacAlgorithm, Operation, Secret, SignatureAlgorithm,
    WrapAlgorithm,
};

use super::{BEFORE, Suite, buffer, fixtures::fixture, signatures::input_for};
use crate::{Error, KeyBackend, Sealed, Session};

/// One call of an operation: the session, the key, the output.
type Call<'c, B> = dyn Fn(&mut <B as KeyBackend>::Session, &<B as KeyBackend>::Key, &mut Vec<u8>) -> Result<(), Error>
    + 'c;

impl<B: KeyBackend> Suite<'_, B> {
    /// Guards against a key used for an algorithm that it was not made for.
    pub(super) fn another_keys_algorithm_is_refused(&self) {
        self.try_everything(|spec, fits, listed, what, answer| {
            if !fits {
                let refused = matches!(answer, Err(Error::Unsupported | Error::InvalidInput(_)));
                assert!(refused, "{what} with {spec} (listed: {listed}): {answer:?}");
            }
        });
    }

    /// Guards against an ability that the list hides, so that nothing checks it.
    pub(super) fn what_is_not_listed_is_unsupported(&self) {
        self.try_everything(|spec, fits, listed, what, answer| {
            if fits && !listed {
                assert_eq!(answer, Err(Error::Unsupported), "{what} with {spec}");
            }
        });
        let mut session = self.session();
        for spec in KeySpec::ALL {
            let able = self.capabilities();
            let (id, ops) = (self.fresh_id(), able.default_ops(spec));
            if !able.generate.contains(&spec) {
                let answer = session.generate(id, spec, ops).map(drop);
                assert_eq!(answer, Err(Error::Unsupported), "generating {spec}");
            }
            if !able.import.contains(&spec) {
                let private = Secret::new(fixture(spec).private);
                let answer = session.import(id, spec, ops, private).map(drop);
                assert_eq!(answer, Err(Error::Unsupported), "importing {spec}");
            }
        }
    }

    /// Calls every operation with every algorithm and every kind of key, and hands
    /// `judge` each answer: kind, whether the algorithm fits it, whether it is
    /// listed, what was tried, the answer.
    fn try_everything(&self, judge: impl Fn(KeySpec, bool, bool, &str, Result<(), Error>)) {
        let mut session = self.session();
        let able = self.capabilities();
        for spec in self.kinds() {
            let mut attempt =
                |operation: Operation, fits: bool, listed: bool, what: &str, call: &Call<'_, B>| {
                    self.with_key(&mut session, spec, operation, |session, key, _| {
                        let mut out = buffer();
                        let answer = call(session, key, &mut out);
                        if answer.is_err() {
                            assert_eq!(out, BEFORE, "{what} with {spec}: a part of a result");
                        }
                        judge(spec, fits, listed, what, answer);
                    });
                };
            for a in SignatureAlgorithm::ALL {
                let input = input_for(a);
                attempt(
                    Operation::Sign,
                    a.fits(spec),
                    able.sign.contains(&a),
                    a.name(),
                    &|session, key, out| session.sign(key, a, &input, out),
                );
            }
            for a in MacAlgorithm::ALL {
                attempt(
                    Operation::Sign,
                    a.fits(spec),
                    able.mac.contains(&a),
                    a.name(),
                    &|session, key, out| session.mac(key, a, b"message", out),
                );
            }
            for a in EncryptionAlgorithm::ALL {
                let (fits, listed) = (a.fits(spec), able.decrypt.contains(&a));
                let what = format!("decrypting {a}");
                attempt(Operation::Decrypt, fits, listed, &what, &|session, key, out| {
                    session.decrypt(key, a, shaped_for(a), out)
                });
            }
            for mode in [AesMode::Gcm, AesMode::Cbc, AesMode::CbcPad] {
                let listed = able.decrypt.contains(&EncryptionAlgorithm::Aes(spec, mode));
                let what = format!("encrypting {mode:?}");
                attempt(Operation::Encrypt, spec.is_aes(), listed, &what, &|session, key, out| {
                    session.encrypt(key, mode, b"", &[0; 16], out).map(drop)
                });
            }
            for a in WrapAlgorithm::ALL {
                let (fits, listed) = (a.fits(spec), able.unwrap.contains(&a));
                let what = format!("unwrapping {a}");
                attempt(Operation::UnwrapKey, fits, listed, &what, &|session, key, out| {
                    session.unwrap(key, a, &[0; 256], out)
                });
            }
            for (padded, listed) in [
                (false, able.unwrap.contains(&WrapAlgorithm::AesKw(spec))),
                (true, able.unwrap.contains(&WrapAlgorithm::AesKwp)),
            ] {
                let what = format!("wrapping, padded: {padded}");
                attempt(Operation::WrapKey, spec.is_aes(), listed, &what, &|session, key, out| {
                    session.wrap(key, padded, &[0; 32], out)
                });
            }
        }
    }
}

/// A ciphertext whose parts have the lengths that `algorithm` demands.
fn shaped_for(algorithm: EncryptionAlgorithm) -> Sealed<'static> {
    match algorithm {
        EncryptionAlgorithm::Rsa(_) => Sealed::rsa(&[0; 256]),
        EncryptionAlgorithm::Aes(_, AesMode::Gcm) => {
            Sealed { iv: &[0; 12], aad: &[], ciphertext: &[0; 32], tag: &[0; 16] }
        }
        EncryptionAlgorithm::Aes(_, AesMode::Cbc | AesMode::CbcPad) => {
            Sealed { iv: &[0; 16], aad: &[], ciphertext: &[0; 32], tag: &[] }
        }
    }
}
