//! RSA decrypting and unwrapping of what was encrypted outside.

use keyreeve_types::{EncryptionAlgorithm, KeySpec, Operation, RsaPadding, WrapAlgorithm};

use super::{Suite, appended, assert_refused, buffer};
use crate::{Error, InvalidInput, KeyBackend, Sealed, Session};

impl<B: KeyBackend> Suite<'_, B> {
    /// Guards against another hash or label than the one that others use, and a
    /// length at which decrypting breaks.
    pub(super) fn rsa_decrypts_from_outside(&self) {
        self.each_rsa(|session, key, public, spec, padding| {
            let longest = padding.max_plaintext(spec.bits().expect("RSA has a size") as usize / 8);
            for len in [0, 1, 32, longest] {
                let plaintext = vec![0x6b; len];
                let ciphertext = self.outside.encrypt(public, padding, &plaintext);
                let what = format!("{spec} {} of {len} bytes", padding.name());
                if self.capabilities().decrypt.contains(&EncryptionAlgorithm::Rsa(padding)) {
                    let mut out = buffer();
                    let algorithm = EncryptionAlgorithm::Rsa(padding);
                    let sealed = Sealed::rsa(&ciphertext);
                    let answer = session.decrypt(key, algorithm, sealed, &mut out);
                    assert_eq!(answer, Ok(()), "decrypting {what}");
                    assert_eq!(appended(&out), plaintext, "decrypting {what}");
                }
                if self.capabilities().unwrap.contains(&WrapAlgorithm::Rsa(padding)) {
                    let mut out = buffer();
                    let algorithm = WrapAlgorithm::Rsa(padding);
                    let answer = session.unwrap(key, algorithm, &ciphertext, &mut out);
                    assert_eq!(answer, Ok(()), "unwrapping {what}");
                    assert_eq!(appended(&out), plaintext, "unwrapping {what}");
                }
            }
        });
    }

    /// Guards against an oracle: every bad ciphertext gets the same answer.
    ///
    /// RSA1_5 may instead decrypt to something else (implicit rejection), which
    /// tells as little.
    pub(super) fn damaged_rsa_is_refused(&self) {
        self.each_rsa(|session, key, public, spec, padding| {
            let plaintext = b"the quick brown fox";
            let good = self.outside.encrypt(public, padding, plaintext);
            let mut flipped = good.clone();
            flipped[good.len() / 2] ^= 1;
            let longer = [good.as_slice(), &[0]].concat();
            let other = match padding {
                RsaPadding::Oaep => RsaPadding::Oaep256,
                RsaPadding::Oaep256 | RsaPadding::Pkcs1V15 => RsaPadding::Oaep,
            };
            let cases = [
                ("a flipped bit", flipped),
                ("a byte too few", good[1..].to_vec()),
                ("a byte too many", longer),
                ("nothing", Vec::new()),
                ("zeros", vec![0; good.len()]),
                ("a number above the modulus", vec![0xff; good.len()]),
                ("another padding", self.outside.encrypt(public, other, plaintext)),
            ];
            for (what, ciphertext) in &cases {
                let what = format!("{spec} {}: {what}", padding.name());
                for unwrapping in [false, true] {
                    let mut out = buffer();
                    let answer = if !unwrapping {
                        let algorithm = EncryptionAlgorithm::Rsa(padding);
                        if !self.capabilities().decrypt.contains(&algorithm) {
                            continue;
                        }
                        session.decrypt(key, algorithm, Sealed::rsa(ciphertext), &mut out)
                    } else {
                        let algorithm = WrapAlgorithm::Rsa(padding);
                        if !self.capabilities().unwrap.contains(&algorithm) {
                            continue;
                        }
                        session.unwrap(key, algorithm, ciphertext, &mut out)
                    };
                    if padding == RsaPadding::Pkcs1V15 && answer.is_ok() {
                        assert_ne!(appended(&out), plaintext, "{what}");
                    } else {
                        assert_refused(answer, &Error::CryptoFailed, &out, &what);
                    }
                }
            }
            let algorithm = EncryptionAlgorithm::Rsa(padding);
            if self.capabilities().decrypt.contains(&algorithm) {
                let sealed = Sealed { iv: &[0; 12], ..Sealed::rsa(&good) };
                let mut out = buffer();
                let answer = session.decrypt(key, algorithm, sealed, &mut out);
                assert_refused(answer, &InvalidInput::IvOrTagLength.into(), &out, "a nonce");
            }
        });
    }

    /// Calls `check` for each kind of RSA key and each padding that is listed for
    /// decrypting or unwrapping.
    fn each_rsa(&self, check: impl Fn(&mut B::Session, &B::Key, &[u8], KeySpec, RsaPadding)) {
        let mut session = self.session();
        for padding in RsaPadding::ALL {
            let able = self.capabilities();
            let listed = able.decrypt.contains(&EncryptionAlgorithm::Rsa(padding))
                || able.unwrap.contains(&WrapAlgorithm::Rsa(padding));
            let fits = |spec: &KeySpec| EncryptionAlgorithm::Rsa(padding).fits(*spec);
            for spec in self.kinds().into_iter().filter(fits).filter(|_| listed) {
                self.with_key(&mut session, spec, Operation::Decrypt, |session, key, public| {
                    check(session, key, public.expect("a public half"), spec, padding);
                });
            }
        }
    }
}
