//! Signing, judged by an outside verifier.

use keyreeve_types::{Operation, SignInput, SignatureAlgorithm};

use super::{Suite, appended, assert_refused, buffer};
use crate::{InvalidInput, KeyBackend, Session};

/// Something to sign that `algorithm` takes.
pub(super) fn input_for(algorithm: SignatureAlgorithm) -> Vec<u8> {
    let len = match algorithm.input() {
        SignInput::Digest(hash) => hash.len(),
        SignInput::Message => 100,
    };
    (0..len).map(|i| (i as u8).wrapping_mul(37)).collect()
}

impl<B: KeyBackend> Suite<'_, B> {
    /// Guards against signatures that only their maker accepts, and that are
    /// accepted for something else than what was signed.
    pub(super) fn signatures_verify_outside(&self) {
        self.each_signing_key(|session, key, public, algorithm| {
            let (input, mut out) = (input_for(algorithm), buffer());
            let answer = session.sign(key, algorithm, &input, &mut out);
            assert_eq!(answer, Ok(()), "{algorithm}");
            let signature = appended(&out);
            let verifies = |input: &[u8], signature: &[u8]| {
                self.outside.verify(public, algorithm, input, signature)
            };
            assert!(verifies(&input, signature), "{algorithm}: does not verify");
            let mut other = input.clone();
            other[0] ^= 1;
            assert!(!verifies(&other, signature), "{algorithm}: verifies for another input");
            let mut damaged = signature.to_vec();
            damaged[signature.len() / 2] ^= 1;
            assert!(!verifies(&input, &damaged), "{algorithm}: verifies when damaged");
        });
    }

    /// Guards against a message signed as if it were a digest.
    pub(super) fn a_digest_of_another_length_is_refused(&self) {
        self.each_signing_key(|session, key, _, algorithm| {
            let SignInput::Digest(hash) = algorithm.input() else { return };
            for len in [0, hash.len() - 1, hash.len() + 1, 20, 65536] {
                let mut out = buffer();
                let answer = session.sign(key, algorithm, &vec![7; len], &mut out);
                let what = format!("{algorithm} of {len} bytes");
                assert_refused(answer, &InvalidInput::DigestLength.into(), &out, &what);
            }
        });
    }

    /// Guards against a length at which signing a message breaks.
    pub(super) fn messages_of_any_size_are_signed(&self) {
        self.each_signing_key(|session, key, public, algorithm| {
            if algorithm.input() != SignInput::Message {
                return;
            }
            for len in [0, 1, 127, 128, 65536] {
                let (message, mut out) = (vec![0xa7; len], buffer());
                let answer = session.sign(key, algorithm, &message, &mut out);
                assert_eq!(answer, Ok(()), "{algorithm} of {len} bytes");
                assert!(
                    self.outside.verify(public, algorithm, &message, appended(&out)),
                    "{algorithm} of {len} bytes does not verify"
                );
            }
        });
    }

    /// Calls `check` for each listed algorithm and each kind of key it fits.
    fn each_signing_key(
        &self,
        check: impl Fn(&mut B::Session, &B::Key, &[u8], SignatureAlgorithm),
    ) {
        let mut session = self.session();
        for algorithm in &self.capabilities().sign {
            for spec in self.kinds().into_iter().filter(|spec| algorithm.fits(*spec)) {
                self.with_key(&mut session, spec, Operation::Sign, |session, key, public| {
                    check(session, key, public.expect("a public half"), *algorithm);
                });
            }
        }
    }
}
