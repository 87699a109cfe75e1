//! AES encryption of content.

use keyreeve_types::{AesMode, EncryptionAlgorithm, KeySpec, Operation, Secret};

use super::{Suite, appended, assert_refused, buffer, vectors};
use crate::{Encrypted, Error, InvalidInput, KeyBackend, Sealed, Session};

/// A ciphertext with its parts, owned.
#[derive(Clone)]
struct Message {
    iv: Vec<u8>,
    aad: Vec<u8>,
    ciphertext: Vec<u8>,
    tag: Vec<u8>,
}

impl Message {
    fn new(made: Encrypted, aad: &[u8], ciphertext: &[u8]) -> Self {
        let (iv, tag) = (made.iv().to_vec(), made.tag().to_vec());
        Self { iv, aad: aad.to_vec(), ciphertext: ciphertext.to_vec(), tag }
    }

    fn sealed(&self) -> Sealed<'_> {
        Sealed { iv: &self.iv, aad: &self.aad, ciphertext: &self.ciphertext, tag: &self.tag }
    }
}

impl<B: KeyBackend> Suite<'_, B> {
    /// Guards against a mode, a tag or a padding that only agrees with itself.
    pub(super) fn aes_decrypts_the_vectors(&self) {
        let mut session = self.session();
        for vector in vectors::CONTENT {
            let algorithm = EncryptionAlgorithm::Aes(vector.key_spec, vector.mode);
            let listed = self.capabilities().decrypt.contains(&algorithm);
            if !listed || !self.imported_kinds().contains(&vector.key_spec) {
                continue;
            }
            let (id, spec) = (self.fresh_id(), vector.key_spec);
            let ops = self.ops_for(spec, Operation::Decrypt);
            let new = session
                .import(id, spec, ops, Secret::new(vectors::bytes(vector.key)))
                .expect("a key for the vector");
            let sealed = Message {
                iv: vectors::bytes(vector.iv),
                aad: vectors::bytes(vector.aad),
                ciphertext: vectors::bytes(vector.ciphertext),
                tag: vectors::bytes(vector.tag),
            };
            let mut out = buffer();
            let answer = session.decrypt(&new.key, algorithm, sealed.sealed(), &mut out);
            assert_eq!(answer, Ok(()), "{algorithm}");
            assert_eq!(appended(&out), vectors::bytes(vector.plaintext), "{algorithm}");
            assert_eq!(session.destroy(id, spec), Ok(()));
        }
    }

    /// Guards against a length at which encrypting and decrypting part ways.
    pub(super) fn aes_decrypts_what_it_encrypts(&self) {
        self.each_aes(|session, key, spec, mode| {
            let lens: &[usize] = match mode {
                AesMode::Cbc => &[16, 32, 65536],
                AesMode::Gcm | AesMode::CbcPad => &[0, 1, 15, 16, 17, 4096, 65536],
            };
            let aads: &[&[u8]] = match mode {
                AesMode::Gcm => &[b"", b"associated", &[9; 4096]],
                AesMode::Cbc | AesMode::CbcPad => &[b""],
            };
            for (len, aad) in lens.iter().flat_map(|len| aads.iter().map(move |aad| (*len, aad))) {
                let (plaintext, algorithm) =
                    (vec![0x3c; len], EncryptionAlgorithm::Aes(spec, mode));
                let sealed = seal(session, key, mode, aad, &plaintext);
                let expected_len = match mode {
                    AesMode::CbcPad => (len / 16 + 1) * 16,
                    AesMode::Gcm | AesMode::Cbc => len,
                };
                assert_eq!(sealed.ciphertext.len(), expected_len, "{algorithm} of {len} bytes");
                assert!(len < 16 || sealed.ciphertext[..16] != plaintext[..16], "{algorithm}");
                let mut out = buffer();
                let answer = session.decrypt(key, algorithm, sealed.sealed(), &mut out);
                assert_eq!(answer, Ok(()), "{algorithm} of {len} bytes");
                assert_eq!(appended(&out), plaintext, "{algorithm} of {len} bytes");
            }
        });
    }

    /// Guards against a nonce used twice, which gives away what GCM protects.
    pub(super) fn aes_never_repeats_a_nonce(&self) {
        self.each_aes(|session, key, spec, mode| {
            let mut ivs: Vec<_> =
                (0..64).map(|_| seal(session, key, mode, b"", &[0; 16]).iv).collect();
            ivs.sort();
            ivs.dedup();
            assert_eq!(ivs.len(), 64, "{spec} {mode:?}: a nonce was repeated");
        });
    }

    /// Guards against a part of a GCM message that nothing authenticates, and
    /// against plaintext that leaves before it was authenticated.
    pub(super) fn tampered_gcm_is_refused(&self) {
        self.each_aes(|session, key, spec, mode| {
            if mode != AesMode::Gcm {
                return;
            }
            let algorithm = EncryptionAlgorithm::Aes(spec, mode);
            let good = seal(session, key, mode, b"associated", &[0x42; 100]);
            let change = |f: &dyn Fn(&mut Message)| {
                let mut changed = good.clone();
                f(&mut changed);
                changed
            };
            let failed = [
                ("nonce", change(&|b| b.iv[0] ^= 1)),
                ("associated data", change(&|b| b.aad[0] ^= 1)),
                ("no associated data", change(&|b| b.aad.clear())),
                ("ciphertext", change(&|b| b.ciphertext[99] ^= 0x80)),
                ("a shorter ciphertext", change(&|b| b.ciphertext.truncate(99))),
                ("no ciphertext", change(&|b| b.ciphertext.clear())),
                ("tag", change(&|b| b.tag[15] ^= 1)),
            ];
            for (what, sealed) in &failed {
                let mut out = buffer();
                let answer = session.decrypt(key, algorithm, sealed.sealed(), &mut out);
                assert_refused(answer, &Error::CryptoFailed, &out, what);
            }
            let misfits = [
                ("a shorter tag", change(&|b| b.tag.truncate(12))),
                ("no tag", change(&|b| b.tag.clear())),
                ("a longer nonce", change(&|b| b.iv.push(0))),
                ("no nonce", change(&|b| b.iv.clear())),
            ];
            for (what, sealed) in &misfits {
                let mut out = buffer();
                let answer = session.decrypt(key, algorithm, sealed.sealed(), &mut out);
                assert_refused(answer, &InvalidInput::IvOrTagLength.into(), &out, what);
            }
        });
    }

    /// Guards against a broken padding told apart from a broken length.
    pub(super) fn damaged_cbc_is_refused(&self) {
        self.each_aes(|session, key, spec, mode| {
            if mode == AesMode::Gcm {
                return;
            }
            let algorithm = EncryptionAlgorithm::Aes(spec, mode);
            // One byte of padding is 1; one bit of the block before makes it 0x11.
            let good = seal(
                session,
                key,
                mode,
                b"",
                &[0x42; 32][..if mode == AesMode::CbcPad { 31 } else { 32 }],
            );
            let mut cut = good.clone();
            cut.ciphertext.truncate(31);
            let mut damaged = vec![("a part of a block", cut)];
            if mode == AesMode::CbcPad {
                let mut padding = good.clone();
                padding.ciphertext[15] ^= 0x10;
                damaged.push(("padding", padding));
                let mut nothing = good.clone();
                nothing.ciphertext.clear();
                damaged.push(("no ciphertext", nothing));
            }
            for (what, sealed) in &damaged {
                let mut out = buffer();
                let answer = session.decrypt(key, algorithm, sealed.sealed(), &mut out);
                assert_refused(answer, &Error::CryptoFailed, &out, &format!("{algorithm}: {what}"));
            }
            let mut short = good;
            short.iv.truncate(15);
            let mut out = buffer();
            let answer = session.decrypt(key, algorithm, short.sealed(), &mut out);
            assert_refused(answer, &InvalidInput::IvOrTagLength.into(), &out, "a shorter iv");
        });
    }

    /// Guards against plaintext that is padded where nobody asked for it.
    pub(super) fn cbc_takes_whole_blocks(&self) {
        self.each_aes(|session, key, spec, mode| {
            if mode != AesMode::Cbc {
                return;
            }
            for len in [1, 15, 17] {
                let mut out = buffer();
                let answer = session.encrypt(key, mode, b"", &vec![1; len], &mut out).map(drop);
                let what = format!("{spec} CBC of {len} bytes");
                assert_refused(answer, &InvalidInput::NotWholeBlocks.into(), &out, &what);
            }
        });
    }

    /// Calls `check` for each listed AES algorithm.
    fn each_aes(&self, check: impl Fn(&mut B::Session, &B::Key, KeySpec, AesMode)) {
        let mut session = self.session();
        for algorithm in &self.capabilities().decrypt {
            let EncryptionAlgorithm::Aes(spec, mode) = *algorithm else { continue };
            if self.kinds().contains(&spec) {
                self.with_key(&mut session, spec, Operation::Encrypt, |session, key, _| {
                    check(session, key, spec, mode);
                });
            }
        }
    }
}

#[track_caller]
fn seal<S: Session>(
    session: &mut S,
    key: &S::Key,
    mode: AesMode,
    aad: &[u8],
    plaintext: &[u8],
) -> Message {
    let mut out = buffer();
    let made = session
        .encrypt(key, mode, aad, plaintext, &mut out)
        .unwrap_or_else(|error| panic!("{mode:?} of {} bytes: {error}", plaintext.len()));
    Message::new(made, aad, appended(&out))
}
